"""Leads: reviewed, distributed, explained, proved, erased."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairlead.api.routes.admin.leads import (
    decisions,
    distribution,
    dry_runs,
    erasures,
    lead_reviews,
    lead_views,
    leads,
    retention,
    review,
    verifications,
)

ROUTERS: Sequence[APIRouter] = (
    leads.router,
    lead_reviews.router,
    lead_views.router,
    review.router,
    erasures.router,
    retention.router,
    distribution.router,
    decisions.router,
    dry_runs.router,
    verifications.router,
)
