"""What is stuck: queues and their ages, what was given up, deliveries, webhook endpoints, and what was done by whom."""

from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin import deliveries, endpoints, jobs
from fairlead.api.routes.admin.audit import EVENT_CURSOR, list_audit_events
from fairlead.api.schemas.pagination import ByCursor
from fairlead.api.schemas.values import Uuid
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.store.audit.sources import AuditFilter

router = APIRouter(route_class=PageRoute, include_in_schema=False)

JobsReader = Annotated[Principal, needs(Permission.JOBS_READ)]
MessagesReader = Annotated[Principal, needs(Permission.NOTIFICATIONS_READ)]
AuditReader = Annotated[Principal, needs(Permission.AUDIT_READ)]
Wanted = Annotated[str, Query(max_length=100, pattern="^[A-Za-z0-9:._-]*$")]
"""A filter of the audit log; "" for none, as a form sends it."""


def address_with(path: str, **chosen: object) -> str:
    """The path with the parameters that are something."""
    given = {name: str(value) for name, value in chosen.items() if value not in (None, "")}
    return f"{path}?{urlencode(given)}" if given else path


def chips(path: str, chosen: Mapping[str, object]) -> list[tuple[str, str, str]]:
    """Each filter that is in force: its name, its value, and the address without it."""
    given = {name: value for name, value in chosen.items() if value not in (None, "")}
    return [
        (name, str(value), address_with(path, **{other: each for other, each in given.items() if other != name}))
        for name, value in given.items()
    ]


@router.get("/operations")
def show_operations(reader: JobsReader, page: PageOfRequest, database: MarketplaceDatabase) -> Response:
    """Every queue: what waits, for how long, and what was given up."""
    queues = jobs.list_queues(reader, database).items
    return page.render("operator/operations.html", reader, queues=queues)


@router.get("/operations/dead-letters")
def show_dead_letters(
    reader: JobsReader,
    page: PageOfRequest,
    database: MarketplaceDatabase,
    wanted: ByCursor,
    queue: jobs.Queue | None = None,
    state: Literal["open", "resolved", "all"] = "open",
) -> Response:
    """Work that was given up, the newest first."""
    shown = None if state == "all" else state
    found = jobs.list_dead_letters(reader, database, wanted, queue, shown)
    path, chosen = "/operations/dead-letters", {"queue": queue, "state": state}
    more = found.next_cursor and address_with(path, **chosen, cursor=found.next_cursor)
    return page.render(
        "operator/dead-letters.html",
        reader,
        letters=found.items,
        chips=chips(path, {"queue": queue}),
        state=state,
        states=[(each, address_with(path, queue=queue, state=each)) for each in ("open", "resolved", "all")],
        next_address=more,
    )


@router.get("/operations/dead-letters/{dead_letter_id}")
def show_dead_letter(
    dead_letter_id: Annotated[Uuid, Path()], reader: JobsReader, page: PageOfRequest, database: MarketplaceDatabase
) -> Response:
    """Why it was given up, and what can be done about it."""
    letter = jobs.show_dead_letter(dead_letter_id, reader, database)
    return page.render("operator/dead-letter.html", reader, letter=letter)


@router.get("/operations/deliveries")
def show_deliveries(
    reader: MessagesReader,
    page: PageOfRequest,
    database: MarketplaceDatabase,
    wanted: ByCursor,
    provider_id: Annotated[Uuid | None, Query()] = None,
    channel: Literal["email", "webhook"] | None = None,
    state: Literal["queued", "sent", "failed", "skipped"] | None = None,
) -> Response:
    """Messages, the newest first, and how far they came."""
    found = deliveries.list_deliveries(reader, database, wanted, provider_id, None, channel, state)
    path, chosen = "/operations/deliveries", {"provider_id": provider_id, "channel": channel, "state": state}
    return page.render(
        "operator/deliveries.html",
        reader,
        deliveries=found.items,
        chips=chips(path, chosen),
        state=state,
        states=[
            (each, address_with(path, **{**chosen, "state": each}))
            for each in ("", "queued", "sent", "failed", "skipped")
        ],
        next_address=found.next_cursor and address_with(path, **chosen, cursor=found.next_cursor),
    )


@router.get("/operations/endpoints")
def show_endpoints(
    reader: MessagesReader,
    page: PageOfRequest,
    database: MarketplaceDatabase,
    wanted: ByCursor,
    state: Literal["active", "paused", "disabled"] | None = None,
) -> Response:
    """Where providers' leads are sent, and how that goes; those that fail first on each page."""
    found = endpoints.list_webhook_endpoints_of_all(reader, database, wanted, None, state)
    path = "/operations/endpoints"
    return page.render(
        "operator/endpoints.html",
        reader,
        endpoints=sorted(found.items, key=lambda each: each.failing_since is None),
        state=state,
        states=[(each, address_with(path, state=each)) for each in ("", "active", "paused", "disabled")],
        next_address=found.next_cursor and address_with(path, state=state, cursor=found.next_cursor),
    )


@router.get("/operations/audit")
def show_audit(
    reader: AuditReader,
    page: PageOfRequest,
    database: MarketplaceDatabase,
    actor: Wanted = "",
    action: Wanted = "",
    entity: Wanted = "",
    entity_id: Wanted = "",
    niche: Wanted = "",
    cursor: Annotated[str | None, Query(pattern=EVENT_CURSOR)] = None,
) -> Response:
    """Who did what, when, and what it was before."""
    wanted = AuditFilter(actor or None, action or None, entity or None, entity_id or None, niche or None)
    found = list_audit_events(reader, database, wanted, cursor, 50)
    path = "/operations/audit"
    chosen = {"actor": actor, "action": action, "entity": entity, "entity_id": entity_id, "niche": niche}
    return page.render(
        "operator/audit.html",
        reader,
        events=found.items,
        chosen=chosen,
        chips=chips(path, chosen),
        next_address=found.next_cursor and address_with(path, **chosen, cursor=found.next_cursor),
    )
