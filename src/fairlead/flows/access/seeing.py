"""An operator looks at the portal as a provider sees it: to read, for as long as the session lasts or until it is left.

What is looked at is kept with the session, so that every view of it was asked for and is in the audit log. It opens
pages alone: the API's routes of providers know nothing of it, so that nothing can be changed in a provider's name.
"""

from collections.abc import Sequence
from dataclasses import replace

from fairlead.core.errors import Refused
from fairlead.core.permissions import Permission, Role
from fairlead.flows.access.principal import Principal, require
from fairlead.store.access.sessions import lock_session, set_seen_provider
from fairlead.store.access.users import lock_user
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.lookups import provider_row
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id

SEEING: Sequence[Permission] = (
    Permission.PORTAL_READ,
    Permission.PROVIDERS_READ,
    Permission.LEADS_READ,
    Permission.MONEY_READ,
)
"""To look at all, and what a portal shows: the provider, its leads with their contacts, and its money."""


def see_as_provider(database: Database, provider_id: str, principal: Principal) -> str:
    """The operator's session shows the portal of this provider, and of no other; returns the provider's name.

    Idempotent. Audited; locks the user, then the session. Raises `BadInput`, and `Refused`: `session_required` for a
    key, `permission_missing`, `provider_unknown`, `session_invalid`.
    """
    for permission in SEEING:
        require(principal, permission)
    checked = checked_id(provider_id, "provider")

    def work(conn: Connection) -> str:
        provider = provider_row(conn, checked)
        if provider is None:
            raise Refused("provider_unknown", f"there is no provider {checked}")
        _change(conn, principal, checked)
        return provider.name

    return database.run(work)


def stop_seeing(database: Database, principal: Principal) -> str | None:
    """The operator's session shows no portal any more; returns whose it showed, None for none.

    Idempotent. Audited; locks the user, then the session. Raises `Refused`: `session_required`, `session_invalid`.
    """
    return database.run(lambda conn: _change(conn, principal, None))


def as_provider_sees(principal: Principal) -> Principal:
    """The operator, as pages of the portal see it: it may look at what the provider may, and change nothing.

    Raises `Refused`: `permission_missing`, where it may not look at all of that any more.
    """
    for permission in SEEING:
        require(principal, permission)
    actor = Actor(principal.actor.name, Role.PROVIDER, principal.actor.request_id)
    return replace(
        principal, actor=actor, provider_id=principal.seen_provider_id, permissions=frozenset({Permission.OWN_READ})
    )


def _change(conn: Connection, principal: Principal, provider_id: str | None) -> str | None:
    if principal.session_id is None or principal.user_id is None:
        raise Refused("session_required", "an API key sees no pages")
    lock_user(conn, principal.user_id)
    session = lock_session(conn, principal.session_id)
    if session is None or session.ended_at is not None:
        raise Refused("session_invalid", "there is no such session: log in")
    before = session.seen_provider_id
    if before == provider_id:
        return before
    set_seen_provider(conn, session.session_id, provider_id)
    new = {"session_id": session.session_id}
    events = [
        AuditEvent(principal.actor, action, "provider", about, new=new)
        for action, about in (("portal.left", before), ("portal.seen", provider_id))
        if about is not None
    ]
    append_audit(conn, events, clock(conn))
    return before
