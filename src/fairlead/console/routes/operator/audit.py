"""The audit log: who did what, when, and what it made different."""

from datetime import date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin.operations.audit import EVENT_CURSOR, list_audit_events
from fairlead.console.operator.audit_words import action_words, actor_words, entity_words
from fairlead.console.operator.differences import difference_of
from fairlead.console.operator.filtered import address_with, chips
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.periods import OptionalDay
from fairlead.console.texts import noted, translated
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.reporting.period_report import first_moment
from fairlead.store.access.users import actor_names
from fairlead.store.audit.sources import AuditFilter

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_PATH = "/operations/audit"
Wanted = Annotated[str, Query(max_length=100, pattern="^[A-Za-z0-9:._-]*$")]
"""A filter of the audit log; "" for none, as a form sends it."""

FILTERS = {
    "actor": noted("Who"),
    "action": noted("What"),
    "entity": noted("About"),
    "entity_id": noted("Id"),
    "niche": noted("Niche"),
    "from": noted("From"),
    "to": noted("Until"),
}
"""What each filter is called."""

_PAGES = {"lead": "/leads/", "provider": "/providers/", "niche": "/niches/", "dead_letter": "/operations/dead-letters/"}
"""Where the things are looked at that events are about, by the kind of thing."""
_MESSAGES = {"notification": "/operations/deliveries/", "webhook_endpoint": "/operations/endpoints/"}


@router.get(_PATH)
def show_audit(
    reader: Annotated[Principal, needs(Permission.AUDIT_READ)],
    page: PageOfRequest,
    database: MarketplaceDatabase,
    actor: Wanted = "",
    action: Wanted = "",
    entity: Wanted = "",
    entity_id: Wanted = "",
    niche: Wanted = "",
    first: Annotated[OptionalDay, Query(alias="from")] = None,
    last: Annotated[OptionalDay, Query(alias="to")] = None,
    cursor: Annotated[str | None, Query(pattern=EVENT_CURSOR)] = None,
) -> Response:
    """The events that are wanted, the newest first. Days are the viewer's, both included."""
    since, before = _span(first, last, ZoneInfo(page.viewer.zone_name))
    wanted = AuditFilter(actor or None, action or None, entity or None, entity_id or None, niche or None, since, before)
    found = list_audit_events(reader, database, wanted, cursor, 50)
    chosen = {"actor": actor, "action": action, "entity": entity, "entity_id": entity_id, "niche": niche}
    chosen |= {"from": str(first or ""), "to": str(last or "")}
    names = database.read(lambda conn: actor_names(conn, [each.actor for each in found.items]))
    return page.render(
        "operator/audit.html",
        reader,
        events=[
            (each, difference_of(each.old, each.new), page_about(each.entity, each.entity_id)) for each in found.items
        ],
        actors={each.actor: actor_words(each.actor, names) for each in found.items},
        action_words=action_words,
        entity_words=entity_words,
        chosen=chosen,
        labels=FILTERS,
        chips=[(translated(FILTERS[name]), value, without) for name, value, without in chips(_PATH, chosen)],
        next_address=found.next_cursor and address_with(_PATH, **chosen, cursor=found.next_cursor),
    )


def page_about(entity: str, entity_id: str) -> str | None:
    """The page of the thing, None where it has none."""
    path = {**_PAGES, **_MESSAGES}.get(entity)
    return None if path is None else f"{path}{entity_id}"


def _span(first: date | None, last: date | None, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    since = None if first is None else first_moment(first, zone)
    return since, None if last is None else first_moment(last + timedelta(days=1), zone)
