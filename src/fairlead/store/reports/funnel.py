"""The way of the leads: how many came in on a day, and what has become of them until now."""

from dataclasses import dataclass
from datetime import date

from fairlead.store.connection import Connection
from fairlead.store.reports.facts import LEADS
from fairlead.store.reports.names import niche_slugs
from fairlead.store.reports.pieces import Cover
from fairlead.store.reports.totals import MONTH, totals


@dataclass(frozen=True, slots=True)
class FunnelDay:
    """A niche's leads that came in on a day, and how many of these were ever approved, distributed and so on.

    Partial: sold, while a slot stayed open that an eligible provider could not take. No eligible: approved and not sold
    at the last try. Bad ones may have been sold before, and then count there too.
    """

    day: date
    niche: str
    received_count: int
    approved_count: int
    distributed_count: int
    partial_count: int
    no_eligible_count: int
    rejected_count: int
    bad_count: int


def lead_funnel(conn: Connection, covered: Cover, *, by_month: bool = False) -> list[FunnelDay]:
    """Every niche and day (or month, as its first day) in which leads came in, by day and niche."""
    found = totals(conn, covered, LEADS, (MONTH if by_month else "day", "niche_id"))
    slugs = niche_slugs(conn)
    rows = [FunnelDay(day, slugs[niche_id], *counts) for (day, niche_id), counts in found.items()]
    return sorted(rows, key=lambda each: (each.day, each.niche))
