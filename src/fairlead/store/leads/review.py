"""Reviewing leads, as rows: which wait, what leads of the same source were worth, and rejecting."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fairlead.core.errors import Refused
from fairlead.core.lead_actions import LEAD_ACTIONS, LeadAction
from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows, one_row

RECENT_LEADS = 2_000
"""Of the niche's newest leads, so many are looked at for what those of one source were worth."""


@dataclass(frozen=True, slots=True)
class PendingLead:
    """A lead that waits for approval."""

    lead_id: str
    niche: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SourceWorth:
    """What the leads of one source were worth among the niche's newest `looked_at`, this one left out.

    `source` is what the lead says of it, None where it says nothing; then the others that say nothing are counted.
    """

    source: str | None
    looked_at: int
    lead_count: int
    sold_count: int
    bad_count: int
    net_cents: int


def pending_leads(conn: Connection, after: tuple[datetime, str] | None, limit: int) -> Sequence[PendingLead]:
    """The next leads that wait for approval, the oldest first, after the one that was seen last."""
    at, lead_id = after or (datetime.min.replace(tzinfo=UTC), "00000000-0000-0000-0000-000000000000")
    return all_rows(
        conn,
        PendingLead,
        """
        select l.id::text as lead_id, n.slug as niche, l.created_at from leads l join niches n on n.id = l.niche_id
        where l.status = 'pending_approval' and (l.created_at, l.id) > (%s, %s::uuid)
        order by l.created_at, l.id limit %s
        """,
        (at, lead_id, limit),
    )


def pending_count(conn: Connection) -> int:
    """How many leads wait for approval."""
    return conn.execute("select count(*) from leads where status = 'pending_approval'").fetchall()[0][0]


def source_worth(conn: Connection, lead_id: str) -> SourceWorth:
    """What other leads of the lead's source were worth. Raises `Refused`: `lead_unknown`."""
    own = conn.execute("select niche_id, utm_source from leads where id = %s", (lead_id,)).fetchone()
    if own is None:
        raise Refused("lead_unknown", f"there is no lead {lead_id}")
    niche_id, source = own
    found = one_row(
        conn,
        SourceWorth,
        """
        with recent as (
            select id, utm_source, status from leads where niche_id = %(niche)s
            order by created_at desc, id desc limit %(limit)s
        ), own as (select id, status from recent where utm_source is not distinct from %(source)s and id <> %(lead)s)
        select %(source)s::text as source, (select count(*) from recent) as looked_at,
               (select count(*) from own) as lead_count,
               (select count(*) from own where status in ('distributed', 'bad')) as sold_count,
               (select count(*) from own where status = 'bad') as bad_count,
               (select coalesce(sum(a.price_cents), 0)::bigint from own join assignments a on a.lead_id = own.id
                where a.status <> 'refunded') as net_cents
        """,
        {"niche": niche_id, "limit": RECENT_LEADS, "source": source, "lead": lead_id},
    )
    assert found is not None, "it has one row"
    return found


def lock_rejectable(conn: Connection, lead_ids: Sequence[str]) -> dict[str, str]:
    """Those of the leads that are unsold, with their status, locked in ascending order of id.

    Others are not locked. One that is being distributed is waited for, and is none of them once it is sold.
    """
    rows = conn.execute(
        """
        select id::text, status from leads
        where id = any(%s::uuid[]) and status = any(%s)
        order by id for no key update
        """,
        (list(lead_ids), list(LEAD_ACTIONS[LeadAction.REJECT].statuses)),
    ).fetchall()
    return dict(rows)


def resolve_dead_letters_of(conn: Connection, lead_ids: Sequence[str], resolved_by: str, now: datetime) -> list[str]:
    """The open dead letters of these leads, which are locked, are resolved; returns their ids, the oldest first."""
    rows = conn.execute(
        """
        update dead_letters set resolved_at = %s, resolved_by = %s, resolution = 'resolved',
                                memo = 'the lead was rejected'
        where lead_id = any(%s::uuid[]) and resolved_at is null returning id::text
        """,
        (now, resolved_by, list(lead_ids)),
    ).fetchall()
    return sorted(row[0] for row in rows)
