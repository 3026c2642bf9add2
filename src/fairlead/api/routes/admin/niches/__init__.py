"""Niches: their forms, levels, prices and policies, what comes in, and whose turn is next."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairlead.api.routes.admin.niches import (
    forms,
    intake,
    levels,
    niche_archive,
    niche_queues,
    niche_templates,
    niches,
    postcode_tables,
    price_rules,
    refund_policies,
    report_rules,
)

ROUTERS: Sequence[APIRouter] = (
    niches.router,
    refund_policies.router,
    niche_templates.router,
    niche_queues.router,
    niche_archive.router,
    forms.router,
    levels.router,
    price_rules.router,
    postcode_tables.router,
    report_rules.router,
    intake.router,
)
