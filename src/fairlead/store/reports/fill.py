"""How many of the slots that levels offered were filled, and who stood in the way of the rest."""

from collections.abc import Mapping
from dataclasses import dataclass

from fairlead.store.connection import Connection
from fairlead.store.reports.decision_facts import LEVELS, REFUSALS
from fairlead.store.reports.names import reported_levels
from fairlead.store.reports.pieces import Cover
from fairlead.store.reports.totals import totals


@dataclass(frozen=True, slots=True)
class LevelFill:
    """A level in a span of days.

    `reasons` counts, over all decisions that left a slot of it open, the subscriptions that were refused, by why.
    """

    level_id: str
    level_name: str
    decisions: int
    offered_slots: int
    filled_slots: int
    reasons: Mapping[str, int]

    @property
    def fill_rate(self) -> float | None:
        """Filled of the slots that were offered; None when none was."""
        return self.filled_slots / self.offered_slots if self.offered_slots else None


def level_fill(conn: Connection, covered: Cover) -> list[LevelFill]:
    """The niche's levels that were decided on in the days, in order."""
    slots = totals(conn, covered, LEVELS, ("keys[1]",))
    reasons: dict[str, dict[str, int]] = {}
    for (level_id, reason), (_, where_open) in sorted(totals(conn, covered, REFUSALS, ("keys[1]", "keys[2]")).items()):
        if where_open:
            reasons.setdefault(level_id, {})[reason] = where_open
    levels = reported_levels(conn)
    rows = [
        LevelFill(level_id, levels[level_id].level_name, decisions, offered, filled, reasons.get(level_id, {}))
        for (level_id,), (decisions, _, offered, filled) in slots.items()
    ]
    return sorted(rows, key=lambda each: (levels[each.level_id].order_position, each.level_id))
