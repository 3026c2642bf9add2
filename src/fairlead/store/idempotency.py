"""Keys of requests: claimed before anything else, and kept with the result in the transaction of the effect."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from fairlead.core.errors import Refused
from fairlead.store.connection import Connection
from fairlead.store.simulated_clock import simulated_now
from fairlead.store.typed_rows import one_row

ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class StoredResult:
    """What a key was used for, and what came of it."""

    route: str
    fingerprint: str
    body: dict[str, Any]


def claim_key(conn: Connection, actor: str, key: str, route: str, fingerprint: str) -> StoredResult | None:
    """None: the key is this transaction's until it ends. Else what the transaction that had it committed.

    The transaction that has the key at present is waited for; nothing else may be locked before: no deadlock.
    Raises `Refused`: `idempotency_key_reused` for a key that another provider's transaction, or one of no provider, has
    used.
    """
    for _ in range(ATTEMPTS):
        if _insert(conn, actor, key, route, fingerprint):
            return None
        # A statement of its own: it sees what was committed while the insert waited.
        stored = one_row(
            conn,
            StoredResult,
            "select route, fingerprint, body from idempotency_keys where actor = %s and key = %s",
            (actor, key),
        )
        if stored is not None:
            return stored
        # Forgotten between the two statements, and free again; or never visible under row-level security.
    raise Refused("idempotency_key_reused", "the idempotency key was used for another request before")


def _insert(conn: Connection, actor: str, key: str, route: str, fingerprint: str) -> bool:
    done = conn.execute(
        """
        insert into idempotency_keys (actor, key, route, fingerprint, created_at)
        values (%s, %s, %s, %s, coalesce(%s::timestamptz, clock_timestamp())) on conflict (actor, key) do nothing
        """,
        (actor, key, route, fingerprint, simulated_now(conn)),
    )
    return done.rowcount == 1


def keep_result(conn: Connection, actor: str, key: str, body: Mapping[str, object]) -> None:
    """The key, claimed by this transaction, leads to this result, which holds nothing personal."""
    conn.execute(
        "update idempotency_keys set status = 'done', body = %s where actor = %s and key = %s",
        (Jsonb(dict(body)), actor, key),
    )


def delete_keys(conn: Connection, before: datetime) -> int:
    """Keys that were used before that time are free again; returns how many."""
    return conn.execute("delete from idempotency_keys where created_at < %s", (before,)).rowcount
