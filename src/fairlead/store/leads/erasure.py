"""Erasing a lead's personal data, as rows: which leads, and every table that holds something of them.

What a lead's own row says goes in `leads.state`; messages in `notifications.erasure`. Every function that changes rows
needs the locks of the leads that it names.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fairlead.core.erasure_terms import ERASED_WORDS, ErasureOrigin, ErasureReason, ErasureScope
from fairlead.store.connection import Connection
from fairlead.store.ids import new_id
from fairlead.store.reports.changes import assignments_changed, leads_changed
from fairlead.store.typed_rows import all_rows


@dataclass(frozen=True, slots=True)
class LockedForErasure:
    """A lead whose row is locked. The times say what was erased before."""

    lead_id: str
    niche_id: str
    status: str
    created_at: datetime
    answers_erased_at: datetime | None
    contact_erased_at: datetime | None
    erased_at: datetime | None


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure on record; nothing personal."""

    erasure_id: str
    lead_id: str
    scope: ErasureScope
    erased_at: datetime
    erased_by: str
    origin: ErasureOrigin
    reason: ErasureReason
    status_before: str


@dataclass(frozen=True, slots=True)
class Buyer:
    """Who bought an erased lead, and where it is told."""

    assignment_id: str
    lead_id: str
    provider_id: str
    endpoint_id: str | None


def lock_for_erasure(conn: Connection, lead_ids: Sequence[str]) -> list[LockedForErasure]:
    """Those of the leads that exist, locked in ascending order of id; one that is being distributed is waited for."""
    return all_rows(
        conn,
        LockedForErasure,
        """
        select id::text as lead_id, niche_id::text, status, created_at, answers_erased_at, contact_erased_at, erased_at
        from leads where id = any(%s::uuid[]) order by id for no key update
        """,
        (list(lead_ids),),
    )


