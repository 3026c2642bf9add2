"""Running a marketplace: audit, exports, queues, messages, settings."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairlead.api.routes.admin.operations import (
    audit,
    deliveries,
    endpoints,
    export_requests,
    exports,
    jobs,
    settings,
    setup,
    templates,
    workers,
)

ROUTERS: Sequence[APIRouter] = (
    settings.router,
    setup.router,
    audit.router,
    exports.router,
    export_requests.router,
    jobs.router,
    deliveries.router,
    endpoints.router,
    templates.router,
    workers.router,
)
