"""A test delivery: whether an endpoint answers, and whether it can verify and read what it is sent."""

import ssl
from datetime import UTC, datetime

from fairlead.core.errors import Refused
from fairlead.delivery.outcome import Delivery
from fairlead.delivery.secret_box import SecretBox
from fairlead.delivery.webhook import WebhookRequest, send_webhook
from fairlead.delivery.webhook_body import endpoint_test_body
from fairlead.settings import Settings
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id, marketplace_currency
from fairlead.store.notifications.webhook_endpoints import EndpointRow, endpoint

TRIAL_TIMEOUT_SECONDS = 5.0
"""So long at most is a receiver waited for while a thread of the web server waits with it."""


def try_webhook_endpoint(
    database: Database,
    box: SecretBox,
    endpoint_id: str,
    settings: Settings,
    tls: ssl.SSLContext | None = None,
    *,
    of_provider_id: str | None = None,
    timeout_seconds: float | None = None,
) -> Delivery:
    """A body of the type `endpoint.test` was offered to the endpoint once, now, whatever its state; what came of it.

    Shaped and signed like a real delivery, of no lead and no person. Nothing is stored or counted, and no transaction
    is open while the receiver is waited for, `timeout_seconds` at most: as long as for a delivery if that is not given.
    `tls` replaces the system's trust in certificates.

    Raises `BadInput`, `Refused`: `webhook_endpoint_unknown`, and `SecretUnreadable`.
    """
    checked = checked_id(endpoint_id, "webhook endpoint")

    def read(conn: Connection) -> tuple[EndpointRow | None, str, datetime]:
        return endpoint(conn, checked, of_provider_id), marketplace_currency(conn), clock(conn)

    found, currency, now = database.read(read)
    if found is None:
        raise Refused("webhook_endpoint_unknown", f"there is no webhook endpoint {checked}")
    sealed = [each for each in (found.secret, found.previous_secret) if each is not None]
    secrets = tuple(box.open(each, checked) for each in sealed)
    body = endpoint_test_body(found.provider_id, currency, now, found.field_mapping)
    return send_webhook(
        WebhookRequest(found.url, f"test-{new_id(database)}", body, secrets),
        datetime.now(UTC),
        allow_private=settings.webhook_allow_private,
        timeout_seconds=settings.webhook_timeout_seconds if timeout_seconds is None else timeout_seconds,
        tls=tls,
    )