def unerased_of_person(
    conn: Connection, email_keys: Sequence[str], phone_keys: Sequence[str], after: str | None, limit: int
) -> list[str]:
    """The next leads, by id, with one of these canonical addresses or numbers that are not erased.

    Beyond the one that was seen last; nothing is locked.
    """
    rows = conn.execute(
        """
        select id::text from (
            select id from leads where email_key = any(%(emails)s) and erased_at is null
            union
            select id from leads where phone_key = any(%(phones)s) and erased_at is null
        ) as of_person
        where id > coalesce(%(after)s::uuid, '00000000-0000-0000-0000-000000000000')
        order by id limit %(limit)s
        """,
        {"emails": list(email_keys), "phones": list(phone_keys), "after": after, "limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def erased_among(conn: Connection, lead_ids: Sequence[str]) -> frozenset[str]:
    """Those of the leads that are erased. Final for what is written about their assignments, whose locks it needs."""
    rows = conn.execute(
        "select id::text from leads where id = any(%s::uuid[]) and erased_at is not null", (list(lead_ids),)
    ).fetchall()
    return frozenset(row[0] for row in rows)


def insert_erasures(conn: Connection, erasures: Sequence[Erasure]) -> None:
    """The erasures are on record."""
    columns = (
        [each.erasure_id for each in erasures],
        [each.lead_id for each in erasures],
        [each.scope for each in erasures],
        [each.erased_at for each in erasures],
        [each.erased_by for each in erasures],
        [each.origin for each in erasures],
        [each.reason for each in erasures],
        [each.status_before for each in erasures],
    )
    conn.execute(
        """
        insert into erasures (id, lead_id, scope, erased_at, erased_by, origin, reason, status_before)
        select * from unnest(%s::uuid[], %s::uuid[], %s::text[], %s::timestamptz[], %s::text[], %s::text[], %s::text[],
                             %s::text[])
        """,
        columns,
    )


def new_erasure(
    conn: Connection,
    lead: LockedForErasure,
    scope: ErasureScope,
    origin: ErasureOrigin,
    reason: ErasureReason,
    erased_by: str,
    now: datetime,
) -> Erasure:
    """An erasure of the lead that is not on record yet."""
    return Erasure(new_id(conn), lead.lead_id, scope, now, erased_by, origin, reason, lead.status)


def erasures_of_lead(conn: Connection, lead_id: str) -> list[Erasure]:
    """What was erased of the lead, oldest first."""
    return all_rows(
        conn,
        Erasure,
        """
        select id::text as erasure_id, lead_id::text, scope, erased_at, erased_by, origin, reason, status_before
        from erasures where lead_id = %s order by erased_at, id
        """,
        (lead_id,),
    )


def erasures_page(conn: Connection, after: tuple[datetime, str] | None, limit: int) -> list[Erasure]:
    """The next erasures, the newest first, after the one that was seen last."""
    at, erasure_id = after or (datetime.max.replace(tzinfo=UTC), "ffffffff-ffff-ffff-ffff-ffffffffffff")
    return all_rows(
        conn,
        Erasure,
        """
        select id::text as erasure_id, lead_id::text, scope, erased_at, erased_by, origin, reason, status_before
        from erasures where (erased_at, id) < (%s, %s::uuid) order by erased_at desc, id desc limit %s
        """,
        (at, erasure_id, limit),
    )


def buyers_of(conn: Connection, lead_ids: Sequence[str]) -> list[Buyer]:
    """Who bought the leads, by assignment, each with the webhook endpoint that it has now."""
    return all_rows(
        conn,
        Buyer,
        """
        select a.id::text as assignment_id, a.lead_id::text, a.provider_id::text, e.id::text as endpoint_id
        from assignments a
        left join webhook_endpoints e
             on e.provider_id = a.provider_id and e.deleted_at is null and e.state <> 'disabled'
        where a.lead_id = any(%s::uuid[]) order by a.id
        """,
        (list(lead_ids),),
    )


def erase_words(conn: Connection, lead_ids: Sequence[str]) -> None:
    """What providers wrote about the leads that they bought is gone; what they answered and reported stays.

    So do operators' memos about money: they are in the ledger and the audit log, where nothing personal belongs.
    """
    ids = list(lead_ids)
    conn.execute("select from assignments where lead_id = any(%s::uuid[]) order by id for no key update", (ids,))
    conn.execute(
        """
        update assignments set rejection_reason = case when rejection_reason is not null then %(words)s end,
                               bad_lead_note = null, bad_lead_evidence = null
        where lead_id = any(%(ids)s::uuid[]) and num_nonnulls(rejection_reason, bad_lead_note, bad_lead_evidence) > 0
        """,
        {"words": ERASED_WORDS, "ids": ids},
    )


def erase_traces(conn: Connection, lead_ids: Sequence[str]) -> None:
    """What requests and failed runs left of the leads is gone: digests of what was sent, errors, traces, memos.

    A request with a key that brought one of them is refused from now on, instead of bringing the lead again. So is one
    that was about one of them, or about an assignment of it: its digest is of what a provider or an operator wrote.
    Not so the request that is being answered: it may be the one that erases, and is sent again.
    """
    ids = list(lead_ids)
    bought = conn.execute("select id::text from assignments where lead_id = any(%s::uuid[])", (ids,)).fetchall()
    conn.execute(
        """
        update idempotency_keys set fingerprint = 'erased' where
           status = 'done' and (
               body ->> 'lead_id' = any(%(leads)s)
               or substring(route from '[0-9a-f]{8}-[0-9a-f-]{27}') = any(%(places)s)
           )
        """,
        {"leads": ids, "places": [*ids, *(row[0] for row in bought)]},
    )
    conn.execute("update job_attempts set error = null where lead_id = any(%s::uuid[])", (ids,))
    conn.execute(
        """
        update dead_letters set error = %s, trace = null, memo = case when memo is not null then %s end
        where lead_id = any(%s::uuid[])
        """,
        (ERASED_WORDS, ERASED_WORDS, ids),
    )


def sources_of_these_alone(conn: Connection, lead_ids: Sequence[str]) -> list[str]:
    """The sources (`utm_source`) that no other lead names: such a text may say who came from it."""
    rows = conn.execute(
        """
        select distinct l.utm_source from leads l
        where l.id = any(%(ids)s::uuid[]) and l.utm_source is not null
          and not exists (select from leads o where o.utm_source = l.utm_source and o.id <> all(%(ids)s::uuid[]))
        order by 1
        """,
        {"ids": list(lead_ids)},
    ).fetchall()
    return [row[0] for row in rows]


def erase_from_reports(conn: Connection, lead_ids: Sequence[str], own_sources: Sequence[str]) -> None:
    """What reports keep of the leads' days is made anew, without their sources; what names one of `own_sources` goes.

    Needs that the rows of the leads were erased before.
    """
    ids = list(lead_ids)
    leads_changed(conn, ids)
    bought = conn.execute("select id::text from assignments where lead_id = any(%s::uuid[])", (ids,)).fetchall()
    assignments_changed(conn, [row[0] for row in bought])
    if own_sources:
        conn.execute(
            """
            delete from report_spans s where exists (
                select from report_pieces p
                where p.timezone = s.timezone and p.day_from = s.day_from and p.day_before = s.day_before
                  and p.keys && %s::text[])
            """,
            (list(own_sources),),
        )
        conn.execute("delete from report_pieces where keys && %s::text[]", (list(own_sources),))
