"""What each subscription of a niche received of its level's assignments, and what kept it from more."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from fairlead.store.connection import Connection
from fairlead.store.reports.days import Days, within
from fairlead.store.reports.waits import TURNS_AND_WAITS
from fairlead.store.typed_rows import all_rows


@dataclass(frozen=True, slots=True)
class ReceivedShare:
    """A subscription in a span of days: of its level, which made `level_assignments` then, it received `received`.

    `longest_wait` is the longest run of the level's assignments that went to others between two of its own, and
    `current_wait` the run since its last one (since the first of the days without one). `refused_for_money` counts
    decisions. `filter_rules` is how many rules its filter has now.
    """

    level_id: str
    level_name: str
    subscription_id: str
    provider_id: str
    provider_name: str
    provider_status: str
    is_active: bool
    deactivation_reason: str | None
    filter_rules: int
    created_at: datetime
    level_assignments: int
    received: int
    longest_wait: int
    current_wait: int
    refused_for_money: int


def subscription_shares(conn: Connection, niche_slug: str, days: Days) -> list[ReceivedShare]:
    """The niche's living subscriptions at living levels, in order of levels, those that received the least first.

    One statement: the span's assignments and decisions of the niche.
    """
    return all_rows(conn, ReceivedShare, _SHARES, days.parameters(niche=niche_slug))


_SHARES: LiteralString = f"""
    with {TURNS_AND_WAITS}, served as (
        select subscription_id, count(*) as received, coalesce(max(wait), 0) as longest, max(turn) as last_turn
        from waits group by subscription_id
    ), levels as (
        select competition_level_id, count(*) as assignments from turns group by competition_level_id
    ), unpaid as (
        select refused.body ->> 'subscription_id' as subscription_id, count(*) as times
        from niche_journal j
        cross join lateral jsonb_array_elements(j.payload -> 'levels') as level (body)
        cross join lateral jsonb_array_elements(level.body -> 'refused') as refused (body)
        where j.niche_id = (select id from niches where slug = %(niche)s) and j.kind = 'decision'
          and refused.body ->> 'reason' = 'insufficient_balance' and {within("j.recorded_at")}
        group by 1
    )
    select l.id::text as level_id, l.name as level_name, s.id::text as subscription_id, p.id::text as provider_id,
           p.name as provider_name, p.status as provider_status, s.is_active, s.deactivation_reason,
           jsonb_array_length(s.filter_rules -> 'rules') as filter_rules, s.created_at,
           coalesce(v.assignments, 0) as level_assignments, coalesce(r.received, 0) as received,
           coalesce(r.longest, 0) as longest_wait,
           coalesce(v.assignments, 0) - coalesce(r.last_turn, 0) as current_wait,
           coalesce(u.times, 0) as refused_for_money
    from competition_levels l join subscriptions s on s.competition_level_id = l.id
    join providers p on p.id = s.provider_id
    left join levels v on v.competition_level_id = l.id
    left join served r on r.subscription_id = s.id
    left join unpaid u on u.subscription_id = s.id::text
    where l.niche_id = (select id from niches where slug = %(niche)s) and l.deleted_at is null and s.deleted_at is null
    order by l.order_position, l.id, coalesce(r.received, 0), p.name, s.id"""  # noqa: S608 - constants of our own
