"""Exchanging the secret that signs an endpoint's webhooks, without a moment in which the receiver knows neither."""

from dataclasses import replace

from fairlead.core.errors import Refused
from fairlead.delivery.secret_box import SecretBox
from fairlead.delivery.webhook import new_webhook_secret
from fairlead.flows.notifications.endpoint_changes import EndpointChange, change_endpoint
from fairlead.store.audit.log import Actor
from fairlead.store.connection import Connection, Database
from fairlead.store.lookups import checked_id
from fairlead.store.notifications.webhook_endpoints import EndpointRow, write_secrets


def rotate_webhook_secret(
    database: Database, box: SecretBox, endpoint_id: str, actor: Actor, *, of_provider_id: str | None = None
) -> EndpointChange:
    """The endpoint has a new secret; until `retire_previous_secret` deliveries are signed with both.

    Raises `BadInput`, and `Refused`: `webhook_endpoint_unknown`, `webhook_rotation_under_way` while the secret before
    has not been retired: a third would cut off a receiver that still knows the first only.
    """
    checked = checked_id(endpoint_id, "webhook endpoint")
    secret = new_webhook_secret()
    sealed = box.seal(secret, checked)

    def change(conn: Connection, before: EndpointRow) -> bool:
        if before.previous_secret is not None:
            raise Refused("webhook_rotation_under_way", "the previous secret is still in use: retire it first")
        write_secrets(conn, checked, sealed, before.secret)
        return True

    done = change_endpoint(database, checked, actor, "webhook_endpoint.secret_rotated", change, None, of_provider_id)
    return replace(done, took_effect=True, secret=secret)


def retire_previous_secret(
    database: Database, endpoint_id: str, actor: Actor, *, of_provider_id: str | None = None
) -> EndpointChange:
    """Deliveries are signed with the newest secret alone. Raises `BadInput`, `Refused`: `webhook_endpoint_unknown`."""

    def change(conn: Connection, before: EndpointRow) -> bool:
        if before.previous_secret is None:
            return False
        write_secrets(conn, before.endpoint_id, before.secret, None)
        return True

    checked = checked_id(endpoint_id, "webhook endpoint")
    return change_endpoint(database, checked, actor, "webhook_endpoint.secret_retired", change, None, of_provider_id)
