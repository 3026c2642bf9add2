"""What people and their programs are told: every notification, how far it came, and sending it again."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import Field

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.idempotency import AcceptIdempotencyKey
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.pagination import ByCursor, Page, cursor_after
from fairlead.api.schemas.spans import Before, From
from fairlead.api.schemas.values import NAME_PATTERN, ResponseModel, Uuid
from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.notifications.inspection import inspect_delivery
from fairlead.flows.notifications.replay import replay_notification
from fairlead.store.notifications.delivery_pages import DeliveryFilter, delivery_page

router = Router(prefix="/api/v1/admin/deliveries", tags=["deliveries"])

NotificationId = Annotated[Uuid, Path(description="The notification's id.")]
Reader = Annotated[Principal, needs(Permission.NOTIFICATIONS_READ)]
Writer = Annotated[Principal, needs(Permission.NOTIFICATIONS_WRITE)]


class Delivery(ResponseModel):
    """A notification and how far it has come. Whom it is for is told by id."""

    notification_id: Uuid
    kind: str = Field(examples=["lead_assigned"])
    channel: str = Field(examples=["email"])
    state: str = Field(description="`queued`, `sent`, `failed` or `skipped`.", examples=["sent"])
    is_held: bool = Field(description="Whether it waits and no job has it, as for an endpoint that is paused.")
    provider_id: Uuid | None
    assignment_id: Uuid | None
    subscription_id: Uuid | None
    webhook_endpoint_id: Uuid | None
    attempts: int
    replay_count: int = Field(description="How often it was sent again by hand.")
    created_at: datetime
    last_attempt_at: datetime | None
    sent_at: datetime | None
    last_answer: str | None = Field(examples=["250 queued"])
    correlation_id: str | None = Field(
        description="The `X-Request-ID` that it goes back to; null where no request caused it.",
        examples=["01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f"],
    )


class DeliveryAttempt(ResponseModel):
    """An attempt on record: one that failed or was cut off, or that came to something after such a one."""

    attempt_id: Uuid
    outcome: str = Field(examples=["failed"])
    started_at: datetime | None
    ended_at: datetime
    error: str | None = Field(examples=["451 try again later"])


class DeliveryInFull(Delivery):
    """A notification, what else it has to tell, and its attempts."""

    detail: Mapping[str, Any] | None = Field(examples=[{"amount_cents": 1500}])
    attempts_on_record: Sequence[DeliveryAttempt] = Field(description="The newest hundred, the newest first.")


class ReplayedDelivery(ResponseModel):
    """A notification that waits to be sent. `took_effect` is false where it waited already."""

    notification_id: Uuid
    channel: str = Field(examples=["email"])
    state_before: str = Field(examples=["failed"])
    took_effect: bool


@router.get("")
def list_deliveries(
    reader: Reader,
    database: MarketplaceDatabase,
    page: ByCursor,
    provider_id: Annotated[Uuid | None, Query()] = None,
    kind: Annotated[str | None, Query(pattern=NAME_PATTERN, examples=["lead_assigned"])] = None,
    channel: Literal["email", "webhook"] | None = None,
    state: Literal["queued", "sent", "failed", "skipped"] | None = None,
    created_from: From = None,
    created_before: Before = None,
) -> Page[Delivery]:
    """List notifications, the newest first. A page may have fewer items than its limit and still a next one."""
    wanted = DeliveryFilter(provider_id, kind, channel, state, created_from, created_before)
    found = database.read(lambda conn: delivery_page(conn, wanted, page.after, page.limit))
    items = [Delivery.model_validate(each) for each in found.items]
    return Page(items=items, next_cursor=cursor_after(found.next_after))


@router.get("/{notification_id}", responses=refuses("notification_unknown"))
def show_delivery(notification_id: NotificationId, reader: Reader, database: MarketplaceDatabase) -> DeliveryInFull:
    """Show one notification and the attempts to send it."""
    found = inspect_delivery(database, notification_id)
    return DeliveryInFull(
        **Delivery.model_validate(found.notification).model_dump(),
        detail=found.notification.detail,
        attempts_on_record=[DeliveryAttempt.model_validate(each) for each in found.attempts],
    )


@router.post("/{notification_id}/replay", responses=refuses("notification_unknown", "webhook_endpoint_removed"))
def replay_delivery(
    notification_id: NotificationId, request: AcceptIdempotencyKey, writer: Writer, database: MarketplaceDatabase
) -> ReplayedDelivery:
    """It waits to be sent again, all its attempts anew, whatever the provider's preferences.

    A mail is a new message then; a webhook keeps its `webhook-id`, by which receivers know it.
    """
    replayed = replay_notification(database, notification_id, writer.actor, request.key_of(writer))
    return ReplayedDelivery.model_validate(replayed)
