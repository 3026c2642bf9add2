"""Providers that register themselves: pending until an operator approves them."""

from fairlead.core.model import Balance
from fairlead.flows.access.invitations import checked_person
from fairlead.flows.access.principal import Client
from fairlead.flows.access.throttle import REGISTRATION_OF_ADDRESS, network_of, take
from fairlead.store.access.users import UserRow, insert_user, user_by_email
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.marketplace import marketplace_row
from fairlead.store.configuration.rows import (
    ConcurrentChange,
    ProviderRow,
    provider_ids_by_email,
)
from fairlead.store.configuration.writes import write_providers
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.leads.rows import clock
from fairlead.store.notifications.outbox import Notification, notify


def register_provider(database: Database, email: str, name: str, client: Client) -> None:
    """There is a pending provider of that name, and a user of it who will be sent a link that sets a password.

    So only the owner of an address can register it, and the answer does not tell whether it was known before: where a
    provider or a user has it already, nothing is changed. Its route sees to it that its time does not tell either.

    Raises `BadInput`, and `Throttled` for an address of the network that registers too often.
    """
    address, shown = checked_person(email, name)
    provider_id, user_id = new_id(database), new_id(database)
    try:
        database.run(lambda conn: _register(conn, provider_id, user_id, address, shown, client))
    except ConcurrentChange:
        return  # another request has just registered the same address


def _register(conn: Connection, provider_id: str, user_id: str, email: str, name: str, client: Client) -> None:
    take(conn, REGISTRATION_OF_ADDRESS, network_of(client.ip))
    if provider_ids_by_email(conn, [email]) or user_by_email(conn, email) is not None:
        return
    now = clock(conn)
    zone = marketplace_row(conn).timezone or "UTC"
    write_providers(conn, [ProviderRow(provider_id, email, name, "pending", zone, None, Balance(0, 0, 0))], now)
    user = UserRow(
        user_id, email, name, "provider", provider_id, "pending", "invited", None, None, None, None, None, now
    )
    insert_user(conn, user)
    notify(conn, [Notification("user_invited", user_id=user_id, correlation_id=client.request_id)], now)
    actor = Actor("anonymous", "system", client.request_id)
    registered = AuditEvent(actor, "provider.registered", "provider", provider_id, new={"status": "pending"})
    created = {"role": "provider", "provider_id": provider_id, "status": "invited"}
    append_audit(conn, [registered, AuditEvent(actor, "user.created", "user", user_id, new=created)], now)
