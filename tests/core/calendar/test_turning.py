"""What is kept until it turns is what reckoning it anew gives, in whatever order moments are asked about."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from fairlead.core.calendar import limits, schedule
from fairlead.core.calendar.limits import CAPS, windows_at
from fairlead.core.calendar.schedule import DAYS, opens_at

ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata", "America/Havana", "Australia/Lord_Howe", "Asia/Beirut")
CHANGES = ("2026-03-28T20:00", "2026-10-24T20:00", "2026-04-04T12:00", "2024-11-03T02:00", "2028-02-28T22:00")
"""In the evening before clocks are changed, and before a leap day."""


def moments() -> st.SearchStrategy[list[datetime]]:
    """Some moments within two days of one of those evenings, in any order."""

    def around(text: str) -> st.SearchStrategy[list[datetime]]:
        begin = datetime.fromisoformat(text).replace(tzinfo=UTC)
        half_minutes = st.integers(0, 2 * 2880)
        return st.lists(half_minutes.map(lambda each: begin + each * timedelta(seconds=30)), min_size=2, max_size=8)

    return st.sampled_from(CHANGES).flatmap(around)


TIMES = st.integers(0, 47).map(lambda half: f"{half // 2:02}:{half % 2 * 30:02}")
SPANS = st.lists(
    st.fixed_dictionaries(
        {
            "days": st.lists(st.sampled_from(DAYS), min_size=1, unique=True),
            "opens": TIMES,
            "closes": TIMES | st.just("24:00"),
        }
    ).filter(lambda span: span["opens"] != span["closes"]),
    max_size=4,
)


@given(SPANS, st.none() | moments(), st.sampled_from(ZONES), moments())
@example([{"days": [*DAYS], "opens": "00:00", "closes": "24:00"}], None, "UTC", [datetime(2026, 3, 1, tzinfo=UTC)] * 2)
def test_a_schedule_is_open_as_it_is_when_it_is_asked_anew(
    weekly: list[Any], pauses: list[datetime] | None, zone: str, asked: list[datetime]
) -> None:
    document: dict[str, Any] = {"weekly": weekly} if weekly else {}
    if pauses is not None:
        document["paused_until"] = pauses[0].isoformat()
    text = json.dumps(document)
    for moment in asked:
        kept = opens_at(text, zone, moment)
        schedule.OPENINGS.forget()
        assert kept == opens_at(text, zone, moment)
        for other in asked:
            opens_at(text, zone, other)


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@given(st.sets(st.sampled_from(CAPS), min_size=1), st.sampled_from(ZONES), moments())
@example({*CAPS}, "UTC", [NOON, NOON - timedelta(seconds=30), NOON])
def test_windows_are_those_of_the_moment_when_they_are_asked_anew(
    caps: set[Any], zone: str, asked: list[datetime]
) -> None:
    text = json.dumps({cap.name: 5 for cap in sorted(caps, key=lambda cap: cap.name)})
    for moment in asked:
        kept = windows_at(text, zone, moment)
        limits.WINDOWS.forget()
        limits.EDGES.forget()
        anew = windows_at(text, zone, moment)
        assert kept.edges == anew.edges
        assert all(opened is None or opened <= moment for opened, _ in kept.edges)
        for other in asked:
            windows_at(text, zone, other)
