"""Charts whose columns are days, or, where the days are many, their months: the columns, and what stands under them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil

from babel.dates import format_date

from fairlead.console.charts import MOST_LABELS, Column
from fairlead.console.viewer import Viewer

MOST_DAYS_TOLD_BY_DAY = 92
"""Three months; of more days each column is a month, the first and the last one as far as they belong to the days."""


@dataclass(frozen=True, slots=True)
class DayColumns:
    """The columns of a chart, and whether each is a month."""

    columns: tuple[Column, ...]
    are_months: bool


def day_columns(values: Mapping[date, Sequence[int]], viewer: Viewer) -> DayColumns:
    """A column for each of the days, which follow one another; of more than three months, one for each month's sums.

    Names have the year where the days are of more than one, and January is marked with its year.
    """
    if len(values) > MOST_DAYS_TOLD_BY_DAY:
        return DayColumns(tuple(_months(values, viewer)), are_months=True)
    pattern = "d MMM" if len({day.year for day in values}) <= 1 else "d MMM y"
    every = ceil(len(values) / MOST_LABELS) or 1
    columns = [
        Column(
            format_date(day, pattern, locale=viewer.locale),
            tuple(own),
            "" if number % every else format_date(day, "d MMM", locale=viewer.locale),
        )
        for number, (day, own) in enumerate(values.items())
    ]
    return DayColumns(tuple(columns), are_months=False)


def _months(values: Mapping[date, Sequence[int]], viewer: Viewer) -> list[Column]:
    sums: dict[date, list[int]] = {}
    for day, own in values.items():
        before = sums.get(day.replace(day=1), [0] * len(own))
        sums[day.replace(day=1)] = [one + other for one, other in zip(before, own, strict=True)]
    every = ceil(len(sums) / MOST_LABELS)
    return [
        Column(format_date(first, "MMM y", locale=viewer.locale), tuple(own), _mark(first, every, viewer))
        for first, own in sums.items()
    ]


def _mark(first: date, every: int, viewer: Viewer) -> str:
    """January is always marked, and every so many months from there."""
    if (first.month - 1) % every:
        return ""
    return format_date(first, "y" if first.month == 1 else "MMM", locale=viewer.locale)
