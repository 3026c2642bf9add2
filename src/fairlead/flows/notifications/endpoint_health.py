"""What deliveries say of the endpoint that they went to: it works, it fails, it is given up for now, or for good."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.delivery.outcome import Delivery, Sent
from fairlead.flows.notifications.alerts import alert_operators
from fairlead.store.audit.log import SYSTEM, AuditEvent
from fairlead.store.connection import Connection
from fairlead.store.lookups import provider_names
from fairlead.store.notifications.webhook_endpoints import EndpointRow, hold_back_all, write_failures, write_state


@dataclass(frozen=True, slots=True)
class Health:
    """An endpoint's state, and how many deliveries failed since the last that succeeded."""

    state: str
    reason: str | None
    failure_count: int
    failing_since: datetime | None

    @staticmethod
    def of(endpoint: EndpointRow) -> "Health":
        """The health that the endpoint's row tells of."""
        return Health(endpoint.state, endpoint.state_reason, endpoint.failure_count, endpoint.failing_since)


def health_after(before: Health, delivery: Delivery, pause_after_failures: int, now: datetime) -> Health:
    """The endpoint's health once this came of a delivery to it.

    A success ends the count of failures; an endpoint that was paused meanwhile stays so. HTTP 410 disables it; so
    many failures in a row pause it.

    >>> from fairlead.delivery.outcome import NotSent
    >>> well, failed = Health("active", None, 0, None), NotSent("HTTP 500", is_permanent=False)
    >>> failing = health_after(well, failed, 2, datetime(2026, 1, 1))
    >>> failing.state, failing.failure_count, health_after(failing, failed, 2, datetime(2026, 1, 2)).state
    ('active', 1, 'paused')
    """
    if isinstance(delivery, Sent):
        return Health(before.state, before.reason, 0, None)
    count, since = before.failure_count + 1, before.failing_since or now
    if delivery.is_gone:
        return Health("disabled", f"the receiver asked not to be called again: {delivery.answer}", count, since)
    if before.state == "active" and count >= pause_after_failures:
        reason = f"{count} deliveries failed in a row, the last with: {delivery.answer}"
        return Health("paused", reason, count, since)
    return Health(before.state, before.reason, count, since)


def apply_health(conn: Connection, endpoint: EndpointRow, after: Health, now: datetime) -> list[AuditEvent]:
    """The endpoint is in that health; returns what is to be audited, if its state changes. Needs its lock.

    One that is not active any more receives nothing: what waited for it is held back instead of using up its attempts,
    and operators are told.
    """
    before = Health.of(endpoint)
    if (after.failure_count, after.failing_since) != (before.failure_count, before.failing_since):
        write_failures(conn, endpoint.endpoint_id, after.failure_count, after.failing_since)
    if after.state == before.state:
        return []
    write_state(conn, endpoint.endpoint_id, after.state, after.reason)
    held_count = hold_back_all(conn, endpoint.endpoint_id)
    name = provider_names(conn, [endpoint.provider_id])[endpoint.provider_id]
    lines = [
        f"Webhook endpoint {endpoint.endpoint_id} of {name} is {after.state}",
        f"Reason: {after.reason}",
        f"Deliveries held back: {held_count}",
    ]
    alert_operators(conn, "A provider's webhook endpoint receives nothing any more", lines, now)
    new = {"state": after.state, "failure_count": after.failure_count, "held_back_count": held_count}
    changed = AuditEvent(
        SYSTEM,
        f"webhook_endpoint.{after.state}",
        "webhook_endpoint",
        endpoint.endpoint_id,
        old={"state": before.state},
        new=new,
        memo=after.reason,
    )
    return [changed]
