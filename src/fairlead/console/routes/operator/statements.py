"""A provider's statements, month by month, to be read, printed and downloaded."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.statements import MonthName
from fairlead.api.schemas.values import Uuid
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.configuration.reading import read_provider
from fairlead.flows.money.months import month_name
from fairlead.flows.money.statements import list_statements, read_statement

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Reader = Annotated[Principal, needs(Permission.MONEY_READ)]


@router.get("/providers/{provider_id}/statements")
def show_statements(
    provider_id: Annotated[Uuid, Path()], reader: Reader, page: PageOfRequest, database: MarketplaceDatabase
) -> Response:
    """The months that are closed, and the one that is under way."""
    provider, found = read_provider(database, provider_id).row, list_statements(database, provider_id)
    return page.render(
        "operator/statements.html",
        reader,
        provider_id=provider_id,
        provider_name=provider.name,
        path=f"/providers/{provider_id}/statements",
        current=found.current,
        currency=found.currency,
        months=[(month_name(each.month), each) for each in found.closed],
    )


@router.get("/providers/{provider_id}/statements/{month}")
def show_statement(
    provider_id: Annotated[Uuid, Path()],
    month: MonthName,
    reader: Reader,
    page: PageOfRequest,
    database: MarketplaceDatabase,
) -> Response:
    """One month: what there was, every movement, what there is."""
    provider = read_provider(database, provider_id).row
    return page.render(
        "operator/statement.html",
        reader,
        provider_id=provider_id,
        provider_name=provider.name,
        path=f"/providers/{provider_id}/statements",
        found=read_statement(database, provider_id, month),
    )
