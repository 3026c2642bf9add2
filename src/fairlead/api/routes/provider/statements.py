"""A provider's own statements, month by month."""

from typing import Annotated

from fastapi import Response

from fairlead.api.access import OwnProvider, needs_own
from fairlead.api.bodies import Router
from fairlead.api.openapi import refuses
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
from fairlead.core.permissions import Permission
from fairlead.flows.money.statements import list_statements, read_statement

router = Router(prefix="/api/v1/provider/statements", tags=["provider: money"])

Reader = Annotated[OwnProvider, needs_own(Permission.OWN_READ)]


@router.get("")
def list_own_statements(caller: Reader) -> Page[ClosedMonth]:
    """List the statements that are final, the newest first: ten years at most."""
    return closed_months(list_statements(caller.database, caller.provider_id))


@router.get("/{month}", responses=refuses("statement_unknown"))
def show_own_statement_of_month(month: MonthName, caller: Reader) -> StatementOfMonth:
    """Show a month: the balance it began with, every movement, what those come to. It is final once it is closed."""
    return statement_of_month(read_statement(caller.database, caller.provider_id, month))


@router.get("/{month}/csv", responses=CSV_FILE | refuses("statement_unknown"), response_class=Response)
def download_own_statement(month: MonthName, caller: Reader) -> Response:
    """Download a month as CSV. Of a closed month it is the same bytes whenever it is asked for."""
    return csv_answer(read_statement(caller.database, caller.provider_id, month))
