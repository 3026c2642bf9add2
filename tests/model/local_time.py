"""Windows and opening hours, found by walking through time minute by minute. It imports nothing of Fairlead."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

Span = tuple[tuple[int, ...], int, int]
"""Days of the week (0 is Monday) on which it begins, the minute of the day at which it opens, and that of its end."""


@dataclass(frozen=True)
class Terms:
    """Limits by name, and hours; None: always open."""

    limits: tuple[tuple[str, int], ...] = ()
    hours: tuple[Span, ...] | None = None


NO_TERMS = Terms()


def shown(moment: datetime, zone: str) -> datetime:
    """What the clocks of the zone show."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


@cache
def first_shown(local: datetime, zone: str) -> datetime:
    """The first minute at which the clocks show that time or have passed it."""
    moment = local.replace(tzinfo=UTC) - 27 * 60 * MINUTE
    while shown(moment, zone) < local:
        moment += MINUTE
    return moment


def window(period: str, moment: datetime, zone: str) -> tuple[datetime, datetime] | None:
    """When the window of the moment began and ends; None for all time."""
    if period == "total":
        return None
    if period == "hour":
        return _hour(moment, zone)
    reach = {"day": 3, "week": 10, "month": 40}[period]
    days = [shown(moment, zone).date() + number * DAY for number in range(-reach, reach + 1)]
    marks = [first_shown(datetime.combine(day, time.min), zone) for day in days if _begins(period, day)]
    return max(mark for mark in marks if mark <= moment), min(mark for mark in marks if mark > moment)


def _begins(period: str, day: date) -> bool:
    return period == "day" or (period == "week" and day.weekday() == 0) or (period == "month" and day.day == 1)


def _hour(moment: datetime, zone: str) -> tuple[datetime, datetime]:
    began = moment.replace(second=0, microsecond=0)
    while not _is_mark(began, zone):
        began -= MINUTE
    ends = moment.replace(second=0, microsecond=0) + MINUTE
    while not _is_mark(ends, zone):
        ends += MINUTE
    return began, ends


def _is_mark(moment: datetime, zone: str) -> bool:
    own = ZoneInfo(zone)
    was_moved = moment.astimezone(own).utcoffset() != (moment - MINUTE).astimezone(own).utcoffset()
    return was_moved or shown(moment, zone).minute == 0


def is_open(hours: tuple[Span, ...] | None, moment: datetime, zone: str) -> bool:
    """Whether one of the spans holds the moment."""
    if hours is None:
        return True
    today = shown(moment, zone).date()
    for day in (today + n * DAY for n in range(-2, 2)):
        for days, opens, closes in hours:
            if day.weekday() in days:
                midnight = datetime.combine(day, time.min)
                first = first_shown(midnight + opens * MINUTE, zone)
                last = first_shown(midnight + (closes if closes > opens else closes + 24 * 60) * MINUTE, zone)
                if first <= moment < last:
                    return True
    return False
