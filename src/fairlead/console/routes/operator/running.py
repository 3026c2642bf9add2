"""The sections under the heading "Running": operations and settings."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairlead.console.routes.operator import audit, messages, operations, settings, templates

ROUTERS: Sequence[APIRouter] = (
    operations.router,
    messages.router,
    audit.router,
    settings.router,
    templates.router,
)
