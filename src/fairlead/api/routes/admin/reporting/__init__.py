"""What waits for an operator, and reports of what was sold, to whom and how fairly."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairlead.api.routes.admin.reporting import (
    analytics,
    attention,
    entitlement_reports,
    outcome_reports,
    overview,
    period_reports,
    reports,
)

ROUTERS: Sequence[APIRouter] = (
    attention.router,
    overview.router,
    reports.router,
    outcome_reports.router,
    period_reports.router,
    entitlement_reports.router,
    analytics.router,
)
