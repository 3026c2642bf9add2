"""Why subscriptions were refused, day by day."""

from dataclasses import dataclass
from datetime import date

from fairlead.store.connection import Connection
from fairlead.store.reports.decision_facts import REFUSALS
from fairlead.store.reports.pieces import Cover
from fairlead.store.reports.totals import MONTH, totals


@dataclass(frozen=True, slots=True)
class RefusalsOfDay:
    """How often decisions of a day refused a subscription for that reason, and how often with a slot left open."""

    day: date
    reason: str
    refused_count: int
    open_slot_count: int


def refusals_by_day(conn: Connection, covered: Cover, *, by_month: bool = False) -> list[RefusalsOfDay]:
    """Every day (or month, as its first day) and reason of which there is any, by day and reason."""
    found = totals(conn, covered, REFUSALS, (MONTH if by_month else "day", "keys[2]"))
    return [RefusalsOfDay(day, reason, *counts) for (day, reason), counts in sorted(found.items())]
