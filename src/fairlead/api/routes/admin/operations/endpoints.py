"""Providers' webhook endpoints as operators see to them: how they fare, pausing, resuming, sending again, removing."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Path, Query, Response
from pydantic import Field, StrictBool

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.conditional import ExpectedVersion, show_version
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.changes import Memo
from fairlead.api.schemas.pagination import ByCursor, Page, cursor_after
from fairlead.api.schemas.spans import Before, NeededFrom
from fairlead.api.schemas.values import RequestModel, ResponseModel, Timestamp, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.notifications import endpoints as flow
from fairlead.flows.notifications.inspection import host_of, inspect_endpoint
from fairlead.flows.notifications.replay import replay_endpoint, replayable_count
from fairlead.store.notifications.endpoint_pages import WatchedEndpoint, endpoint_page

router = Router(prefix="/api/v1/admin/webhook-endpoints", tags=["webhook endpoints"])

EndpointId = Annotated[Uuid, Path(description="The endpoint's id.")]
Reader = Annotated[Principal, needs(Permission.NOTIFICATIONS_READ)]
Writer = Annotated[Principal, needs(Permission.NOTIFICATIONS_WRITE)]

_UNKNOWN = refuses("webhook_endpoint_unknown")


class EndpointItem(ResponseModel):
    """Where a provider's leads are sent, and how that goes. Of the address, the host alone: the rest may be secret."""

    endpoint_id: Uuid
    provider_id: Uuid
    provider_name: str = Field(examples=["Anchor"])
    host: str = Field(examples=["crm.example.com"])
    has_field_mapping: bool
    state: str = Field(description="`active`, `paused`, or `disabled` by its receiver.", examples=["active"])
    state_reason: str | None = Field(examples=["their certificate has expired"])
    failure_count: int = Field(description="Deliveries that failed since the last that succeeded.")
    failing_since: datetime | None
    waiting_count: int = Field(description="Notifications that wait for it.")
    is_rotating: bool = Field(description="Whether its secret is being exchanged.")
    created_at: datetime


class EndpointReason(RequestModel):
    """Why."""

    reason: Memo


class EndpointState(ResponseModel):
    """The state that the endpoint is in. `took_effect` is false where it was before."""

    endpoint_id: Uuid
    provider_id: Uuid
    state: str = Field(examples=["paused"])
    took_effect: bool


class MissedDeliveries(RequestModel):
    """Which of an endpoint's notifications are sent again."""

    created_from: Timestamp = Field(description="Those that were created at this time or later.")
    created_before: Timestamp | None = Field(default=None, description="Those that were created before this time.")
    only_failed: StrictBool = Field(default=False, description="Only those that failed, not what was delivered.")


class MissedDeliveryCounts(ResponseModel):
    """How many notifications of an endpoint would be sent again."""

    endpoint_id: Uuid
    created_from: datetime = Field(description="Since when the notifications that are counted were created.")
    failed_count: int = Field(description="Those that failed.", examples=[12])
    delivered_count: int = Field(description="Those that were delivered.", examples=[480])


class ReplayedEndpoint(ResponseModel):
    """How many notifications wait to be sent again."""

    endpoint_id: Uuid
    count: int


@router.get("")
def list_webhook_endpoints_of_all(
    reader: Reader,
    database: MarketplaceDatabase,
    page: ByCursor,
    provider_id: Annotated[Uuid | None, Query()] = None,
    state: Literal["active", "paused", "disabled"] | None = None,
) -> Page[EndpointItem]:
    """List the endpoints that there are, the newest first."""
    found = database.read(lambda conn: endpoint_page(conn, state, provider_id, page.after, page.limit))
    return Page(items=[_now(each) for each in found.items], next_cursor=cursor_after(found.next_after))


@router.get("/{endpoint_id}", responses=_UNKNOWN)
def inspect_webhook_endpoint(
    endpoint_id: EndpointId, response: Response, reader: Reader, database: MarketplaceDatabase
) -> EndpointItem:
    """Show one endpoint and its ETag."""
    found = inspect_endpoint(database, endpoint_id)
    show_version(response, found.version)
    return _now(found.endpoint)


@router.post("/{endpoint_id}/pause", responses=_UNKNOWN)
def pause_webhook_endpoint_of_provider(
    endpoint_id: EndpointId, asked: EndpointReason, writer: Writer, database: MarketplaceDatabase
) -> EndpointState:
    """Nothing is sent to the endpoint until it is resumed: what waits, and what comes, is held back."""
    changed = flow.pause_webhook_endpoint(database, endpoint_id, asked.reason, writer.actor)
    return EndpointState.model_validate(changed)


@router.post("/{endpoint_id}/resume", responses=_UNKNOWN)
def resume_webhook_endpoint_of_provider(
    endpoint_id: EndpointId, asked: EndpointReason, writer: Writer, database: MarketplaceDatabase
) -> EndpointState:
    """The endpoint is active, as if it had never failed, and what was held back is on its way."""
    changed = flow.resume_webhook_endpoint(database, endpoint_id, asked.reason, writer.actor)
    return EndpointState.model_validate(changed)


@router.get("/{endpoint_id}/replayable", responses=_UNKNOWN)
def count_replayable_deliveries(
    endpoint_id: EndpointId,
    created_from: NeededFrom,
    reader: Reader,
    database: MarketplaceDatabase,
    created_before: Before = None,
) -> MissedDeliveryCounts:
    """Count what sending again what was created in the span would send. Nothing is changed."""
    failed = replayable_count(database, endpoint_id, created_from, created_before, only_failed=True)
    both = replayable_count(database, endpoint_id, created_from, created_before)
    return MissedDeliveryCounts(
        endpoint_id=endpoint_id, created_from=created_from, failed_count=failed, delivered_count=max(both - failed, 0)
    )


@router.post("/{endpoint_id}/replay", responses=_UNKNOWN)
def replay_webhook_endpoint(
    endpoint_id: EndpointId, asked: MissedDeliveries, writer: Writer, database: MarketplaceDatabase
) -> ReplayedEndpoint:
    """What was delivered to the endpoint from then on, or failed, waits to be sent again; or only what failed.

    Each call sends all of it again, with the `webhook-id` that it had, by which receivers know it; what waits already
    is left alone.
    """
    count = replay_endpoint(
        database,
        endpoint_id,
        asked.created_from,
        writer.actor,
        created_before=asked.created_before,
        only_failed=asked.only_failed,
    )
    return ReplayedEndpoint(endpoint_id=endpoint_id, count=count)


@router.delete("/{endpoint_id}", status_code=204, response_class=Response, responses=_UNKNOWN)
def remove_webhook_endpoint_of_provider(
    endpoint_id: EndpointId, expected: ExpectedVersion, writer: Writer, database: MarketplaceDatabase
) -> None:
    """The provider has no endpoint any more; its secrets are gone, and what waited for it is skipped."""
    flow.remove_webhook_endpoint(database, endpoint_id, writer.actor, expected_version=expected)


def _now(found: WatchedEndpoint) -> EndpointItem:
    return EndpointItem(
        endpoint_id=found.endpoint_id,
        provider_id=found.provider_id,
        provider_name=found.provider_name,
        host=host_of(found.url),
        has_field_mapping=found.field_mapping is not None,
        state=found.state,
        state_reason=found.state_reason,
        failure_count=found.failure_count,
        failing_since=found.failing_since,
        waiting_count=found.waiting_count,
        is_rotating=found.is_rotating,
        created_at=found.created_at,
    )
