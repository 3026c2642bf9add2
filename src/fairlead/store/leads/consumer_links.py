"""Links of consumers to their requests, as rows, and what they are shown by them. Only hashes of links are kept."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows, one_row


@dataclass(frozen=True, slots=True)
class OwnRequest:
    """A lead as its consumer may know it."""

    lead_id: str
    status: str
    niche_name: str
    created_at: datetime
    confirmed_at: datetime | None
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class RecipientCompany:
    """A provider that has a lead, and how it is reached."""

    name: str
    email: str
    received_at: datetime


def insert_consumer_link(
    conn: Connection, token_hash: bytes, lead_id: str, now: datetime, expires_at: datetime
) -> None:
    """The link with this hash is the consumer's until it expires, if it is not already."""
    conn.execute(
        "insert into consumer_links (token_hash, lead_id, created_at, expires_at) values (%s, %s, %s, %s)"
        " on conflict do nothing",
        (token_hash, lead_id, now, expires_at),
    )


def count_consumer_links(conn: Connection, lead_id: str) -> int:
    """How many links the lead has."""
    return conn.execute("select count(*) from consumer_links where lead_id = %s", (lead_id,)).fetchall()[0][0]


def lead_of_link(conn: Connection, token_hash: bytes, now: datetime) -> str | None:
    """Which lead the link with this hash leads to, None where it is none or has expired; nothing is locked."""
    row = conn.execute(
        "select lead_id::text from consumer_links where token_hash = %s and expires_at > %s", (token_hash, now)
    ).fetchone()
    return None if row is None else row[0]


def lead_of_notice(conn: Connection, notification_id: str) -> tuple[str, bool] | None:
    """The lead whose consumer the notification is for, and whether it has an address yet; nothing is locked."""
    row = conn.execute(
        """
        select l.id::text, l.contact_email is not null
        from notifications n join leads l on l.id = n.lead_id where n.id = %s
        """,
        (notification_id,),
    ).fetchone()
    return None if row is None else (row[0], row[1])


def own_request(conn: Connection, lead_id: str) -> OwnRequest | None:
    """The lead, None where it did not come in from outside; nothing is locked."""
    return one_row(
        conn,
        OwnRequest,
        """
        select l.id::text as lead_id, l.status, n.name as niche_name, l.created_at, i.confirmed_at, l.withdrawn_at
        from leads l join niches n on n.id = l.niche_id join lead_intakes i on i.lead_id = l.id where l.id = %s
        """,
        (lead_id,),
    )


def recipients_of_lead(conn: Connection, lead_id: str) -> list[RecipientCompany]:
    """Who has the lead, the first recipient first."""
    return all_rows(
        conn,
        RecipientCompany,
        """
        select p.name, p.email, a.assigned_at as received_at
        from assignments a join providers p on p.id = a.provider_id where a.lead_id = %s
        order by a.assigned_at, p.name, p.id
        """,
        (lead_id,),
    )


def assignments_to_tell(conn: Connection, lead_id: str) -> list[tuple[str, str]]:
    """By id the assignments of the lead, which is locked, and their providers."""
    rows = conn.execute(
        "select id::text, provider_id::text from assignments where lead_id = %s order by id", (lead_id,)
    ).fetchall()
    return [(assignment_id, provider_id) for assignment_id, provider_id in rows]


def delete_consumer_links(conn: Connection, before: datetime) -> int:
    """Links that had expired at that time are gone; returns how many they were."""
    return conn.execute("delete from consumer_links where expires_at < %s", (before,)).rowcount
