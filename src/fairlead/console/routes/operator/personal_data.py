"""Personal data: erasing all that is held of a person, and what was erased so far."""

from typing import Annotated

from fastapi import APIRouter, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.pagination import ByCursor
from fairlead.console.operator.erasure_words import ORIGINS, REASONS, RULES, SCOPES, reasons
from fairlead.console.operator.filtered import address_with
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.erasure.records import erasure_page
from fairlead.flows.erasure.retention import next_erasures
from fairlead.store.access.users import actor_names

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/settings/personal-data")
def show_personal_data(
    reader: Annotated[Principal, needs(Permission.AUDIT_READ)],
    page: PageOfRequest,
    database: MarketplaceDatabase,
    wanted: ByCursor,
) -> Response:
    """Erase what is held of a person, looked at before; and the erasures so far, the newest first."""
    found = erasure_page(database, wanted.after, wanted.probe)
    items, next_cursor = wanted.cut(found, lambda each: (each.erased_at, each.erasure_id))
    return page.render(
        "operator/personal-data.html",
        reader,
        erasures=items,
        actors=database.read(lambda conn: actor_names(conn, [each.erased_by for each in items])),
        scopes=SCOPES,
        origins=ORIGINS,
        reason_words=REASONS,
        reasons=reasons(),
        next_runs=next_erasures(database),
        rules=RULES,
        may_erase=Permission.PRIVACY_WRITE in reader.permissions and Permission.LEADS_READ in reader.permissions,
        next_address=next_cursor and address_with("/settings/personal-data", cursor=next_cursor),
    )
