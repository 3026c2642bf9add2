"""One-time tokens as rows: each lets one user set a password, once, for a while. Only their hashes are kept."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import one_row


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token that was issued to a user. `purpose`: `invite` or `password_reset`."""

    user_id: str
    purpose: str
    expires_at: datetime
    used_at: datetime | None


def insert_token(
    conn: Connection, token_hash: bytes, user_id: str, purpose: str, now: datetime, expires_at: datetime
) -> None:
    """The token with this hash can be used once until it expires."""
    conn.execute(
        """
        insert into one_time_tokens (token_hash, user_id, purpose, created_at, expires_at) values (%s, %s, %s, %s, %s)
        """,
        (token_hash, user_id, purpose, now, expires_at),
    )


def token_row(conn: Connection, token_hash: bytes, purpose: str) -> TokenRow | None:
    """The token with this hash and purpose, usable or not; nothing is locked."""
    return one_row(
        conn,
        TokenRow,
        """
        select user_id::text, purpose, expires_at, used_at from one_time_tokens
        where token_hash = %s and purpose = %s
        """,
        (token_hash, purpose),
    )


def spend_token(conn: Connection, token_hash: bytes, purpose: str, now: datetime) -> bool:
    """The token is used; False when it was before, or has expired."""
    done = conn.execute(
        """
        update one_time_tokens set used_at = %s
        where token_hash = %s and purpose = %s and used_at is null and expires_at > %s
        """,
        (now, token_hash, purpose, now),
    )
    return done.rowcount == 1


def void_tokens(conn: Connection, user_id: str, now: datetime) -> int:
    """No token that the user was issued before can be used any more; returns how many could. Needs its lock."""
    done = conn.execute(
        "update one_time_tokens set used_at = %s where user_id = %s and used_at is null", (now, user_id)
    )
    return done.rowcount


def delete_old_tokens(conn: Connection, before: datetime) -> int:
    """Tokens that had expired at that time are gone; returns how many they were."""
    return conn.execute("delete from one_time_tokens where expires_at < %s", (before,)).rowcount
