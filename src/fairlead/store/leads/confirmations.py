"""Confirming a lead by email, as rows: the message that asks for it, its links, and unconfirmed leads.

Only hashes of links are kept. A link stays good after it was used, so that a second click is told the same.
"""

from dataclasses import dataclass
from datetime import datetime

from fairlead.store.connection import Connection
from fairlead.store.simulated_clock import simulated_now
from fairlead.store.typed_rows import one_row


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """The lead that a message asks to confirm, as it is now."""

    lead_id: str
    status: str
    has_address: bool
    confirm_by: datetime


@dataclass(frozen=True, slots=True)
class ConfirmationToken:
    """A link that was made for a lead."""

    lead_id: str
    expires_at: datetime


def lead_to_confirm(conn: Connection, notification_id: str) -> Unconfirmed | None:
    """The lead that the notification asks to confirm, None when it asks for nothing of the kind; nothing is locked."""
    return one_row(
        conn,
        Unconfirmed,
        """
        select l.id::text as lead_id, l.status, l.contact_email is not null as has_address, i.confirm_by
        from notifications n join leads l on l.id = n.lead_id join lead_intakes i on i.lead_id = l.id
        where n.id = %s and i.confirm_by is not null
        """,
        (notification_id,),
    )


def insert_confirmation_token(
    conn: Connection, token_hash: bytes, lead_id: str, now: datetime, expires_at: datetime
) -> None:
    """The link with this hash confirms the lead until it expires."""
    conn.execute(
        "insert into confirmation_tokens (token_hash, lead_id, created_at, expires_at) values (%s, %s, %s, %s)",
        (token_hash, lead_id, now, expires_at),
    )


def confirmation_token(conn: Connection, token_hash: bytes) -> ConfirmationToken | None:
    """The link with this hash, good or not; nothing is locked."""
    return one_row(
        conn,
        ConfirmationToken,
        "select lead_id::text, expires_at from confirmation_tokens where token_hash = %s",
        (token_hash,),
    )


def lock_unconfirmed(conn: Connection, after: tuple[datetime, str] | None, limit: int) -> list[tuple[datetime, str]]:
    """When they came in and ids of the next leads that were to be confirmed by now and were not, the oldest first.

    Beyond the one that was seen last, and locked. Those that another transaction holds are left for the next time: as
    nothing is waited for, no deadlock can come of it.
    """
    at, lead_id = after or (None, "00000000-0000-0000-0000-000000000000")
    return conn.execute(
        """
        select l.created_at, l.id::text from leads l join lead_intakes i on i.lead_id = l.id
        where l.status = 'pending_confirmation' and i.confirm_by <= coalesce(%s::timestamptz, clock_timestamp())
          and (l.created_at, l.id) > (coalesce(%s::timestamptz, '-infinity'), %s::uuid)
        order by l.created_at, l.id limit %s for no key update of l skip locked
        """,
        (simulated_now(conn), at, lead_id, limit),
    ).fetchall()


def delete_confirmation_tokens(conn: Connection, before: datetime) -> int:
    """Links that had expired at that time are gone; returns how many they were."""
    return conn.execute("delete from confirmation_tokens where expires_at < %s", (before,)).rowcount
