"""The pages of the market: providers, niches and money."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairlead.console.routes.operator import (
    money,
    niche_form,
    niches,
    payments,
    postcode_tables,
    price_rules,
    provider,
    provider_ledger,
    provider_subscription,
    providers,
    receipts,
    statements,
)

ROUTERS: Sequence[APIRouter] = (
    providers.router,  # before what takes any word for an id
    provider.router,
    provider_ledger.router,
    receipts.router,
    statements.router,
    provider_subscription.router,
    niches.router,
    niche_form.router,
    price_rules.router,
    postcode_tables.router,
    money.router,
    payments.router,
)
"""Those of one section together, each list before its items."""
