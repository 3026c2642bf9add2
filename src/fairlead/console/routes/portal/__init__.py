"""Pages of providers, each provider its own: `/portal`."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairlead.console.routes.portal import (
    auto_top_up,
    balance,
    deliveries,
    inbox,
    leads,
    more,
    payments,
    receipts,
    settings,
    statements,
    subscriptions,
)

ROUTERS: Sequence[APIRouter] = (
    auto_top_up.router,
    balance.router,
    deliveries.router,
    inbox.router,
    leads.router,
    more.router,
    payments.router,
    receipts.router,
    settings.router,
    statements.router,
    subscriptions.router,
)
"""In the order of the pages' addresses."""
