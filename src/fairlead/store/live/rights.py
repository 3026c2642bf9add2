"""What those who watch may do now: of all connections of a process in one query, which changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from fairlead.store.connection import Connection
from fairlead.store.simulated_clock import simulated_now


@dataclass(frozen=True, slots=True)
class AccessState:
    """Who is behind a session or a key now. `scopes` are a key's; None for a session.

    `is_live`: not ended, not idle for too long, not revoked, not expired; `is_open`: no second factor is outstanding.
    """

    watcher_id: str
    is_live: bool
    is_open: bool
    scopes: tuple[str, ...] | None
    user_role: str | None
    user_status: str | None
    provider_id: str | None
    provider_status: str | None


def standings(conn: Connection, session_ids: Sequence[str], key_ids: Sequence[str]) -> dict[str, AccessState]:
    """By id of the session or key; those that do not exist any more are missing. Nothing is locked or touched."""
    rows = conn.execute(
        """
        select s.id::text,
               s.ended_at is null
                   and coalesce(%(now)s::timestamptz, clock_timestamp()) < least(s.idle_expires_at, s.expires_at),
               s.state = 'full', null::text[], u.role, u.status, p.id::text, p.status
        from sessions s join users u on u.id = s.user_id left join providers p on p.id = u.provider_id
        where s.id = any(%(sessions)s::uuid[])
        union all
        select k.id::text,
               k.revoked_at is null
                   and coalesce(coalesce(%(now)s::timestamptz, clock_timestamp()) < k.expires_at, true),
               true, k.scopes,
               u.role, u.status, p.id::text, p.status
        from api_keys k left join users u on u.id = k.user_id
        left join providers p on p.id = coalesce(k.provider_id, u.provider_id)
        where k.id = any(%(keys)s::uuid[])
        """,
        {"now": simulated_now(conn), "sessions": list(session_ids), "keys": list(key_ids)},
    ).fetchall()
    return {
        watcher_id: AccessState(watcher_id, is_live, is_open, None if scopes is None else tuple(scopes), *who)
        for watcher_id, is_live, is_open, scopes, *who in rows
    }
