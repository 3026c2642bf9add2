"""Providers' statements, month by month."""

from typing import Annotated

from fastapi import Path, Response

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.pagination import Page
from fairlead.api.schemas.statements import (
    CSV_FILE,
    ClosedMonth,
    MonthName,
    StatementOfMonth,
    closed_months,
    csv_answer,
    statement_of_month,
)
from fairlead.api.schemas.values import Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.money.statements import list_statements as read_statements
from fairlead.flows.money.statements import read_statement

router = Router(prefix="/api/v1/admin/providers/{provider_id}/statements", tags=["money"])

Reader = Annotated[Principal, needs(Permission.MONEY_READ)]
ProviderId = Annotated[Uuid, Path()]


@router.get("")
def list_statements(provider_id: ProviderId, _: Reader, database: MarketplaceDatabase) -> Page[ClosedMonth]:
    """List the statements that are final, the newest first: ten years at most."""
    return closed_months(read_statements(database, provider_id))


@router.get("/{month}", responses=refuses("statement_unknown"))
def show_statement(
    provider_id: ProviderId, month: MonthName, _: Reader, database: MarketplaceDatabase
) -> StatementOfMonth:
    """Show a month: the balance it began with, every movement, what those come to. It is final once it is closed."""
    return statement_of_month(read_statement(database, provider_id, month))


@router.get("/{month}/csv", responses=CSV_FILE | refuses("statement_unknown"), response_class=Response)
def download_statement(provider_id: ProviderId, month: MonthName, _: Reader, database: MarketplaceDatabase) -> Response:
    """Download a month as CSV. Of a closed month it is the same bytes whenever it is asked for."""
    return csv_answer(read_statement(database, provider_id, month))
