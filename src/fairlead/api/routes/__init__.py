"""Every router of the API, each in the file that is named for what its routes are about."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairlead.api.routes import (
    admin_distribution,
    admin_lead_reviews,
    admin_leads,
    admin_money,
    live,
    problems,
    session,
)

ROUTERS: Sequence[APIRouter] = (
    session.router,
    admin_leads.router,
    admin_lead_reviews.router,
    admin_distribution.router,
    admin_money.router,
    live.router,
    problems.router,
)
