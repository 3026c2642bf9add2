"""Revenue: what was sold and what was given back, by day, niche and level."""

from dataclasses import dataclass
from datetime import date

from fairlead.store.connection import Connection
from fairlead.store.reports.facts import REFUNDS, SALES
from fairlead.store.reports.names import reported_levels
from fairlead.store.reports.pieces import Cover
from fairlead.store.reports.totals import MONTH, totals


@dataclass(frozen=True, slots=True)
class RevenueDay:
    """A level on a day (cents). A refund counts on the day on which it was given, not on that of its sale."""

    day: date
    niche: str
    level_id: str
    level_name: str
    sold_count: int
    gross_cents: int
    refunded_count: int
    refunded_cents: int

    @property
    def net_cents(self) -> int:
        """What was sold that day less what was given back that day."""
        return self.gross_cents - self.refunded_cents


def revenue(conn: Connection, covered: Cover, *, by_month: bool = False) -> list[RevenueDay]:
    """Every level and day (or month, as its first day) with a sale or a refund, by day, niche and level's position."""
    by = (MONTH if by_month else "day", "keys[1]")
    sold, refunded = totals(conn, covered, SALES, by), totals(conn, covered, REFUNDS, by)
    levels = reported_levels(conn)
    rows = [
        RevenueDay(
            day,
            levels[level_id].niche,
            level_id,
            levels[level_id].level_name,
            *sold.get((day, level_id), (0, 0))[:2],
            *refunded.get((day, level_id), (0, 0)),
        )
        for day, level_id in {*sold, *refunded}
    ]
    return sorted(rows, key=lambda each: (each.day, each.niche, levels[each.level_id].order_position, each.level_id))
