"""Every page, one module for each section."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairlead.console.routes import (
    account,
    accounts,
    consumer,
    design,
    filter_previews,
    home,
    login,
    logo,
    portal,
    setup,
)
from fairlead.console.routes.operator import (
    analytics,
    dry_run,
    fairness,
    lead,
    leads,
    live,
    market,
    overview,
    proofs,
    review,
    running,
)

ROUTERS: Sequence[APIRouter] = (
    account.router,
    accounts.router,
    analytics.router,
    design.router,
    dry_run.router,
    fairness.router,
    filter_previews.router,
    home.router,
    lead.router,
    leads.router,
    live.router,
    login.router,
    logo.router,
    overview.router,
    proofs.router,
    review.router,
    setup.router,
    *consumer.ROUTERS,
    *market.ROUTERS,
    *portal.ROUTERS,
    *running.ROUTERS,
)
"""In the order of the pages' addresses."""
