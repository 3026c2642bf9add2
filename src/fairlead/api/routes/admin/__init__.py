"""What operators do and see: `/api/v1/admin`."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairlead.api.routes.admin import (
    audit,
    deliveries,
    distribution,
    endpoints,
    exports,
    forms,
    intake,
    jobs,
    keys,
    lead_reviews,
    leads,
    ledger,
    levels,
    money,
    niches,
    overview,
    provider_notes,
    providers,
    reports,
    settings,
    subscription_history,
    subscriptions,
    templates,
    users,
)

ROUTERS: Sequence[APIRouter] = (
    niches.router,
    forms.router,
    levels.router,
    providers.router,
    provider_notes.router,
    subscriptions.router,
    subscription_history.router,
    users.router,
    keys.router,
    settings.router,
    leads.router,
    lead_reviews.router,
    distribution.router,
    money.router,
    intake.router,
    overview.router,
    reports.router,
    ledger.router,
    audit.router,
    exports.router,
    jobs.router,
    deliveries.router,
    endpoints.router,
    templates.router,
)
