"""What reports add up: each fact is a query that counts the rows of some days, by day, niche and keys.

A fact is asked of the rows for days that are not over or have changed, and its answers are kept for the others
(`pieces`). Reports only ever add up what these queries give, so that it is the same whichever way a day is told.

What is grouped is grouped by columns as they are, and made the text of `keys` once for each group: the other way round
a day takes twice the time.
"""

# ruff: noqa: S608 - every part of a statement is a constant of ours

from collections.abc import Mapping
from typing import LiteralString

from fairlead.store.reports.days import within
from fairlead.store.reports.decision_facts import DECISIONS, LEVELS, OPEN_SLOTS, REFUSALS, UNPAID
from fairlead.store.reports.fact import OF_NICHE, ReportFact, counted

_NO_NICHE: LiteralString = "'00000000-0000-0000-0000-000000000000'::uuid"
_BECAME: LiteralString = """
    count(*), sum(a.price_cents), count(a.viewed_at), count(a.answered_at) filter (where a.rejection_reason is null),
    count(a.rejection_reason), count(a.bad_lead_reported_at), count(*) filter (where a.bad_lead_decision = 'accepted'),
    count(a.refunded_at), coalesce(sum(a.price_cents) filter (where a.refunded_at is not null), 0)"""
_SOLD_THEN: LiteralString = f"""
    from assignments a where a.id between %(first_id)s and %(last_id)s and {within("a.assigned_at")} and {OF_NICHE}
      and (%(provider)s::uuid is null or a.provider_id = %(provider)s::uuid)"""
_SOURCE: LiteralString = "coalesce(l.utm_source, '')"

LEADS = counted(
    "leads",
    "leads",
    7,
    lambda day: (
        f"""
    select {day("l.created_at")} as day, l.niche_id, array[{_SOURCE}] as keys, array[
               count(*), count(l.approved_at), count(l.distributed_at),
               count(*) filter (where l.distributed_at is not null and l.last_outcome = 'partial'),
               count(*) filter (where l.status = 'approved' and l.last_outcome = 'no_eligible'),
               count(*) filter (where l.status = 'rejected'), count(*) filter (where l.status = 'bad')] as counts
    from leads l where {within("l.created_at")} and {OF_NICHE} group by 1, 2, 3"""
    ),
)
"""Leads by when they came in. Keys: source. Counts: received, approved, sold, partial, no eligible, rejected, bad."""

TIMES = counted(
    "times",
    "leads",
    100,
    lambda day: (
        f"""
    select day, niche_id, array[step, unit::text] as keys, array(
               select coalesce(told.count, 0) from generate_series(0, 99) as digits
               left join unnest(numbers, own) as told (number, count) on told.number = digits order by digits) as counts
    from (
        select day, niche_id, step, unit, array_agg(number) as numbers, array_agg(count) as own
        from (
            select day, niche_id, step, unit, (ms / unit)::integer as number, count(*) as count
            from (
                select day, niche_id, step, ms, (10 ^ greatest(0, length(ms::text) - 2))::bigint as unit
                from (
                    select day, niche_id, step, round(ms, least(0, 2 - length(ms::text)))::bigint as ms
                    from (
                        select {day("l.created_at")} as day, l.niche_id, t.step,
                               greatest(0, round(extract(epoch from t.took) * 1000)) as ms
                        from leads l cross join lateral (
                            values ('assignment', l.distributed_at - l.approved_at),
                                   ('approval', l.approved_at - l.created_at)) t (step, took)
                        where {within("l.created_at")} and {OF_NICHE} and t.took is not null offset 0) timed
                    offset 0) rounded
                offset 0) measured
            group by 1, 2, 3, 4, 5) counted
        group by 1, 2, 3, 4) gathered
    offset 0"""
    ),
)
"""How long leads took, by when they came in. Keys: `approval` or `assignment`, a number of milliseconds as unit.

Counts: the leads that took 0, 1, ... 99 of that unit, to two digits: a time has the least unit that tells it.
"""

