"""What is written under charts whose columns are days: a few days, or, where they are many, their months and years."""

from collections.abc import Sequence
from datetime import date
from math import ceil

from babel.dates import format_date

from fairlead.console.charts import MOST_LABELS
from fairlead.console.viewer import Viewer

MOST_DAYS_TOLD_BY_DAY = 62


def day_labels(days: Sequence[date], viewer: Viewer) -> list[tuple[str, str]]:
    """For each of the days, which follow one another: its name, and what is written under its column, "" for nothing.

    Names have the year where the days are of more than one. Of many days the first of a month is marked with the month,
    and January with its year.
    """
    pattern = "d MMM" if len({day.year for day in days}) <= 1 else "d MMM y"
    names = [format_date(day, pattern, locale=viewer.locale) for day in days]
    if len(days) <= MOST_DAYS_TOLD_BY_DAY:
        every = ceil(len(days) / MOST_LABELS) or 1
        marks = [
            format_date(day, "d MMM", locale=viewer.locale) if number % every == 0 else ""
            for number, day in enumerate(days)
        ]
    else:
        months = [(day.year, day.month) for day in days if day.day == 1]
        every = ceil(len(months) / MOST_LABELS) or 1
        marks = [_mark(day, every, viewer) for day in days]
    return list(zip(names, marks, strict=True))


def _mark(day: date, every: int, viewer: Viewer) -> str:
    """January is always marked, and every so many months from there."""
    if day.day != 1 or (day.month - 1) % every:
        return ""
    return format_date(day, "y" if day.month == 1 else "MMM", locale=viewer.locale)
