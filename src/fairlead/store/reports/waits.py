"""How long a subscription waited: in assignments of its level that went to others, never in hours."""

from collections.abc import Mapping
from dataclasses import dataclass

from fairlead.store.connection import Connection
from fairlead.store.reports.facts import WAITS
from fairlead.store.reports.pieces import Cover
from fairlead.store.reports.totals import pieces_in_order


@dataclass(frozen=True, slots=True)
class Turns:
    """A subscription in some days: of its level's assignments it received `received`, the last one at `last_turn`.

    `longest_wait` is the longest run of the level's assignments that went to others between two of its own.
    """

    level_id: str
    received: int
    last_turn: int
    longest_wait: int


@dataclass(frozen=True, slots=True)
class LevelTurns:
    """How many assignments each level made, by its id, and each subscription that had any of them, by its."""

    assignments: Mapping[str, int]
    subscriptions: Mapping[str, Turns]


def turns_of(conn: Connection, covered: Cover) -> LevelTurns:
    """The turns of the niche's levels in the days. Each piece counts its own from 1: one follows upon the other."""
    before: dict[str, int] = {}
    # By subscription: level, received, last turn, longest wait. A year has thousands of pieces.
    found: dict[str, tuple[str, int, int, int]] = {}
    for span in pieces_in_order(conn, covered, WAITS):
        made: dict[str, int] = {}
        for (level_id, subscription_id), (received, first, last, longest) in span:
            offset = before.get(level_id, 0)
            known = found.get(subscription_id)
            earlier = 0
            if known is not None:
                _, earlier, last_turn, longest_before = known
                longest = max(longest, longest_before, offset + first - 1 - last_turn)
            found[subscription_id] = (level_id, earlier + received, offset + last, longest)
            made[level_id] = made.get(level_id, 0) + received
        for level_id, count in made.items():
            before[level_id] = before.get(level_id, 0) + count
    return LevelTurns(before, {subscription_id: Turns(*own) for subscription_id, own in found.items()})
