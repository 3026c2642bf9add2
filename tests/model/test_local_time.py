"""Windows and opening hours as the engine reckons them, against the model's, which walks through time."""

from datetime import UTC, date, datetime, timedelta

import pytest

from fairlead.core.calendar.limits import limits_text
from fairlead.core.calendar.local_time import Period, window_at, zone_named
from fairlead.core.calendar.public_holidays import public_holidays
from fairlead.core.calendar.schedule import opens_at
from tests.model.local_time import DAY, Schedule, Span, is_holiday, is_open, takes_leads, window
from tests.model.words import schedule_document, schedule_of

EDGES = {
    "Europe/Berlin": ["2026-03-29T01:00", "2026-10-25T01:00"],
    # By half an hour.
    "Australia/Lord_Howe": ["2026-04-04T15:00", "2026-10-03T15:30"],
    # Midnight is left out, and comes twice.
    "America/Havana": ["2026-03-08T05:00", "2026-11-01T05:00"],
    # Midnight is left out, and clocks go back over it into the day before.
    "Asia/Beirut": ["2026-03-28T22:00", "2026-10-24T21:00"],
    # A leap day, the end of months of 31 and of 28 days, of a year, in a zone of half an hour and in UTC.
    "Asia/Kolkata": ["2028-02-28T18:30", "2028-02-29T18:30", "2026-12-31T18:30"],
    "UTC": ["2026-02-28T23:59", "2026-03-31T23:59"],
}
STEPS = [timedelta(minutes=minutes) for minutes in (-1501, -61, -60, -31, -30, -1, 0, 1, 29, 30, 59, 60, 61, 119, 1440)]
WEEK = tuple(range(7))
HOURS: list[tuple[Span, ...]] = [
    ((WEEK, 0, 90),),
    ((WEEK, 9 * 60, 17 * 60),),
    ((WEEK, 23 * 60 + 15, 2 * 60 + 15),),
    (((5, 6), 0, 1440),),
    (((0, 6), 30, 100), ((2,), 1 * 60, 3 * 60)),
]


@pytest.mark.parametrize(("zone", "edge"), [(zone, edge) for zone, edges in EDGES.items() for edge in edges])
def test_windows_and_hours_are_those_of_the_model_around_every_change_of_clocks(zone: str, edge: str) -> None:
    for step in STEPS:
        moment = datetime.fromisoformat(edge).replace(tzinfo=UTC) + step
        for period in (Period.HOUR, Period.DAY, Period.WEEK, Period.MONTH):
            assert window_at(moment, zone_named(zone), period) == window(period.value, moment, zone), (moment, period)
        for hours in HOURS:
            text = limits_text(schedule_of(hours)) or ""
            assert (opens_at(text, zone, moment) is None) == is_open(hours, moment, zone), (moment, hours)


@pytest.mark.parametrize("place", ["DE", "DE-BW"])
def test_public_holidays_are_those_of_the_model(place: str) -> None:
    country, _, region = place.partition("-")
    for year in range(2024, 2032):
        days = [date(year, 1, 1) + number * DAY for number in range(366)]
        own = {day for day in days if day.year == year and is_holiday(place, day)}
        assert own == public_holidays(country, region or None, year), year


PAUSED_UNTIL = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
SCHEDULES = [
    Schedule(off=((date(2026, 10, 25), date(2026, 10, 25)),)),
    Schedule(hours=((WEEK, 22 * 60, 6 * 60),), off=((date(2026, 10, 24), date(2026, 10, 24)),)),
    Schedule(hours=((WEEK, 22 * 60, 6 * 60),), holidays="DE-BW"),
    Schedule(holidays="DE"),
    Schedule(paused_until=PAUSED_UNTIL),
    Schedule(hours=((WEEK, 2 * 60, 3 * 60),), paused_until=PAUSED_UNTIL),
]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("zone", EDGES)
def test_days_off_holidays_and_pauses_are_those_of_the_model(schedule: Schedule, zone: str) -> None:
    text = limits_text(schedule_document(schedule)) or ""
    for edge in ("2026-10-25T01:00", "2026-10-03T00:00", "2026-11-01T00:00", "2026-12-31T23:00", "2026-04-03T12:00"):
        for step in STEPS:
            moment = datetime.fromisoformat(edge).replace(tzinfo=UTC) + step
            assert (opens_at(text, zone, moment) is None) == takes_leads(schedule, moment, zone), moment
    for step in (-1, 0, 1):
        moment = PAUSED_UNTIL + step * timedelta(microseconds=1)
        assert (opens_at(text, zone, moment) is None) == takes_leads(schedule, moment, zone), moment
