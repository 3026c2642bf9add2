"""Windows and opening hours, found by walking through time minute by minute. It imports nothing of Fairlead."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

Span = tuple[tuple[int, ...], int, int]
"""Days of the week (0 is Monday) on which it begins, the minute of the day at which it opens, and that of its end."""
WHOLE_DAYS: tuple[Span, ...] = (((0, 1, 2, 3, 4, 5, 6), 0, 24 * 60),)


@dataclass(frozen=True)
class Schedule:
    """When leads are taken: within these spans (None: on whole days), but for those that begin on a day off, and not
    before `paused_until`. `holidays` names the country, or its part, whose public holidays are off."""

    hours: tuple[Span, ...] | None = None
    off: tuple[tuple[date, date], ...] = ()
    holidays: str | None = None
    paused_until: datetime | None = None

    def is_off(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self.off) or (
            self.holidays is not None and is_holiday(self.holidays, day)
        )


@dataclass(frozen=True)
class Terms:
    """Limits by name, and a schedule; None: always open."""

    limits: tuple[tuple[str, int], ...] = ()
    schedule: Schedule | None = None


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


def is_open(
    hours: tuple[Span, ...] | None, moment: datetime, zone: str, is_off: Callable[[date], bool] = lambda _: False
) -> bool:
    """Whether one of the spans holds the moment that does not begin on a day off."""
    if hours is None:
        return True
    today = shown(moment, zone).date()
    for day in (today + n * DAY for n in range(-2, 2)):
        for days, opens, closes in hours:
            if day.weekday() in days and not is_off(day):
                midnight = datetime.combine(day, time.min)
                first = first_shown(midnight + opens * MINUTE, zone)
                last = first_shown(midnight + (closes if closes > opens else closes + 24 * 60) * MINUTE, zone)
                if first <= moment < last:
                    return True
    return False


def takes_leads(schedule: Schedule, moment: datetime, zone: str) -> bool:
    """Whether the schedule is open at the moment."""
    if schedule.paused_until is not None and schedule.paused_until > moment:
        return False
    return is_open(schedule.hours or WHOLE_DAYS, moment, zone, schedule.is_off)


def easter(year: int) -> date:
    """By Gauss, with the two exceptions of the Gregorian calendar."""
    golden, century = year % 19, year // 100
    moon = (15 + century - (8 * century + 13) // 25 - century // 4 + 19 * golden) % 30
    week = (4 + century - century // 4 + 2 * (year % 4) + 4 * (year % 7) + 6 * moon) % 7
    if moon == 29 and week == 6:
        return date(year, 4, 19)
    if moon == 28 and week == 6 and golden > 10:
        return date(year, 4, 18)
    return date(year, 3, 22) + (moon + week) * DAY


def is_holiday(place: str, day: date) -> bool:
    """Whether the day is a public holiday in all of Germany (DE), or in Baden-Württemberg (DE-BW)."""
    fixed, from_easter = {(1, 1), (5, 1), (10, 3), (12, 25), (12, 26)}, {-2, 1, 39, 50}
    if place == "DE-BW":
        fixed, from_easter = fixed | {(1, 6), (11, 1)}, from_easter | {60}
    return (day.month, day.day) in fixed or (day - easter(day.year)).days in from_easter
