"""What operators look at when a message did not arrive: one notification with its attempts, one endpoint."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from fairlead.core.errors import Refused
from fairlead.flows.configuration.versions import endpoint_version
from fairlead.store.connection import Database
from fairlead.store.lookups import checked_id
from fairlead.store.notifications.delivery_pages import DeliveryAttempt, delivery_attempts
from fairlead.store.notifications.endpoint_pages import WatchedEndpoint, watched_endpoint
from fairlead.store.notifications.lists import ListedNotification, listed_notification


@dataclass(frozen=True, slots=True)
class InspectedDelivery:
    """A notification, and the newest of its attempts on record, the newest first."""

    notification: ListedNotification
    attempts: tuple[DeliveryAttempt, ...]


@dataclass(frozen=True, slots=True)
class InspectedEndpoint:
    """An endpoint, and the opaque version that a change may name."""

    endpoint: WatchedEndpoint
    version: str


def inspect_delivery(database: Database, notification_id: str) -> InspectedDelivery:
    """The notification and its attempts. Raises `BadInput` (no id) and `Refused`: `notification_unknown`."""
    checked = checked_id(notification_id, "notification")
    with database.snapshot() as conn:
        found = listed_notification(conn, checked)
        if found is None:
            raise Refused("notification_unknown", f"there is no notification {checked}")
        return InspectedDelivery(found, tuple(delivery_attempts(conn, checked)))


def inspect_endpoint(database: Database, endpoint_id: str) -> InspectedEndpoint:
    """The living endpoint, whosever it is. Raises `BadInput` (no id) and `Refused`: `webhook_endpoint_unknown`."""
    checked = checked_id(endpoint_id, "webhook endpoint")
    with database.snapshot() as conn:
        found = watched_endpoint(conn, checked)
    if found is None:
        raise Refused("webhook_endpoint_unknown", f"there is no webhook endpoint {checked}")
    return InspectedEndpoint(found, endpoint_version(found.endpoint_id, found.url, found.field_mapping))


def host_of(url: str) -> str:
    """All of a URL that may be shown elsewhere: receivers have tokens in the rest.

    >>> host_of("https://crm.example.com:8443/in?token=x")
    'crm.example.com:8443'
    """
    parts = urlsplit(url)
    return (parts.hostname or "") + (f":{parts.port}" if parts.port else "")
