"""Every page, one module for each section."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairlead.console.routes import account, accounts, consumer, design, home, login, portal
from fairlead.console.routes.operator import analytics, fairness, lead, market, overview

ROUTERS: Sequence[APIRouter] = (
    account.router,
    accounts.router,
    analytics.router,
    *consumer.ROUTERS,
    design.router,
    fairness.router,
    home.router,
    lead.router,
    login.router,
    overview.router,
    *market.ROUTERS,
    *portal.ROUTERS,
)
"""In the order of the pages' addresses."""
