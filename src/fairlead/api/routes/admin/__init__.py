"""What operators do and see: `/api/v1/admin`."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairlead.api.routes.admin import access, leads, money, niches, operations, providers, reporting

ROUTERS: Sequence[APIRouter] = (
    *niches.ROUTERS,
    *providers.ROUTERS,
    *leads.ROUTERS,
    *money.ROUTERS,
    *reporting.ROUTERS,
    *operations.ROUTERS,
    *access.ROUTERS,
)
