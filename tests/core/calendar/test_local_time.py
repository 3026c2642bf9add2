"""Where windows of local time begin and end: both changes of clocks, half hours, ends of months, leap days."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.calendar.local_time import Period, first_instant, window_at, zone_named

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",  # midnight comes twice
    "Asia/Beirut",  # midnight is left out
    "America/Sao_Paulo",  # midnight was left out, and clocks went back over it
    "Australia/Lord_Howe",  # clocks move by half an hour
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Pacific/Apia",  # a date was left out
    "Africa/Casablanca",
]
MOMENTS = st.integers(0, 41 * 365 * 86_400_000).map(
    lambda each: datetime(1995, 1, 1, tzinfo=UTC) + timedelta(milliseconds=each)
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "moment", "period", "opened", "closes"),
    [
        # Spring forward: the day has 23 hours, and the hour that is left out is no window.
        ("Europe/Berlin", "2026-03-29T12:00", Period.DAY, "2026-03-28T23:00", "2026-03-29T22:00"),
        ("Europe/Berlin", "2026-03-29T00:30", Period.HOUR, "2026-03-29T00:00", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-03-29T01:00", Period.HOUR, "2026-03-29T01:00", "2026-03-29T02:00"),
        # Fall back: the day has 25 hours; the hour that comes twice is two windows.
        ("Europe/Berlin", "2026-10-25T12:00", Period.DAY, "2026-10-24T22:00", "2026-10-25T23:00"),
        ("America/New_York", "2026-11-01T05:59", Period.HOUR, "2026-11-01T05:00", "2026-11-01T06:00"),
        ("America/New_York", "2026-11-01T06:00", Period.HOUR, "2026-11-01T06:00", "2026-11-01T07:00"),
        # Lord Howe moves by half an hour: 1:30 comes twice in April, 2:00 to 2:30 is left out in October.
        ("Australia/Lord_Howe", "2026-04-04T12:59", Period.DAY, "2026-04-03T13:00", "2026-04-04T13:00"),
        ("Australia/Lord_Howe", "2026-04-05T00:00", Period.DAY, "2026-04-04T13:00", "2026-04-05T13:30"),
        ("Australia/Lord_Howe", "2026-04-04T14:45", Period.HOUR, "2026-04-04T14:00", "2026-04-04T15:00"),
        ("Australia/Lord_Howe", "2026-04-04T15:15", Period.HOUR, "2026-04-04T15:00", "2026-04-04T15:30"),
        ("Australia/Lord_Howe", "2026-04-04T15:30", Period.HOUR, "2026-04-04T15:30", "2026-04-04T16:30"),
        ("Australia/Lord_Howe", "2026-10-03T15:29", Period.HOUR, "2026-10-03T14:30", "2026-10-03T15:30"),
        ("Australia/Lord_Howe", "2026-10-03T15:30", Period.HOUR, "2026-10-03T15:30", "2026-10-03T16:00"),
        # Havana's midnight comes twice, Beirut's is left out.
        ("America/Havana", "2024-11-03T04:30", Period.DAY, "2024-11-03T04:00", "2024-11-04T05:00"),
        ("America/Havana", "2024-11-03T05:30", Period.DAY, "2024-11-03T04:00", "2024-11-04T05:00"),
        ("Asia/Beirut", "2026-03-28T21:59", Period.DAY, "2026-03-27T22:00", "2026-03-28T22:00"),
        ("Asia/Beirut", "2026-03-28T22:00", Period.DAY, "2026-03-28T22:00", "2026-03-29T21:00"),
        # Clocks went back over midnight: the date came twice, its window is one.
        ("America/Sao_Paulo", "2019-02-17T02:30", Period.DAY, "2019-02-16T02:00", "2019-02-17T03:00"),
        # Leap day, the 31st, ends of years; weeks begin on Monday.
        ("Asia/Kolkata", "2028-02-29T12:00", Period.DAY, "2028-02-28T18:30", "2028-02-29T18:30"),
        ("Asia/Kolkata", "2028-02-29T12:00", Period.MONTH, "2028-01-31T18:30", "2028-02-29T18:30"),
        ("UTC", "2027-02-28T23:59", Period.MONTH, "2027-02-01T00:00", "2027-03-01T00:00"),
        ("UTC", "2026-01-31T23:59", Period.MONTH, "2026-01-01T00:00", "2026-02-01T00:00"),
        ("UTC", "2026-12-31T23:59", Period.MONTH, "2026-12-01T00:00", "2027-01-01T00:00"),
        ("UTC", "2027-01-03T23:59", Period.WEEK, "2026-12-28T00:00", "2027-01-04T00:00"),
        ("UTC", "2027-01-04T00:00", Period.WEEK, "2027-01-04T00:00", "2027-01-11T00:00"),
        ("Europe/Berlin", "2026-10-25T12:00", Period.WEEK, "2026-10-18T22:00", "2026-10-25T23:00"),
        # Samoa had no 30 December 2011.
        ("Pacific/Apia", "2011-12-30T09:59", Period.DAY, "2011-12-29T10:00", "2011-12-30T10:00"),
        ("Pacific/Apia", "2011-12-30T10:00", Period.DAY, "2011-12-30T10:00", "2011-12-31T10:00"),
    ],
)
def test_windows(zone: str, moment: str, period: Period, opened: str, closes: str) -> None:
    assert window_at(at(moment), zone_named(zone), period) == (at(opened), at(closes))


@given(MOMENTS, st.sampled_from(ZONES), st.sampled_from([period for period in Period if period is not Period.TOTAL]))
def test_windows_hold_their_moment_and_follow_one_another(moment: datetime, zone: str, period: Period) -> None:
    own = zone_named(zone)
    opened, closes = window_at(moment, own, period)
    assert opened is not None
    assert closes is not None
    assert opened <= moment < closes
    instant = timedelta(microseconds=1)
    assert window_at(opened, own, period) == window_at(closes - instant, own, period) == (opened, closes)
    assert window_at(closes, own, period)[0] == closes, "the next begins where this one ends"
    assert window_at(opened - instant, own, period)[1] == opened


@given(MOMENTS, st.sampled_from(ZONES))
def test_the_shown_date_is_that_of_the_window(moment: datetime, zone: str) -> None:
    """Read from the clocks alone: no instant of a day's window shows a later date, and it begins with that date."""
    own = zone_named(zone)
    opened, closes = window_at(moment, own, Period.DAY)
    assert opened is not None
    assert closes is not None
    day = opened.astimezone(own).date()
    assert moment.astimezone(own).date() <= day
    assert closes.astimezone(own).date() > day
    assert (opened - timedelta(seconds=1)).astimezone(own).date() < day


@given(MOMENTS, st.sampled_from(ZONES))
def test_a_local_time_is_first_shown_or_passed_at_its_instant(moment: datetime, zone: str) -> None:
    own = zone_named(zone)
    local = moment.replace(tzinfo=None, microsecond=0)
    found = first_instant(local, own)
    assert found.astimezone(own).replace(tzinfo=None) >= local
    # What was shown in the three hours before was earlier.
    for minutes in range(1, 181, 7):
        assert (found - timedelta(minutes=minutes)).astimezone(own).replace(tzinfo=None) < local
