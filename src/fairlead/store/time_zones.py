"""Time zones, and the moments at which their calendars turn a page.

All of it is computed here, from the zones that Python knows: the server may know others, or other rules of the same.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

# Files that stand beside the zones: the machine's own zone, and what stands in where none was chosen.
_NO_ZONES = frozenset({"localtime", "posixrules", "Factory"})
_SECOND = timedelta(seconds=1)


@cache
def time_zone_names() -> frozenset[str]:
    """The names of the IANA time zones that there are, the same in every process of a machine."""
    return frozenset(available_timezones() | {"UTC"}) - _NO_ZONES


def local_date(moment: datetime, zone: ZoneInfo) -> date:
    """The date that the calendars of the zone show at that moment."""
    return moment.astimezone(zone).date()


def date_changes(first_day: date, last_day: date, zone: ZoneInfo) -> list[tuple[datetime, date]]:
    """Every moment (UTC) at which the calendars of the zone turn to one of these days or leave it, and to which date.

    In order. Mostly there is one for each day, and one more for the day after. A date that the zone left out has none;
    where clocks were put back over midnight, a date comes twice, and both are there.
    """
    days = (last_day - first_day).days + 1
    midnights = (datetime.combine(first_day + timedelta(days=number), time.min) for number in range(days + 1))
    moments = {moment for midnight in midnights for moment in _moments_around(midnight, zone)}
    changes = [(moment, local_date(moment, zone)) for moment in sorted(moments)]
    return [(moment, shown) for moment, shown in changes if local_date(moment - _SECOND, zone) != shown]


def _moments_around(midnight: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """When the date can change about that midnight of the zone's clocks, which comes once, twice, or not at all."""
    early, late = sorted(midnight.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    yield early
    if early == late:
        return
    yield late
    # It comes twice, or not at all, because the clocks were moved in between: the first second at which they had been.
    before, after = early, late
    offset = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + timedelta(seconds=(after - before) // _SECOND // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    yield after
