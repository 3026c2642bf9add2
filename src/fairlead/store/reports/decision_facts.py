"""Facts of decisions, which are read from the entries of journals: what a decision says never changes."""

# ruff: noqa: S608 - every part of a statement is a constant of ours

from typing import LiteralString

from fairlead.store.reports.days import within
from fairlead.store.reports.fact import OF_NICHE, counted

_DECIDED: LiteralString = f"""
    from (
        select recorded_at, niche_id, seq, levels, jsonb_array_length(levels) as level_count,
               payload ->> 'outcome' <> 'no_eligible' as is_sold,
               levels @? '$[*].lead_full ? (@.cause != "exclusive_level_needs_none")' as is_full
        from (select recorded_at, niche_id, seq, payload, payload -> 'levels' as levels
              from (select recorded_at, niche_id, seq, payload #> '{{}}' as payload from niche_journal
                    where kind = 'decision' and {within("recorded_at")} and {OF_NICHE} offset 0) plain
              offset 0) told
        offset 0) j
    cross join lateral (
        select body, number, body ->> 'level_id' as level_id, jsonb_array_length(body -> 'recipients')::bigint as taken
        from jsonb_array_elements(j.levels) with ordinality as each (body, number) offset 0) level"""
"""Each level of each decision.

`offset 0`: what stands within it is found once, before what is around it. The planner takes every array for a hundred
elements, so that it expects millions of rows and reads the whole journal to have them in order; and `#> '{}'` is the
whole entry, but unpacked: each look at it would unpack it again, which takes longer than all the rest.
"""
_SLOTS: LiteralString = """
    case when j.is_full or (level.body ? 'is_exclusive' and j.is_sold)
         then level.taken else (level.body ->> 'max_recipients')::bigint end"""
"""How many recipients the lead could have had at the level in the end: no more than it has where it is full (R16)."""

DECISIONS = counted(
    "decisions",
    "settled",
    1,
    lambda day: (
        f"""
    select {day("j.recorded_at")} as day, j.niche_id, array[j.payload ->> 'outcome'] as keys, array[count(*)] as counts
    from niche_journal j where j.kind = 'decision' and {within("j.recorded_at")} and {OF_NICHE} group by 1, 2, 3"""
    ),
)
"""Decisions by when they were made. Keys: outcome."""

LEVELS = counted(
    "levels",
    "settled",
    4,
    lambda day: (
        f"""
    select day, niche_id, array[level_id, level_count::text] as keys,
           array[count(*), count(*) filter (where number = 1), sum(slots), sum(taken)]::bigint[] as counts
    from (select {day("j.recorded_at")} as day, j.niche_id, j.level_count, level.level_id, level.number, level.taken,
                 {_SLOTS} as slots {_DECIDED} offset 0) decided
    group by day, niche_id, level_id, level_count"""
    ),
)
"""Levels of decisions. Keys: level, how many levels the decision had.

Counts: decisions, those that began with it, slots offered, filled.
"""

_REFUSED: LiteralString = """
    cross join lateral (
        select one ->> 'reason' as reason, 1 as count from jsonb_array_elements(refused) as one
        union all
        select key, value::bigint from jsonb_each_text(counts)) refusal"""

REFUSALS = counted(
    "refusals",
    "settled",
    2,
    lambda day: (
        f"""
    select day, niche_id, array[level_id, refusal.reason] as keys,
           array[sum(refusal.count), coalesce(sum(refusal.count) filter (where is_open), 0)]::bigint[] as counts
    from (select {day("j.recorded_at")} as day, j.niche_id, level.level_id, level.body -> 'refused' as refused,
                 level.body -> 'counts' as counts, level.taken < {_SLOTS} as is_open
          {_DECIDED} offset 0) decided
    {_REFUSED} group by day, niche_id, level_id, refusal.reason"""
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

OPEN_SLOTS = counted(
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
            from (select {day("j.recorded_at")} as day, j.niche_id, j.seq, level.number,
                         level.body -> 'refused' as refused, level.body -> 'counts' as counts,
                         {_SLOTS} - level.taken as open {_DECIDED} offset 0) decided
            {_REFUSED}
            where open > 0 group by 1, 2, 3, 4, 5, 6) refused
    ) ahead group by day, niche_id, reason"""
    ),
)
"""Open slots, each by the subscription that was closest to taking it. Keys: reason. Counts: slots, refused."""

UNPAID = counted(
    "unpaid",
    "settled",
    1,
    lambda day: (
        f"""
    select day, niche_id, array[subscription_id] as keys, array[count(*)] as counts
    from (select day, niche_id, one ->> 'subscription_id' as subscription_id
          from (select {day("j.recorded_at")} as day, j.niche_id, level.body -> 'refused' as refused
                {_DECIDED} offset 0) decided
          cross join lateral jsonb_array_elements(refused) as one
          where one ->> 'reason' = 'insufficient_balance') unpaid
    group by day, niche_id, subscription_id"""
    ),
)
"""Decisions that refused a subscription for want of money. Keys: subscription."""