SALES = counted(
    "sales",
    "assignments",
    9,
    lambda day: (
        f"""
    select day, niche_id, array[level_id::text, source] as keys, counts
    from (
        select {day("a.assigned_at")} as day, a.niche_id, a.competition_level_id as level_id, {_SOURCE} as source,
               array[{_BECAME}]::bigint[] as counts
        from (select * {_SOLD_THEN}) a join leads l on l.id = a.lead_id group by 1, 2, 3, 4) sold"""
    ),
)
"""Assignments by when they were made, and what became of them. Keys: level, source.

Counts: assignments, cents, viewed, accepted, rejected, reported, found bad, refunded, cents refunded.
"""

PROVIDERS = counted(
    "providers",
    "assignments",
    9,
    lambda day: (
        f"""
    select day, niche_id, array[provider_id::text] as keys, counts
    from (
        select {day("a.assigned_at")} as day, a.niche_id, a.provider_id, array[{_BECAME}]::bigint[] as counts
        {_SOLD_THEN} group by 1, 2, 3) sold"""
    ),
)
"""The same by provider."""

SOLD = counted(
    "sold",
    "settled",
    1,
    lambda day: (
        f"""
    select sold.day, sold.niche_id, array[{_SOURCE}, sold.recipients::text] as keys, array[count(*)] as counts
    from (select a.lead_id, a.niche_id, {day("min(a.assigned_at)")} as day, count(*) as recipients
          {_SOLD_THEN} group by a.lead_id, a.niche_id) sold
    join leads l on l.id = sold.lead_id group by sold.day, sold.niche_id, {_SOURCE}, sold.recipients"""
    ),
)
"""Leads that were sold, by when. Keys: source, to how many providers."""

REFUNDS = counted(
    "refunds",
    "settled",
    2,
    lambda day: (
        f"""
    select day, niche_id, array[level_id::text, source] as keys, counts
    from (
        select {day("a.refunded_at")} as day, a.niche_id, a.competition_level_id as level_id, {_SOURCE} as source,
               array[count(*), sum(a.price_cents)]::bigint[] as counts
        from (select * from assignments where {within("refunded_at")} and {OF_NICHE}) a
        join leads l on l.id = a.lead_id group by 1, 2, 3, 4) refunded"""
    ),
)
"""Refunds by when they were given. Keys: level, source. Counts: refunds, cents."""

WAITS = counted(
    "waits",
    "settled",
    4,
    lambda day: (
        f"""
    select day, niche_id, array[competition_level_id::text, subscription_id::text] as keys,
           array[count(*), min(turn), max(turn), coalesce(max(wait), 0)] as counts
    from (
        select day, niche_id, competition_level_id, subscription_id, turn,
               turn - 1 - lag(turn) over (partition by day, niche_id, subscription_id order by turn) as wait
        from (
            select {day("a.assigned_at")} as day, a.niche_id, a.competition_level_id, a.subscription_id,
                   row_number() over (partition by {day("a.assigned_at")}, a.niche_id, a.competition_level_id
                                      order by a.served_seq) as turn
            {_SOLD_THEN}) turned) waited
    group by day, niche_id, competition_level_id, subscription_id"""
    ),
)
"""Turns at each level, counted anew in each span. Keys: level, subscription.

Counts: received, first and last turn, longest run of the level's turns that went to others between two of its own.
"""

LEDGER = counted(
    "ledger",
    "settled",
    2,
    lambda day: (
        f"""
    select {day("created_at")} as day, {_NO_NICHE} as niche_id, array[kind] as keys,
           array[count(*), sum(amount_cents)]::bigint[] as counts
    from ledger_entries where {within("created_at")} group by 1, 2, 3"""
    ),
)
"""Entries of all ledgers, which are of no niche. Keys: kind. Counts: entries, cents."""

FACTS: Mapping[str, ReportFact] = {
    each.name: each
    for each in (
        LEADS,
        TIMES,
        SALES,
        PROVIDERS,
        SOLD,
        REFUNDS,
        DECISIONS,
        LEVELS,
        REFUSALS,
        OPEN_SLOTS,
        UNPAID,
        WAITS,
        LEDGER,
    )
}
