"""Every router of the API, each in the file that is named for what its routes are about."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairlead.api.routes import (
    accounts,
    admin,
    documentation,
    enrolment,
    intake,
    live,
    payment_webhooks,
    problems,
    provider,
    session,
    setup,
)

ROUTERS: Sequence[APIRouter] = (
    session.router,
    enrolment.router,
    accounts.router,
    setup.router,
    intake.router,
    payment_webhooks.router,
    *admin.ROUTERS,
    *provider.ROUTERS,
    live.router,
    problems.router,
    documentation.router,
)
