"""A provider's portal, each provider its own: `/api/v1/provider`."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairlead.api.routes.provider import (
    activity,
    assignments,
    auto_top_up,
    exports,
    keys,
    ledger,
    levels,
    payments,
    postcode_tables,
    profile,
    receipts,
    report_allowance,
    statements,
    subscriptions,
    terms,
    users,
    webhooks,
)

ROUTERS: Sequence[APIRouter] = (
    profile.router,
    levels.router,
    postcode_tables.router,
    subscriptions.router,
    terms.router,
    activity.router,
    assignments.router,
    report_allowance.router,
    ledger.router,
    payments.router,
    auto_top_up.router,
    statements.router,
    receipts.router,
    exports.router,
    webhooks.router,
    keys.router,
    users.router,
)
