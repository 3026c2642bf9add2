"""Fingerprints of leads as rows, and the order in which leads with the same one are let through.

Of two leads that are the same and come at once, each could look for the other before either is committed, and both be
taken in. So a lookup holds a lock on each fingerprint first, in a statement of its own: a later statement sees
what the one before it committed. The locks are taken in ascending order, after a request's idempotency key and before
everything else, and are held until the transaction ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import Any

from fairlead.core.canonical import JsonObject
from fairlead.core.duplicates import CONTACT_FIELDS
from fairlead.store.connection import Connection
from fairlead.store.simulated_clock import simulated_now
from fairlead.store.typed_rows import named_rows, one_row, part_of


@dataclass(frozen=True, slots=True)
class FoundLead:
    """An earlier lead with the same fingerprint. `sender` is who sent it, None where it did not come from outside."""

    lead_id: str
    created_at: datetime
    sender: str | None


@dataclass(frozen=True, slots=True)
class UnseenLead:
    """A lead that may have no fingerprints yet."""

    lead_id: str
    created_at: datetime
    contact: Mapping[str, str | None] = field(repr=False)
    attributes: Mapping[str, Any] = field(repr=False)
    counts: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """The last lead of a niche that was given fingerprints by these groups of fields."""

    field_groups: str
    created_at: datetime
    lead_id: str


def intake_secret(conn: Connection) -> bytes:
    """The marketplace's secret for hashes over personal data (32 bytes); it never changes."""
    return bytes(conn.execute("select secret from intake_secret").fetchall()[0][0])


def marketplace_rules(conn: Connection) -> list[JsonObject]:
    """The duplicate rules of niches that compare with the whole marketplace, each once."""
    rows = conn.execute(
        "select distinct duplicate_rule from niches where duplicate_rule ->> 'scope' = 'marketplace' order by 1"
    ).fetchall()
    return [row[0] for row in rows]


def lock_fingerprints(conn: Connection, fingerprints: Sequence[bytes]) -> None:
    """No other transaction takes in a lead with one of the fingerprints until this one ends."""
    keys = sorted({int.from_bytes(each[:8], "big", signed=True) for each in fingerprints})
    conn.execute("select pg_advisory_xact_lock(key) from unnest(%s::bigint[]) as key", (keys,))


def newest_with(
    conn: Connection, fingerprints: Sequence[bytes], not_lead_id: str, niche_id: str | None, days: int | None
) -> dict[bytes, FoundLead]:
    """By fingerprint the newest other lead that has it, of the niche (None: of any) and of the last so many days.

    Rejected leads, and those that wait for their confirmation, do not count. Needs the locks of the fingerprints.
    """
    rows = named_rows(
        conn,
        """
        select given.fingerprint, found.*
        from unnest(%(given)s::bytea[]) as given (fingerprint)
        cross join lateral (
            select l.id::text as lead_id, l.created_at, i.sender
            from lead_fingerprints f join leads l on l.id = f.lead_id left join lead_intakes i on i.lead_id = l.id
            where f.fingerprint = given.fingerprint and f.lead_id <> %(own)s
              and (%(niche)s::uuid is null or f.niche_id = %(niche)s)
              and (%(days)s::integer is null
                   or f.created_at
                      > coalesce(%(now)s::timestamptz, clock_timestamp()) - make_interval(days => %(days)s))
              and l.status not in ('rejected', 'pending_confirmation')
            order by f.created_at desc, f.lead_id desc limit 1) found
        """,
        {
            "given": list(fingerprints),
            "own": not_lead_id,
            "niche": niche_id,
            "days": days,
            "now": simulated_now(conn),
        },
    )
    return {bytes(row["fingerprint"]): part_of(FoundLead, row) for row in rows}


def add_fingerprints(conn: Connection, niche_id: str, rows: Sequence[tuple[str, datetime, bytes]]) -> int:
    """Leads of the niche, by id and time, have these fingerprints; returns how many are new."""
    if not rows:
        return 0
    done = conn.execute(
        """
        insert into lead_fingerprints (lead_id, niche_id, fingerprint, created_at)
        select lead_id, %s, fingerprint, created_at
        from unnest(%s::uuid[], %s::timestamptz[], %s::bytea[]) as given (lead_id, created_at, fingerprint)
        on conflict do nothing
        """,
        (niche_id, *(list(column) for column in zip(*rows, strict=True))),
    )
    return done.rowcount


def delete_fingerprints(conn: Connection, lead_ids: Sequence[str]) -> None:
    """No lead is recognised as a repetition of these any more."""
    conn.execute("delete from lead_fingerprints where lead_id = any(%s::uuid[])", (list(lead_ids),))


# The task that sees to leads which came before the rule, or by another way than intake -------------------------------


def niches_with_rules(conn: Connection) -> list[tuple[str, JsonObject | None, str | None]]:
    """Every niche by id, with its duplicate rule and whose telephone numbers it takes. Locks nothing."""
    return conn.execute("select id::text, duplicate_rule, phone_region from niches order by id").fetchall()


def lock_progress(conn: Connection, niche_id: str) -> Progress | None:
    """How far the task has come in the niche, None when it has not begun; the row is locked."""
    return one_row(
        conn,
        Progress,
        """
        select field_groups, created_at, lead_id::text from fingerprint_progress where niche_id = %s
        for no key update
        """,
        (niche_id,),
    )


def unseen_leads(conn: Connection, niche_id: str, after: Progress | None, limit: int) -> list[UnseenLead]:
    """The niche's next leads, the oldest first, but none of the last ten minutes, held until the transaction ends.

    A transaction that takes in leads may commit after one that began later; none lasts for ten minutes. Held in
    ascending order of id, so that none is erased between reading it and storing what was made of it.
    """
    rows = named_rows(
        conn,
        """
        select id::text as lead_id, created_at, contact_email, contact_name, contact_phone, attributes,
               status not in ('rejected', 'pending_confirmation') and contact_erased_at is null
               and answers_erased_at is null as counts
        from leads
        where id = any(array(
            select id from leads
            where niche_id = %s and (created_at, id) > (%s, %s::uuid)
              and created_at < coalesce(%s::timestamptz, clock_timestamp()) - interval '10 minutes'
            order by created_at, id limit %s))
        order by id for share
        """,
        (
            niche_id,
            "-infinity" if after is None else after.created_at,
            "00000000-0000-0000-0000-000000000000" if after is None else after.lead_id,
            simulated_now(conn),
            limit,
        ),
    )
    rows.sort(key=itemgetter("created_at", "lead_id"))
    return [part_of(UnseenLead, row | {"contact": {name: row[name] for name in CONTACT_FIELDS}}) for row in rows]


def write_progress(conn: Connection, niche_id: str, progress: Progress) -> None:
    """The task has come so far in the niche."""
    conn.execute(
        """
        insert into fingerprint_progress (niche_id, field_groups, created_at, lead_id) values (%s, %s, %s, %s)
        on conflict (niche_id) do update
        set field_groups = excluded.field_groups, created_at = excluded.created_at, lead_id = excluded.lead_id
        """,
        (niche_id, progress.field_groups, progress.created_at, progress.lead_id),
    )
