"""A change of one webhook endpoint: locked, made, audited, all in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass, field

from fairlead.core.errors import Refused
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.notifications.webhook_endpoints import EndpointRow, lock_endpoint


@dataclass(frozen=True, slots=True)
class EndpointChange:
    """An endpoint as a verb left it. `took_effect`: it was otherwise before.

    `secret` is returned once, by the call that made it: the receiver needs it, and it cannot be read again.
    """

    endpoint_id: str
    provider_id: str
    state: str
    took_effect: bool
    secret: str | None = field(default=None, repr=False)


def locked_endpoint(conn: Connection, endpoint_id: str, of_provider_id: str | None = None) -> EndpointRow:
    """The living endpoint, with a provider's id only its own, its row locked.

    Raises `Refused`: `webhook_endpoint_unknown`.
    """
    found = lock_endpoint(conn, endpoint_id, of_provider_id)
    if found is None:
        raise Refused("webhook_endpoint_unknown", f"there is no webhook endpoint {endpoint_id}")
    return found


def change_endpoint(
    database: Database,
    endpoint_id: str,
    actor: Actor,
    action: str,
    change: Callable[[Connection, EndpointRow], bool],
    memo: str | None = None,
    of_provider_id: str | None = None,
) -> EndpointChange:
    """The endpoint is as `change` made it under its lock, and the audit log says so if that returned True.

    With a provider's id another's endpoint is as unknown as one that never was; None is for operators. Raises
    `Refused`: `webhook_endpoint_unknown`, and what `change` raises.
    """

    def work(conn: Connection) -> EndpointChange:
        before = locked_endpoint(conn, endpoint_id, of_provider_id)
        took_effect = change(conn, before)
        after = locked_endpoint(conn, endpoint_id)
        if took_effect:
            old, new = {"state": before.state}, {"state": after.state}
            event = AuditEvent(actor, action, "webhook_endpoint", endpoint_id, old=old, new=new, memo=memo)
            append_audit(conn, [event], clock(conn))
        return EndpointChange(endpoint_id, before.provider_id, after.state, took_effect)

    return database.run(work)
