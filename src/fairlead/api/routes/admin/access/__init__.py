"""Who may come in: people and API keys."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairlead.api.routes.admin.access import keys, users

ROUTERS: Sequence[APIRouter] = (
    users.router,
    keys.router,
)
