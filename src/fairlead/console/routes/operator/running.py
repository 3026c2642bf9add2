"""The sections under the heading "Running": exports, operations and settings."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairlead.console.routes.operator import audit, exports, messages, operations, personal_data, settings, templates

ROUTERS: Sequence[APIRouter] = (
    exports.router,
    operations.router,
    messages.router,
    audit.router,
    settings.router,
    personal_data.router,
    templates.router,
)
