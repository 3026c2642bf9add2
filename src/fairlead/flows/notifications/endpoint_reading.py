"""Looking at webhook endpoints together with the version that a change may name. Nothing is locked."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.core.errors import Refused
from fairlead.flows.configuration.versions import endpoint_version
from fairlead.store.connection import Database
from fairlead.store.keyset import KeysetPage
from fairlead.store.lookups import checked_id
from fairlead.store.notifications.delivery_pages import endpoint_deliveries
from fairlead.store.notifications.lists import ListedNotification
from fairlead.store.notifications.webhook_endpoints import ListedEndpoint, endpoint, list_endpoints


@dataclass(frozen=True, slots=True)
class SeenEndpoint:
    """An endpoint as it was a moment ago, and its opaque version."""

    endpoint: ListedEndpoint
    version: str


def endpoints_of(database: Database, provider_id: str) -> list[SeenEndpoint]:
    """The provider's living endpoints; there is one at the most. Raises `BadInput`."""
    checked = checked_id(provider_id, "provider")
    with database.snapshot() as conn:
        return [
            SeenEndpoint(found, endpoint_version(found.endpoint_id, found.url, found.field_mapping))
            for found in list_endpoints(conn, checked)
        ]


def read_webhook_endpoint(database: Database, endpoint_id: str, *, of_provider_id: str) -> SeenEndpoint:
    """The provider's endpoint. Raises `BadInput`, and `Refused`: `webhook_endpoint_unknown`, also for another's."""
    checked = checked_id(endpoint_id, "webhook endpoint")
    for seen in endpoints_of(database, of_provider_id):
        if seen.endpoint.endpoint_id == checked:
            return seen
    raise _unknown(checked)


def deliveries_to(
    database: Database, endpoint_id: str, after: tuple[datetime, str] | None, limit: int, *, of_provider_id: str
) -> KeysetPage[ListedNotification, tuple[datetime, str]]:
    """The next deliveries to the provider's living endpoint, the newest first, after the one that was seen last.

    Raises `BadInput`, and `Refused`: `webhook_endpoint_unknown`, also for another's.
    """
    checked, owner_id = checked_id(endpoint_id, "webhook endpoint"), checked_id(of_provider_id, "provider")
    with database.snapshot() as conn:
        if endpoint(conn, checked, owner_id) is None:
            raise _unknown(checked)
        return endpoint_deliveries(conn, checked, owner_id, after, limit)


def _unknown(endpoint_id: str) -> Refused:
    return Refused("webhook_endpoint_unknown", f"there is no webhook endpoint {endpoint_id}")
