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
    found: dict[str, Turns] = {}
    for span in pieces_in_order(conn, covered, WAITS):
        made: dict[str, int] = {}
        for (level_id, subscription_id), (received, first, last, longest) in span:
            offset = before.get(level_id, 0)
            known = found.get(subscription_id)
            waits = [longest] if known is None else [longest, known.longest_wait, offset + first - 1 - known.last_turn]
            earlier = 0 if known is None else known.received
            found[subscription_id] = Turns(level_id, earlier + received, offset + last, max(waits))
            made[level_id] = made.get(level_id, 0) + received
        for level_id, count in made.items():
            before[level_id] = before.get(level_id, 0) + count
    return LevelTurns(before, found)
