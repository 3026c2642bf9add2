"""The provider's own statements, month by month."""

from fastapi import APIRouter, Response

from fairlead.api.schemas.statements import MonthName
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.routes.portal.frame import Reader, render_portal
from fairlead.flows.money.months import month_name
from fairlead.flows.money.statements import list_statements, read_statement

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/portal/statements"


@router.get(_PATH)
def show_own_statements(page: PageOfRequest, caller: Reader) -> Response:
    """The months that are closed, and the one that is under way."""
    found = list_statements(caller.database, caller.provider_id)
    return render_portal(
        page,
        "statements.html",
        caller,
        path=_PATH,
        current=found.current,
        currency=found.currency,
        months=[(month_name(each.month), each) for each in found.closed],
    )


@router.get(_PATH + "/{month}")
def show_own_statement(month: MonthName, page: PageOfRequest, caller: Reader) -> Response:
    """One month: what there was, every movement, what there is."""
    return render_portal(
        page,
        "statement.html",
        caller,
        path=_PATH,
        found=read_statement(caller.database, caller.provider_id, month),
    )
