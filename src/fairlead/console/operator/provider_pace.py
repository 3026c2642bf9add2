"""How fast a provider spends, and for how long its money lasts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from fairlead.store.reports.days import Days
from fairlead.store.reports.one_provider import SpendOfDay

BAR_WIDTH, CHART_HEIGHT = 10, 48
"""In the units of the picture: it is as wide as its days."""


@dataclass(frozen=True, slots=True)
class DayBar:
    """A day and its bar, from the bottom up."""

    day: date
    received_count: int
    spent_cents: int
    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class PaceOfProvider:
    """Spend per day over the span, and for how many days what is available lasts at the present pace; None: nothing is
    spent."""

    day_count: int
    spent_cents: int
    cents_per_day: int
    days_left: int | None
    bars: tuple[DayBar, ...]

    @property
    def width(self) -> int:
        """Of the picture."""
        return self.day_count * BAR_WIDTH


def pace_of(days_left: int | None, days: Days, by_day: Sequence[SpendOfDay]) -> PaceOfProvider:
    """The pace of these days; those that are not named had no lead."""
    day_count = (days.day_before - days.day_from).days
    spent = sum(each.spent_cents for each in by_day)
    return PaceOfProvider(day_count, spent, spent // day_count, days_left, _bars(days.day_from, day_count, by_day))


def _bars(first: date, day_count: int, by_day: Sequence[SpendOfDay]) -> tuple[DayBar, ...]:
    known = {each.day: each for each in by_day}
    most = max((each.spent_cents for each in by_day), default=0) or 1
    bars: list[DayBar] = []
    for number in range(day_count):
        day = first + timedelta(days=number)
        of_day = known.get(day) or SpendOfDay(day, 0, 0)
        height = round(CHART_HEIGHT * of_day.spent_cents / most, 1)
        x, y = number * BAR_WIDTH, round(CHART_HEIGHT - height, 1)
        bars.append(DayBar(day, of_day.received_count, of_day.spent_cents, x, y, height))
    return tuple(bars)
