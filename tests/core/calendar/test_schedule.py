"""When schedules open: nights, days off, holidays, pauses, and both changes of clocks."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.calendar.local_time import zone_named
from fairlead.core.calendar.schedule import DAYS, closes_at, opens_at, schedule_problems

OFFICE = {"weekly": [{"days": ["mon", "tue", "wed", "thu", "fri"], "opens": "09:00", "closes": "17:00"}]}
SPLIT = {
    "weekly": [
        {"days": ["mon"], "opens": "08:00", "closes": "12:00"},
        {"days": ["mon"], "opens": "13:30", "closes": "18:00"},
    ]
}
NIGHT = {"weekly": [{"days": ["fri", "sat"], "opens": "22:00", "closes": "06:00"}]}
ALWAYS: dict[str, Any] = {}
BEYOND_ALL_CLOCKS = [
    "9999-12-31T23:59:59-23:59",
    "9999-12-31T23:59:59Z",
    "9998-12-31T00:00:00Z",
    "0001-01-01T00:00:00+05:00",
]
"""Moments with an offset that in some zone, or some days later, are beyond what a date can be."""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def minutes_from(text: str, days: int) -> st.SearchStrategy[datetime]:
    """Any minute of so many days."""
    return st.integers(0, days * 1440).map(lambda minutes: at(text) + timedelta(minutes=minutes))


@pytest.mark.parametrize(
    ("schedule", "zone", "moment", "opens"),
    [
        (ALWAYS, "Europe/Berlin", "2026-03-29T00:59", None),
        (OFFICE, "Europe/Berlin", "2026-07-01T06:59", "2026-07-01T07:00"),
        (OFFICE, "Europe/Berlin", "2026-07-01T07:00", None),
        (OFFICE, "Europe/Berlin", "2026-07-01T14:59", None),
        (OFFICE, "Europe/Berlin", "2026-07-01T15:00", "2026-07-02T07:00"),
        (OFFICE, "Europe/Berlin", "2026-07-03T15:00", "2026-07-06T07:00"),
        (OFFICE, "Asia/Kolkata", "2026-07-06T03:29", "2026-07-06T03:30"),
        (SPLIT, "UTC", "2026-07-06T12:00", "2026-07-06T13:30"),
        (SPLIT, "UTC", "2026-07-06T11:59", None),
        # Over midnight, and over both changes of clocks, which come on a Sunday morning.
        (NIGHT, "Europe/Berlin", "2026-07-03T23:00", None),
        (NIGHT, "Europe/Berlin", "2026-07-05T03:59", None),
        (NIGHT, "Europe/Berlin", "2026-07-05T04:00", "2026-07-10T20:00"),
        (NIGHT, "Europe/Berlin", "2026-03-29T03:59", None),
        (NIGHT, "Europe/Berlin", "2026-03-29T04:00", "2026-04-03T20:00"),
        (NIGHT, "Europe/Berlin", "2026-10-25T04:59", None),
        (NIGHT, "Europe/Berlin", "2026-10-25T05:00", "2026-10-30T21:00"),
        # A span belongs to the day on which it begins.
        ({**NIGHT, "dates_off": ["2026-07-04"]}, "UTC", "2026-07-04T05:59", None),
        ({**NIGHT, "dates_off": ["2026-07-04"]}, "UTC", "2026-07-04T22:00", "2026-07-10T22:00"),
        ({"dates_off": [{"from": "2026-12-24", "to": "2027-01-03"}]}, "UTC", "2026-12-25T08:00", "2027-01-04T00:00"),
        ({"dates_off": ["2028-02-29"]}, "Asia/Kolkata", "2028-02-29T00:00", "2028-02-29T18:30"),
        # Epiphany is a holiday in Bavaria and none in Berlin.
        ({**OFFICE, "holidays": {"country": "DE", "region": "BY"}}, "UTC", "2026-01-06T10:00", "2026-01-07T09:00"),
        ({**OFFICE, "holidays": {"country": "DE", "region": "BE"}}, "UTC", "2026-01-06T10:00", None),
        ({"holidays": {"country": "DE"}}, "UTC", "2026-12-31T23:59", None),
        ({"holidays": {"country": "DE"}}, "UTC", "2027-01-01T00:00", "2027-01-02T00:00"),
        ({"paused_until": "2026-07-01T12:00:00+02:00"}, "UTC", "2026-07-01T09:59", "2026-07-01T10:00"),
        ({"paused_until": "2026-07-01T12:00:00+02:00"}, "UTC", "2026-07-01T10:00", None),
        ({**OFFICE, "paused_until": "2026-07-04T12:00:00Z"}, "UTC", "2026-07-01T10:00", "2026-07-06T09:00"),
        # Half an hour that the clocks of Lord Howe leave out on 4 October.
        (
            {"weekly": [{"days": ["sun"], "opens": "02:00", "closes": "02:30"}]},
            "Australia/Lord_Howe",
            "2026-10-03T15:29",
            "2026-10-10T15:00",
        ),
        # Midnight comes twice in Havana: the day opens with the first.
        (
            {"weekly": [{"days": ["sun"], "opens": "00:00", "closes": "24:00"}]},
            "America/Havana",
            "2024-11-03T03:59",
            "2024-11-03T04:00",
        ),
    ],
)
def test_openings(schedule: dict[str, Any], zone: str, moment: str, opens: str | None) -> None:
    assert opens_at(json.dumps(schedule), zone, at(moment)) == (None if opens is None else at(opens))


WEEKLY = st.lists(
    st.fixed_dictionaries(
        {
            "days": st.lists(st.sampled_from(DAYS), min_size=1, max_size=3),
            "opens": st.sampled_from(["00:00", "01:30", "02:15", "09:00", "22:00"]),
            "closes": st.sampled_from(["02:30", "06:00", "12:00", "24:00"]),
        }
    ),
    min_size=1,
    max_size=3,
)


@given(
    WEEKLY,
    st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "Asia/Beirut", "America/Havana", "UTC"]),
    minutes_from("2026-03-20", 235),
)
def test_what_opens_is_open_then_and_was_not_before(weekly: list[Any], zone: str, moment: datetime) -> None:
    text = json.dumps({"weekly": weekly})
    opens = opens_at(text, zone, moment)
    if opens is None:
        return
    assert opens > moment
    assert opens_at(text, zone, opens) is None
    for part in range(1, 40):
        between = moment + (opens - moment) * part / 40
        assert opens_at(text, zone, between) == opens


@given(WEEKLY, minutes_from("2026-06-01", 30))
def test_without_a_change_of_clocks_it_is_open_as_the_clock_reads(weekly: list[Any], moment: datetime) -> None:
    """Minute by minute of a week, read literally."""
    local = moment.astimezone(zone_named("Asia/Kathmandu"))
    reading, today = f"{local:%H:%M}", DAYS[local.weekday()]
    yesterday = DAYS[(local.weekday() - 1) % 7]
    is_open = any(
        (today in span["days"] and span["opens"] <= reading and (reading < span["closes"] or over))
        or (yesterday in span["days"] and over and reading < span["closes"])
        for span in weekly
        for over in [span["closes"] <= span["opens"]]
    )
    assert (opens_at(json.dumps({"weekly": weekly}), "Asia/Kathmandu", moment) is None) == is_open


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"weekly": []},
        {"weekly": [{"days": [], "opens": "09:00", "closes": "10:00"}]},
        {"weekly": [{"days": ["monday"], "opens": "09:00", "closes": "10:00"}]},
        {"weekly": [{"days": ["mon"], "opens": "09:00", "closes": "09:00"}]},
        {"weekly": [{"days": ["mon"], "opens": "24:00", "closes": "09:00"}]},
        {"weekly": [{"days": ["mon"], "opens": "9:00", "closes": "10:00"}]},
        {"dates_off": ["2026-02-29"]},
        {"dates_off": [{"from": "2026-03-02", "to": "2026-03-01"}]},
        {"holidays": {"country": "XX"}},
        {"holidays": {"region": "BY"}},
        {"paused_until": "2026-07-01T12:00:00"},
        *({"paused_until": moment} for moment in BEYOND_ALL_CLOCKS),
        {"hours": []},
    ],
)
def test_what_is_no_schedule_is_refused(document: Any) -> None:
    assert schedule_problems(document)


@pytest.mark.parametrize("moment", BEYOND_ALL_CLOCKS)
def test_a_pause_that_no_clock_shows_cannot_be_read_and_stops_no_reckoning(moment: str) -> None:
    text = json.dumps({**OFFICE, "paused_until": moment})
    for reckon in (opens_at, closes_at):
        with pytest.raises(ValueError, match="between the years"):
            reckon(text, "Pacific/Kiritimati", at("2026-07-01T09:30"))


def test_a_pause_ends_within_a_span() -> None:
    text = json.dumps({**OFFICE, "paused_until": "2026-07-01T10:00:00Z"})
    assert opens_at(text, "UTC", at("2026-07-01T09:30")) == at("2026-07-01T10:00")
    assert opens_at(text, "UTC", at("2026-07-01T10:00") + timedelta(minutes=1)) is None
