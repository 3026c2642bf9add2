"""Days are those that the calendars of a zone show: in every zone, at every move of its clocks, to the second."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.store.connection import Database
from fairlead.store.reports.days import checked_days, day_of, within
from fairlead.store.time_zones import date_changes, time_zone_names

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
LIVELY_YEARS = (2006, 2011, 2018, 2026)
"""With moves at midnight, just after it, by half an hour, and over the date line."""


@cache
def moves_of_clocks(name: str) -> list[date]:
    """The days of these years on which the zone's clocks were moved, found by looking at noon of each."""
    zone = ZoneInfo(name)
    found: list[date] = []
    for year in LIVELY_YEARS:
        noon = datetime(year, 1, 1, 12, tzinfo=UTC)
        offsets = [(noon + number * DAY).astimezone(zone).utcoffset() for number in range(366)]
        found += [(noon + number * DAY).date() for number in range(1, 366) if offsets[number] != offsets[number - 1]]
    return found


def samples(day: date) -> Iterator[datetime]:
    """Every quarter of an hour around the day, as zones have it, and each second around it where clocks are moved."""
    begin = datetime.combine(day, time.min, UTC) - timedelta(hours=40)
    for quarter in range(4 * 90):
        moment = begin + quarter * timedelta(minutes=15)
        # Clocks were moved at one minute past, too.
        yield from (moment, moment - timedelta(seconds=1), moment + MINUTE, moment + MINUTE - timedelta(seconds=1))


def test_every_zone_that_there_is_shows_the_day_that_its_calendars_show() -> None:
    seen: set[tuple[date | timedelta | None, ...]] = set()
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        for day in moves_of_clocks(name):
            noon = datetime.combine(day, time(12), UTC)
            rule = (day, (noon - DAY).astimezone(zone).utcoffset(), noon.astimezone(zone).utcoffset())
            if rule in seen:
                continue  # a zone that moves its clocks alike
            seen.add(rule)
            changes = date_changes(day - 3 * DAY, day + 3 * DAY, zone)
            begins = [moment for moment, _ in changes]
            for moment in samples(day):
                shown = changes[bisect_right(begins, moment) - 1][1]
                assert shown == moment.astimezone(zone).date(), (name, moment)
    assert len(seen) > 100


@given(st.sampled_from(sorted(time_zone_names())), st.dates(date(2000, 1, 1), date(2999, 12, 1)), st.data())
def test_any_moment_of_any_zone_is_on_the_day_that_its_calendars_show(
    name: str, day: date, data: st.DataObject
) -> None:
    zone = ZoneInfo(name)
    changes = date_changes(day - 2 * DAY, day + 2 * DAY, zone)
    moment = datetime.combine(day, time.min, UTC) + timedelta(seconds=data.draw(st.integers(-86_400, 86_400)))
    shown = changes[bisect_right([begin for begin, _ in changes], moment) - 1][1]
    assert shown == moment.astimezone(zone).date()


# Azores and Havana: midnight comes twice. Cairo, Sao Paulo, Beirut: it does not come. Apia: a day is left out.
# St John's: one minute of the new day, then an hour of the old one again. Lord Howe: half an hour. Nuuk: to 23:00.
ODD_DAYS = [
    ("Atlantic/Azores", date(2026, 10, 25)),
    ("America/Havana", date(2026, 11, 1)),
    ("Africa/Cairo", date(2026, 4, 24)),
    ("Africa/Cairo", date(2026, 10, 30)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("America/Sao_Paulo", date(2018, 2, 18)),
    ("Asia/Beirut", date(2026, 3, 29)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Pacific/Apia", date(2011, 12, 31)),
    ("America/St_Johns", date(2006, 10, 29)),
    ("America/St_Johns", date(2006, 10, 28)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("America/Nuuk", date(2026, 10, 25)),
]


@pytest.mark.parametrize(("name", "day"), ODD_DAYS)
def test_what_is_counted_on_a_day_is_what_happened_on_it(database: Database, name: str, day: date) -> None:
    zone = ZoneInfo(name)
    moments = list(samples(day))
    for first, last in ((day, day), (day - DAY, day - DAY), (day + DAY, day + DAY), (day - DAY, day + DAY)):
        found = database.read(
            lambda conn, first=first, last=last: conn.execute(
                f"select moment, {day_of('moment')} from unnest(%(moments)s::timestamptz[]) moment "
                f"where {within('moment')}",
                checked_days(first, last + DAY, name).parameters(moments=moments),
            ).fetchall()
        )
        dates = [(moment, moment.astimezone(zone).date()) for moment in moments]
        assert sorted(found) == sorted((moment, shown) for moment, shown in dates if first <= shown <= last)


def test_what_stands_beside_the_zones_is_none() -> None:
    assert {"UTC", "Europe/Madrid", "Atlantic/Azores"} <= time_zone_names()
    assert not {"localtime", "posixrules", "Factory", "Europe/Atlantis", "", "."} & time_zone_names()
