"""Providers and their subscriptions: taken in, limited, noted down, looked at as they see themselves."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairlead.api.routes.admin.providers import (
    conflict_groups,
    portal_view,
    provider_activity,
    provider_notes,
    providers,
    subscription_history,
    subscription_weights,
    subscriptions,
    terms,
)

ROUTERS: Sequence[APIRouter] = (
    providers.router,
    provider_notes.router,
    conflict_groups.router,
    portal_view.router,
    subscriptions.router,
    subscription_history.router,
    subscription_weights.router,
    terms.router,
    provider_activity.router,
)
