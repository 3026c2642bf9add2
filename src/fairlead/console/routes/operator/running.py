"""The sections under the heading "Running": operations and settings."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairlead.console.routes.operator import operations, settings

ROUTERS: Sequence[APIRouter] = (operations.router, settings.router)
