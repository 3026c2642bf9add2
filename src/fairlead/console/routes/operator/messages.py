"""Messages and webhook endpoints: how far each came, why it did not arrive, and sending it again."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response

from fairlead.api.access import needs
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.routes.admin.operations import deliveries, endpoints
from fairlead.api.schemas.pagination import ByCursor
from fairlead.api.schemas.values import Uuid
from fairlead.console.operator.filtered import address_with, chips
from fairlead.console.operator.jobs_in_words import message_words
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.texts import noted, translated
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.store.lookups import provider_names

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MessagesReader = Annotated[Principal, needs(Permission.NOTIFICATIONS_READ)]
Channel = Literal["email", "webhook"]

_STATES = ("", "queued", "sent", "failed", "skipped")
_CHANNELS = (("", noted("emails and webhooks")), ("email", noted("emails")), ("webhook", noted("webhooks")))
_FILTERS = {"provider_id": noted("Provider"), "channel": noted("Channel"), "state": noted("State")}

REPLAY_SPANS = (
    (timedelta(hours=1), noted("the last hour")),
    (timedelta(hours=24), noted("the last 24 hours")),
    (timedelta(days=7), noted("the last 7 days")),
    (timedelta(days=30), noted("the last 30 days")),
)
"""Since when an endpoint's messages may be sent again by a click."""


@dataclass(frozen=True, slots=True)
class ReplayChoice:
    """What sending again from a time on would send."""

    words: str
    created_from: str
    failed_count: int
    delivered_count: int


@router.get("/operations/deliveries")
def show_deliveries(
    reader: MessagesReader,
    page: PageOfRequest,
    database: MarketplaceDatabase,
    wanted: ByCursor,
    provider_id: Annotated[Uuid | None, Query()] = None,
    channel: Channel | None = None,
    state: Literal["queued", "sent", "failed", "skipped"] | None = None,
) -> Response:
    """Messages, the newest first, and how far they came."""
    found = deliveries.list_deliveries(reader, database, wanted, provider_id, None, channel, state)
    ids = [each for each in {provider_id, *(message.provider_id for message in found.items)} if each is not None]
    names = database.read(lambda conn: provider_names(conn, ids))
    path, chosen = "/operations/deliveries", {"provider_id": provider_id, "channel": channel, "state": state}
    return page.render(
        "operator/deliveries.html",
        reader,
        deliveries=[(each, message_words(each.kind)) for each in found.items],
        names=names,
        chips=[
            (translated(_FILTERS[name]), names.get(value, value), without)
            for name, value, without in chips(path, chosen)
            if name == "provider_id"
        ],
        state=state,
        states=[(each, address_with(path, **{**chosen, "state": each})) for each in _STATES],
        channels=[
            (translated(words), address_with(path, **{**chosen, "channel": each}), each == (channel or ""))
            for each, words in _CHANNELS
        ],
        next_address=found.next_cursor and address_with(path, **chosen, cursor=found.next_cursor),
    )


@router.get("/operations/deliveries/{notification_id}")
def show_delivery(
    notification_id: Annotated[Uuid, Path()], reader: MessagesReader, page: PageOfRequest, database: MarketplaceDatabase
) -> Response:
    """One message: its state, each attempt on record with what was answered, and sending it again."""
    found = deliveries.show_delivery(notification_id, reader, database)
    ids = [found.provider_id] if found.provider_id else []
    return page.render(
        "operator/delivery.html",
        reader,
        message=found,
        kind=message_words(found.kind),
        names=database.read(lambda conn: provider_names(conn, ids)),
        detail=sorted((found.detail or {}).items()),
        may_replay=Permission.NOTIFICATIONS_WRITE in reader.permissions and found.state != "queued",
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


@router.get("/operations/endpoints/{endpoint_id}")
def show_endpoint(
    endpoint_id: Annotated[Uuid, Path()],
    response: Response,
    reader: MessagesReader,
    page: PageOfRequest,
    database: MarketplaceDatabase,
) -> Response:
    """One endpoint: how it fares, and sending again what it missed, with the count before."""
    found = endpoints.inspect_webhook_endpoint(endpoint_id, response, reader, database)
    may_write = Permission.NOTIFICATIONS_WRITE in reader.permissions
    now = datetime.now(UTC)
    choices = [_choice(endpoint_id, reader, database, now - span, words) for span, words in REPLAY_SPANS]
    if found.failing_since is not None:
        failing = _choice(endpoint_id, reader, database, found.failing_since, noted("since it began to fail"))
        choices = [failing, *choices]
    return page.render(
        "operator/endpoint.html",
        reader,
        endpoint=found,
        version=response.headers["ETag"],
        choices=choices,
        may_write=may_write,
    )


def _choice(
    endpoint_id: str, reader: Principal, database: MarketplaceDatabase, since: datetime, words: str
) -> ReplayChoice:
    found = endpoints.count_replayable_deliveries(endpoint_id, since, reader, database)
    return ReplayChoice(translated(words), since.isoformat(), found.failed_count, found.delivered_count)
