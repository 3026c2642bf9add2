"""Local time: at which instant the clocks of a zone first show a time, and the spans that calendars are divided into.

One rule settles every change of clocks: a local time stands for the first instant at which the clocks of the zone show
it, or have passed it. A time that comes twice is its first coming, one that is left out is the moment of the change. So
the boundaries of days, weeks and months are in order, and each instant lies between two of them.

The zones are those of the package `tzdata`, never those of the machine: every process of one release knows the same.
"""

import itertools
import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

import tzdata

zoneinfo.reset_tzpath(to=())

ZONES_VERSION: str = tzdata.IANA_VERSION
"""Which edition of the zones is in use, such as `2026f`."""

FIRST_INSTANT = datetime(1, 1, 1, tzinfo=UTC)
LAST_INSTANT = datetime(9999, 12, 31, tzinfo=UTC)
"""All of time lies between them, as far as anything here asks."""

_SECOND = timedelta(seconds=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


class Period(StrEnum):
    """How long a window of time is, by the clocks and calendars of a zone. `TOTAL` is all of time."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    TOTAL = "total"


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo:
    """The zone. Raises ValueError for a name that there is not.

    >>> zone_named("Mars/Olympus")
    Traceback (most recent call last):
        ...
    ValueError: there is no time zone 'Mars/Olympus'
    """
    try:
        return ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {name!r}") from error


def first_instant(local: datetime, zone: ZoneInfo) -> datetime:
    """The first instant (UTC) at which the clocks of the zone show this naive time, or have passed it.

    A midnight that is left out (Beirut, 29 March 2026: clocks go from 0:00 to 1:00), and one that comes twice (Havana,
    3 November 2024: from 1:00 back to 0:00):

    >>> first_instant(datetime(2026, 3, 29), zone_named("Asia/Beirut")).isoformat()
    '2026-03-28T22:00:00+00:00'
    >>> first_instant(datetime(2024, 11, 3), zone_named("America/Havana")).isoformat()
    '2024-11-03T04:00:00+00:00'
    """
    early, late = sorted(local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early == late or early.astimezone(zone).replace(tzinfo=None) == local:
        return early
    # It is left out: the clocks were put forward between the two.
    return _change_between(early, late, zone)


def window_at(moment: datetime, zone: ZoneInfo, period: Period) -> tuple[datetime | None, datetime | None]:
    """The window of the period that the moment lies in: when it began, and when the next one does (UTC).

    None stands for no beginning and no end. Weeks begin on Monday. An hour that comes twice is two windows, parted by
    the change of clocks; at Lord Howe, where clocks are put back by half an hour, the second one is half as long:

    >>> def hours(name, *moment):
    ...     began, ends = window_at(datetime(*moment, tzinfo=UTC), zone_named(name), Period.HOUR)
    ...     return f"{began:%H:%M} to {ends:%H:%M}"
    >>> hours("Asia/Kolkata", 2026, 1, 1, 0, 15), hours("Asia/Kolkata", 2026, 1, 1, 0, 30)
    ('23:30 to 00:30', '00:30 to 01:30')
    >>> hours("Europe/Berlin", 2026, 10, 25, 0, 59), hours("Europe/Berlin", 2026, 10, 25, 1, 0)
    ('00:00 to 01:00', '01:00 to 02:00')
    >>> hours("Australia/Lord_Howe", 2026, 4, 4, 14, 59), hours("Australia/Lord_Howe", 2026, 4, 4, 15, 0)
    ('14:00 to 15:00', '15:00 to 15:30')
    >>> window_at(datetime(2026, 1, 1, tzinfo=UTC), zone_named("UTC"), Period.TOTAL)
    (None, None)
    """
    if period is Period.TOTAL:
        return None, None
    if period is Period.HOUR:
        return _hour_at(moment, zone)
    # The clocks show a date that lies in an earlier window than the moment does where they were put back over its
    # boundary: then the window is the next one.
    first_day = _first_day(moment.astimezone(zone).date(), period)
    began, ends = _midnight(first_day, zone), _midnight(_next_first_day(first_day, period), zone)
    while moment >= ends:
        first_day = _next_first_day(first_day, period)
        began, ends = ends, _midnight(_next_first_day(first_day, period), zone)
    return began, ends


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return first_instant(datetime.combine(day, time.min), zone)


def _first_day(day: date, period: Period) -> date:
    if period is Period.DAY:
        return day
    return day - day.weekday() * _DAY if period is Period.WEEK else day.replace(day=1)


def _next_first_day(first_day: date, period: Period) -> date:
    if period is Period.MONTH:
        return (first_day + 31 * _DAY).replace(day=1)
    return first_day + (_DAY if period is Period.DAY else 7 * _DAY)


def _hour_at(moment: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    shown = moment.astimezone(zone).replace(tzinfo=None, minute=0, second=0, microsecond=0)
    marks = [first_instant(shown + number * _HOUR, zone) for number in range(-2, 4)]
    marks += [
        _change_between(before, after, zone)
        for before, after in itertools.pairwise(marks)
        if before.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset()
    ]
    return max(mark for mark in marks if mark <= moment), min(mark for mark in marks if mark > moment)


def _change_between(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The instant at which the clocks were moved, between two that have different offsets."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after
