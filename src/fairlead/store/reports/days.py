"""The span of days that a report is about: calendar days in a given time zone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import LiteralString
from zoneinfo import ZoneInfo

from fairlead.core.errors import BadInput
from fairlead.store.ids import ids_from
from fairlead.store.time_zones import date_changes, time_zone_names

MOST_DAYS = 366
_ASIDE = timedelta(minutes=1)


def within(column: LiteralString) -> LiteralString:
    """In SQL: the column's time is within the days. With the values of `Days.parameters`.

    The days are one stretch of time, except that clocks which were put back over midnight leave, at either end of it,
    some minutes that belong to the day before or after.
    """
    return (
        f"({column} >= %(since)s and {column} < %(before)s"
        f" and not ({column} >= %(first_gap)s and {column} < %(first_gap_end)s)"
        f" and not ({column} >= %(last_gap)s and {column} < %(last_gap_end)s))"
    )


def day_of(column: LiteralString) -> LiteralString:
    """In SQL: on which day the column's time is, which is within the days. With the values of `Days.parameters`."""
    return f"(%(dates)s::date[])[width_bucket({column}, %(turns)s::timestamptz[])]"


@dataclass(frozen=True, slots=True)
class Days:
    """The days from `day_from` on, and before `day_before`. Made by `checked_days`."""

    day_from: date
    day_before: date
    timezone: str

    def parameters(self, **more: object) -> dict[str, object]:
        """The values for `within` and `day_of`, for the ids of the span, and what else is given."""
        return {**_values(self), **more}


@lru_cache(maxsize=128)
def _values(days: Days) -> Mapping[str, object]:
    """Once for all queries of a report: the calendars of a year are gone through for them."""
    last_day = days.day_before - timedelta(days=1)
    changes = date_changes(days.day_from, last_day, ZoneInfo(days.timezone))
    stretches = [(begin, end, day) for (begin, day), (end, _) in pairwise(changes)]
    own = [each for each in stretches if days.day_from <= each[2] < days.day_before]
    end_of_all = changes[-1][0]
    since, before = (own[0][0], own[-1][1]) if own else (end_of_all, end_of_all)
    gaps = [each for each in stretches if each not in own and since <= each[0] < before]
    # A zone puts its clocks back over at most one midnight in half a year, so each end has one at most.
    first_gap, last_gap = ([*gaps, (before, before, last_day), (before, before, last_day)])[:2]
    return {
        "since": since,
        "before": before,
        "first_gap": first_gap[0],
        "first_gap_end": first_gap[1],
        "last_gap": last_gap[0],
        "last_gap_end": last_gap[1],
        "turns": [begin for begin, _, _ in stretches],
        "dates": [day for _, _, day in stretches],
        # An id is of the same time as its row, to the millisecond.
        "first_id": ids_from(since, -_ASIDE),
        "last_id": ids_from(before, _ASIDE),
    }


def checked_days(day_from: date, day_before: date, timezone: str, most_days: int | None = MOST_DAYS) -> Days:
    """The span of days, at most so many (None: any number), in an IANA time zone. Raises `BadInput`."""
    problems: list[str] = []
    if timezone not in time_zone_names():
        problems.append("timezone: must be a time zone such as Europe/Madrid")
    if not date(2000, 1, 1) <= day_from < day_before <= date(3000, 1, 1):
        problems.append("day_before: must be a day after day_from, in this millennium")
    elif most_days is not None and (day_before - day_from).days > most_days:
        problems.append(f"day_before: a report covers at most {most_days} days")
    if problems:
        raise BadInput(problems)
    return Days(day_from, day_before, timezone)
