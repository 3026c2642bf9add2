"""API keys as rows: found by their prefix, proven by a hash of their secret."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fairlead.store.connection import Connection


@dataclass(frozen=True, slots=True)
class ApiKeyRow:
    """A key, and what its owner is now: a user with its role and status, or a provider with its status."""

    key_id: str
    prefix: str
    secret_hash: bytes = field(repr=False)
    name: str
    scopes: tuple[str, ...]
    user_id: str | None
    provider_id: str | None
    created_by: str
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    user_role: str | None = None
    user_status: str | None = None
    provider_status: str | None = None


_KEYS = """
    select k.id::text, k.prefix, k.secret_hash, k.name, k.scopes, k.user_id::text,
           coalesce(k.provider_id, u.provider_id)::text, k.created_by, k.created_at, k.last_used_at, k.expires_at,
           k.revoked_at, u.role, u.status, p.status
    from api_keys k left join users u on u.id = k.user_id
    left join providers p on p.id = coalesce(k.provider_id, u.provider_id)"""


def insert_key(conn: Connection, row: ApiKeyRow) -> None:
    """The key exists. Its id is a new one."""
    conn.execute(
        """
        insert into api_keys (id, prefix, secret_hash, name, scopes, user_id, provider_id, created_by, created_at,
                              expires_at)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            row.key_id,
            row.prefix,
            row.secret_hash,
            row.name,
            list(row.scopes),
            row.user_id,
            row.provider_id,
            row.created_by,
            row.created_at,
            row.expires_at,
        ),
    )


def key_by_prefix(conn: Connection, prefix: str) -> ApiKeyRow | None:
    """The key with this prefix, usable or not; nothing is locked."""
    row = conn.execute(_KEYS + " where k.prefix = %s", (prefix,)).fetchone()
    return None if row is None else _key(row)


def list_keys(conn: Connection, user_id: str | None, provider_id: str | None, *, show_all: bool) -> Sequence[ApiKeyRow]:
    """The keys (of that user, of that provider), the newest first; with `show_all` also those that were revoked."""
    rows = conn.execute(
        _KEYS
        + """
        where (%(user_id)s::uuid is null or k.user_id = %(user_id)s)
          and (%(provider_id)s::uuid is null or k.provider_id = %(provider_id)s)
          and (%(show_all)s or k.revoked_at is null)
        order by k.id desc
        """,
        {"user_id": user_id, "provider_id": provider_id, "show_all": show_all},
    ).fetchall()
    return [_key(row) for row in rows]


def keys_page(
    conn: Connection, user_id: str | None, provider_id: str | None, *, show_all: bool, before_id: str | None, limit: int
) -> Sequence[ApiKeyRow]:
    """The next keys before that one, the newest first; else as `list_keys`."""
    rows = conn.execute(
        _KEYS
        + """
        where (%(before)s::uuid is null or k.id < %(before)s::uuid)
          and (%(user_id)s::uuid is null or k.user_id = %(user_id)s::uuid)
          and (%(provider_id)s::uuid is null or k.provider_id = %(provider_id)s::uuid)
          and (%(show_all)s or k.revoked_at is null)
        order by k.id desc limit %(limit)s
        """,
        {"before": before_id, "user_id": user_id, "provider_id": provider_id, "show_all": show_all, "limit": limit},
    ).fetchall()
    return [_key(row) for row in rows]


def lock_key(conn: Connection, key_id: str, provider_id: str | None) -> ApiKeyRow | None:
    """The key (of that provider), its row locked; None when there is none."""
    row = conn.execute(
        _KEYS
        + """
        where k.id = %(key_id)s and (%(provider_id)s::uuid is null or k.provider_id = %(provider_id)s)
        for no key update of k
        """,
        {"key_id": key_id, "provider_id": provider_id},
    ).fetchone()
    return None if row is None else _key(row)


def write_revoked(conn: Connection, key_id: str, revoked_by: str, now: datetime) -> None:
    """The key opens nothing any more. Needs its lock."""
    conn.execute("update api_keys set revoked_at = %s, revoked_by = %s where id = %s", (now, revoked_by, key_id))


def revoke_keys_of_user(conn: Connection, user_id: str, revoked_by: str, now: datetime) -> int:
    """No key of the user opens anything any more; returns how many did. Needs the user's lock."""
    done = conn.execute(
        "update api_keys set revoked_at = %s, revoked_by = %s where user_id = %s and revoked_at is null",
        (now, revoked_by, user_id),
    )
    return done.rowcount


def touch_key(conn: Connection, key_id: str, now: datetime) -> None:
    """The key was used then. One that another transaction has locked is left to that."""
    conn.execute(
        """
        update api_keys set last_used_at = %s
        where id = (select id from api_keys where id = %s for no key update skip locked)
        """,
        (now, key_id),
    )


def _key(row: Sequence[Any]) -> ApiKeyRow:
    key_id, prefix, secret_hash, name, scopes, *rest = row
    return ApiKeyRow(key_id, prefix, secret_hash, name, tuple(scopes), *rest)
