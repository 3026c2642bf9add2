"""What reports add up: each fact is a query that counts the rows of some days, by day, niche and keys.

A fact is asked of the rows for days that are not over or have changed, and its answers are kept for the others
(`pieces`). Reports only ever add up what these queries give, so that it is the same whichever way a day is told.
"""

# ruff: noqa: S608 - every part of a statement is a constant of ours

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, LiteralString

from fairlead.store.reports.days import day_of, within

FactKind = Literal["leads", "assignments", "settled"]
"""Of which rows it tells what has become of them; `settled`: of what never changes after its day."""


@dataclass(frozen=True, slots=True)
class ReportFact:
    """A count by `day`, `niche_id` and `keys`; `counts` are as many as `width`.

    `by_day` is the query for days that are told apart, `as_one` for a span of days as one; with `Days.parameters` and
    `niche` and `provider`, ids or null.
    """

    name: str
    kind: FactKind
    width: int
    by_day: LiteralString
    as_one: LiteralString


def _fact(
    name: str, kind: FactKind, width: int, query: Callable[[Callable[[LiteralString], LiteralString]], LiteralString]
) -> ReportFact:
    return ReportFact(name, kind, width, query(day_of), query(lambda _column: "%(day_from)s::date"))


_OF_NICHE: LiteralString = "(%(niche)s::uuid is null or niche_id = %(niche)s::uuid)"
_NO_NICHE: LiteralString = "'00000000-0000-0000-0000-000000000000'::uuid"
_BECAME: LiteralString = """
    count(*), sum(a.price_cents), count(a.viewed_at), count(a.answered_at) filter (where a.rejection_reason is null),
    count(a.rejection_reason), count(a.bad_lead_reported_at), count(*) filter (where a.bad_lead_decision = 'accepted'),
    count(a.refunded_at), coalesce(sum(a.price_cents) filter (where a.refunded_at is not null), 0)"""
_SOLD_THEN: LiteralString = f"""
    from assignments a where a.id between %(first_id)s and %(last_id)s and {within("a.assigned_at")} and {_OF_NICHE}
      and (%(provider)s::uuid is null or a.provider_id = %(provider)s::uuid)"""
_DECIDED_THEN: LiteralString = f"""
    from (select * from niche_journal
          where kind = 'decision' and {within("recorded_at")} and {_OF_NICHE} offset 0) j
    cross join lateral jsonb_array_elements(j.payload -> 'levels') with ordinality as level (body, number)"""
"""`offset 0`: the decisions are looked up before anything else is planned. The planner takes every array for a hundred
elements, so that it expects millions of rows and reads the whole journal to have them in order.
"""
_TAKEN: LiteralString = "jsonb_array_length(level.body -> 'recipients')::bigint"
_SLOTS: LiteralString = f"""
    case when j.payload @? '$.levels[*].lead_full ? (@.cause != "exclusive_level_needs_none")'
              or (level.body ? 'is_exclusive' and j.payload ->> 'outcome' <> 'no_eligible')
         then {_TAKEN} else (level.body ->> 'max_recipients')::bigint end"""
"""How many recipients the lead could have had at the level in the end: no more than it has where it is full (R16)."""
_SOURCE: LiteralString = "coalesce(l.utm_source, '')"

