"""Every router of the API, each in the file that is named for what its routes are about."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairlead.api.routes import live, problems, session

ROUTERS: Sequence[APIRouter] = (
    session.router,
    live.router,
    problems.router,
)
