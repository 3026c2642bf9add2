"""The set-up link as a row: it lets the first operator in, once. Only its hash is kept."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import one_row


@dataclass(frozen=True, slots=True)
class SetupLinkRow:
    """The link that is good now, if it has not expired."""

    token_hash: bytes
    expires_at: datetime


def has_operator(conn: Connection) -> bool:
    """Whether there is an operator, in whatever state: invited, active or disabled."""
    row = conn.execute("select exists (select from users where role = 'admin')").fetchone()
    return row is not None and row[0]


def replace_setup_link(conn: Connection, token_hash: bytes, now: datetime, expires_at: datetime) -> None:
    """The link with this hash is the only one, until it expires."""
    conn.execute(
        """
        insert into setup_link (token_hash, created_at, expires_at) values (%(hash)s, %(now)s, %(expires)s)
        on conflict (is_only_row) do update
        set token_hash = excluded.token_hash, created_at = excluded.created_at, expires_at = excluded.expires_at
        """,
        {"hash": token_hash, "now": now, "expires": expires_at},
    )


def setup_link(conn: Connection) -> SetupLinkRow | None:
    """The link that is good now; nothing is locked."""
    return one_row(conn, SetupLinkRow, "select token_hash, expires_at from setup_link")


def spend_setup_link(conn: Connection, token_hash: bytes, now: datetime) -> bool:
    """The link with this hash is gone; False when there is none, or it has expired. Of several uses one gets True."""
    done = conn.execute("delete from setup_link where token_hash = %s and expires_at > %s", (token_hash, now))
    return done.rowcount == 1


def delete_setup_link(conn: Connection) -> None:
    """There is no link any more. Waits for a transaction that is using it."""
    conn.execute("delete from setup_link")
