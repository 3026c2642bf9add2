"""What each subscription of a niche received of its level's assignments, and what kept it from more."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from fairlead.store.connection import Connection
from fairlead.store.reports.decision_facts import UNPAID
from fairlead.store.reports.pieces import Cover
from fairlead.store.reports.totals import totals
from fairlead.store.reports.waits import Turns, turns_of
from fairlead.store.typed_rows import named_rows


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


def subscription_shares(conn: Connection, covered: Cover) -> list[ReceivedShare]:
    """The niche's living subscriptions at living levels, in order of levels, those that received the least first."""
    turns = turns_of(conn, covered)
    unpaid = {subscription_id: times for (subscription_id,), (times,) in totals(conn, covered, UNPAID, _BY).items()}
    rows = named_rows(conn, _SUBSCRIPTIONS, {"niche": covered.niche_id})
    shares: list[ReceivedShare] = []
    for row in rows:
        of_level = turns.assignments.get(row["level_id"], 0)
        own = turns.subscriptions.get(row["subscription_id"], Turns(row["level_id"], 0, 0, 0))
        shares.append(
            ReceivedShare(
                **row,
                level_assignments=of_level,
                received=own.received,
                longest_wait=own.longest_wait,
                current_wait=of_level - own.last_turn,
                refused_for_money=unpaid.get(row["subscription_id"], 0),
            )
        )
    place: dict[str, int] = {}
    for each in shares:
        place.setdefault(each.level_id, len(place))
    return sorted(
        shares, key=lambda each: (place[each.level_id], each.received, each.provider_name, each.subscription_id)
    )


_BY: tuple[LiteralString, ...] = ("keys[1]",)

_SUBSCRIPTIONS: LiteralString = """
    select l.id::text as level_id, l.name as level_name, s.id::text as subscription_id, p.id::text as provider_id,
           p.name as provider_name, p.status as provider_status, s.is_active, s.deactivation_reason,
           jsonb_array_length(s.filter_rules -> 'rules') as filter_rules, s.created_at
    from competition_levels l join subscriptions s on s.competition_level_id = l.id
    join providers p on p.id = s.provider_id
    where l.niche_id = %(niche)s and l.deleted_at is null and s.deleted_at is null
    order by l.order_position, l.id"""