LEADS = _fact(
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
    from leads l where {within("l.created_at")} and {_OF_NICHE} group by 1, 2, 3"""
    ),
)
"""Leads by when they came in. Keys: source. Counts: received, approved, sold, partial, no eligible, rejected, bad."""

TIMES = _fact(
    "times",
    "leads",
    1,
    lambda day: (
        f"""
    select day, niche_id, array[step, round(ms, least(0, 2 - length(ms::text)))::text] as keys,
           array[count(*)] as counts
    from (
        select {day("l.created_at")} as day, l.niche_id, t.step,
               greatest(0, round(extract(epoch from t.took) * 1000)) as ms
        from leads l cross join lateral (values ('assignment', l.distributed_at - l.approved_at),
                                                ('approval', l.approved_at - l.created_at)) t (step, took)
        where {within("l.created_at")} and {_OF_NICHE} and t.took is not null
    ) timed group by 1, 2, 3"""
    ),
)
"""How long leads took, by when they came in. Keys: `approval` or `assignment`, milliseconds to two digits."""

SALES = _fact(
    "sales",
    "assignments",
    9,
    lambda day: (
        f"""
    select {day("a.assigned_at")} as day, a.niche_id, array[a.competition_level_id::text, {_SOURCE}] as keys,
           array[{_BECAME}]::bigint[] as counts
    from (select * {_SOLD_THEN}) a join leads l on l.id = a.lead_id group by 1, 2, 3"""
    ),
)
"""Assignments by when they were made, and what became of them. Keys: level, source.

Counts: assignments, cents, viewed, accepted, rejected, reported, found bad, refunded, cents refunded.
"""

PROVIDERS = _fact(
    "providers",
    "assignments",
    9,
    lambda day: (
        f"""
    select {day("a.assigned_at")} as day, a.niche_id, array[a.provider_id::text] as keys,
           array[{_BECAME}]::bigint[] as counts
    {_SOLD_THEN} group by 1, 2, 3"""
    ),
)
"""The same by provider."""

SOLD = _fact(
    "sold",
    "settled",
    1,
    lambda day: (
        f"""
    select sold.day, sold.niche_id, array[{_SOURCE}, sold.recipients::text] as keys, array[count(*)] as counts
    from (select a.lead_id, a.niche_id, {day("min(a.assigned_at)")} as day, count(*) as recipients
          {_SOLD_THEN} group by a.lead_id, a.niche_id) sold
    join leads l on l.id = sold.lead_id group by 1, 2, 3"""
    ),
)
"""Leads that were sold, by when. Keys: source, to how many providers."""

REFUNDS = _fact(
    "refunds",
    "settled",
    2,
    lambda day: (
        f"""
    select {day("a.refunded_at")} as day, a.niche_id, array[a.competition_level_id::text, {_SOURCE}] as keys,
           array[count(*), sum(a.price_cents)]::bigint[] as counts
    from (select * from assignments where {within("refunded_at")} and {_OF_NICHE}) a
    join leads l on l.id = a.lead_id group by 1, 2, 3"""
    ),
)
"""Refunds by when they were given. Keys: level, source. Counts: refunds, cents."""

DECISIONS = _fact(
    "decisions",
    "settled",
    1,
    lambda day: (
        f"""
    select {day("j.recorded_at")} as day, j.niche_id, array[j.payload ->> 'outcome'] as keys, array[count(*)] as counts
    from niche_journal j where j.kind = 'decision' and {within("j.recorded_at")} and {_OF_NICHE} group by 1, 2, 3"""
    ),
)
"""Decisions by when they were made. Keys: outcome."""

LEVELS = _fact(
    "levels",
    "settled",
    4,
    lambda day: (
        f"""
    select {day("j.recorded_at")} as day, j.niche_id,
           array[level.body ->> 'level_id', jsonb_array_length(j.payload -> 'levels')::text] as keys,
           array[count(*), count(*) filter (where level.number = 1), sum({_SLOTS}), sum({_TAKEN})]::bigint[] as counts
    {_DECIDED_THEN} group by 1, 2, 3"""
    ),
)
"""Levels of decisions. Keys: level, how many levels the decision had.

Counts: decisions, those that began with it, slots offered, filled.
"""

_REFUSED_THEN: LiteralString = """
    cross join lateral (
        select one ->> 'reason' as reason, 1 as count from jsonb_array_elements(body -> 'refused') as one
        union all
        select key, value::bigint from jsonb_each_text(body -> 'counts')) refusal"""

REFUSALS = _fact(
    "refusals",
    "settled",
    2,
    lambda day: (
        f"""
    select day, niche_id, array[body ->> 'level_id', refusal.reason] as keys,
           array[sum(refusal.count), coalesce(sum(refusal.count) filter (where is_open), 0)]::bigint[] as counts
    from (select {day("j.recorded_at")} as day, j.niche_id, level.body,
                 {_TAKEN} < {_SLOTS} as is_open
          {_DECIDED_THEN}) decided
    {_REFUSED_THEN} group by 1, 2, 3"""
    ),
)
"""Refusals of decisions. Keys: level, reason. Counts: subscriptions refused, those of them where a slot stayed open."""

_CLOSEST_FIRST: tuple[LiteralString, ...] = (
    "insufficient_balance",
    "cap_reached",
    "outside_schedule",
    "conflict_group",
    "already_recipient",
    "filter_mismatch",
    "filter_invalid",
    "subscription_inactive",
    "provider_inactive",
)
"""Reasons, from the one that was closest to a sale."""
_CLOSEST: LiteralString = "array['" + "', '".join(_CLOSEST_FIRST) + "']"

OPEN_SLOTS = _fact(
    "open_slots",
    "settled",
    2,
    lambda day: (
        f"""
    select day, niche_id, array[reason] as keys,
           array[sum(greatest(0, least(open - before, count))), sum(count)]::bigint[] as counts
    from (
        select day, niche_id, reason, open, count,
               sum(count) over (partition by niche_id, seq, number
                                order by coalesce(array_position({_CLOSEST}, reason), 99), reason) - count as before
        from (
            select day, niche_id, seq, number, open, refusal.reason, sum(refusal.count)::bigint as count
            from (select {day("j.recorded_at")} as day, j.niche_id, j.seq, level.number, level.body,
                         {_SLOTS} - {_TAKEN} as open {_DECIDED_THEN}) decided
            {_REFUSED_THEN}
            where open > 0 group by 1, 2, 3, 4, 5, 6) refused
    ) ahead group by 1, 2, 3"""
    ),
)
"""Open slots, each by the subscription that was closest to taking it. Keys: reason. Counts: slots, refused."""

UNPAID = _fact(
    "unpaid",
    "settled",
    1,
    lambda day: (
        f"""
    select day, niche_id, array[one ->> 'subscription_id'] as keys, array[count(*)] as counts
    from (select {day("j.recorded_at")} as day, j.niche_id, level.body {_DECIDED_THEN}) decided
    cross join lateral jsonb_array_elements(body -> 'refused') as one
    where one ->> 'reason' = 'insufficient_balance' group by 1, 2, 3"""
    ),
)
"""Decisions that refused a subscription for want of money. Keys: subscription."""

WAITS = _fact(
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
    group by 1, 2, 3"""
    ),
)
"""Turns at each level, counted anew in each span. Keys: level, subscription.

Counts: received, first and last turn, longest run of the level's turns that went to others between two of its own.
"""

LEDGER = _fact(
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
