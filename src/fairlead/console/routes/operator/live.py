"""What happens at this moment: decisions as they commit, a lane for each niche."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.store.connection import Connection
from fairlead.store.history import niches_of
from fairlead.store.lookups import marketplace_currency, niche_names

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/live")
def show_live(
    reader: Annotated[Principal, needs(Permission.LEADS_READ)], database: MarketplaceDatabase, page: PageOfRequest
) -> Response:
    """The lanes; the script fills them from the live feed of the API."""

    def work(conn: Connection) -> tuple[list[str], Mapping[str, str], str]:
        active = [each.slug for each in niches_of(conn, None) if each.is_active]
        return active, niche_names(conn), marketplace_currency(conn)

    niches, names, currency = database.read(work)
    return page.render("operator/live.html", reader, niches=niches, names=names, currency=currency)
