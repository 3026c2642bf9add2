"""Schedules: when a subscription, else its provider, takes leads, by the clocks of the provider's zone.

A document has any of four members: `weekly` (spans of hours; without it every day is one whole span), `dates_off`,
`holidays` (of a country, or of a region of it) and `paused_until`. A span belongs to the day on which it begins: a
night from 22:00 to 06:00 that begins before a day off goes to its end, and one that would begin on the day off is off.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, cast

from fairlead.core.calendar.local_time import first_instant, zone_named
from fairlead.core.calendar.public_holidays import public_holidays
from fairlead.core.calendar.turning import Stretch, UntilItTurns

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_SPANS = 100
MOST_DATES_OFF = 400
DAYS_SEARCHED = 400
"""An opening that lies further ahead is looked for again then."""

FIRST_YEAR, LAST_YEAR = 1970, 8999
"""Every zone's clocks show the moments of these years, and what lies `DAYS_SEARCHED` after them, as dates that are."""

_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_WHOLE_DAY = (timedelta(0), _DAY)

Span = tuple[timedelta, timedelta]
"""From midnight of its day to the opening, and to the closing, which may be on the next day."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A schedule that was read. `spans` are those of each day of the week, from Monday on."""

    spans: tuple[tuple[Span, ...], ...]
    dates_off: tuple[tuple[date, date], ...]
    country: str | None
    region: str | None
    paused_until: datetime | None

    def is_off(self, day: date) -> bool:
        """Whether no span begins on that date, whatever day of the week it is."""
        if any(first <= day <= last for first, last in self.dates_off):
            return True
        return self.country is not None and day in public_holidays(self.country, self.region, day.year)


def schedule_problems(document: object) -> list[str]:
    """What is wrong with a schedule, in words; nothing when it can be set.

    >>> schedule_problems({"weekly": [{"days": ["mon"], "opens": "22:00", "closes": "06:00"}]})
    []
    >>> schedule_problems({"weekly": [{"days": ["mon"], "opens": "9", "closes": "17:00"}], "open": True})
    ['`weekly`, span 1: `opens` must be a time such as 09:00', 'a schedule has no member `open`']
    >>> schedule_problems({"holidays": {"country": "DE", "region": "ZZ"}})
    ['`holidays`: there are no public holidays known of DE-ZZ']
    """
    if not isinstance(document, dict):
        return ["a schedule must be an object"]
    problems: list[str] = []
    checks = {
        "weekly": _weekly_problems,
        "dates_off": _dates_problems,
        "holidays": _holidays_problems,
        "paused_until": _pause_problems,
    }
    own = cast("dict[str, object]", document)
    for name, check in checks.items():
        if name in own:
            problems += check(own[name])
    return problems + [f"a schedule has no member `{name}`" for name in own if name not in checks]


@lru_cache(maxsize=4096)
def parse_schedule(text: str) -> Schedule:
    """The schedule that the text is. Raises ValueError for one that cannot be set.

    >>> parse_schedule('{"weekly":[{"closes":"06:00","days":["mon"],"opens":"22:00"}]}').spans[0]
    ((datetime.timedelta(seconds=79200), datetime.timedelta(days=1, seconds=21600)),)
    """
    document: dict[str, Any] = json.loads(text)
    if problems := schedule_problems(document):
        raise ValueError(problems[0])
    place: dict[str, str] = document.get("holidays") or {}
    until = document.get("paused_until")
    return Schedule(
        _weekly_spans(document.get("weekly")),
        tuple(_date_range(each) for each in document.get("dates_off", [])),
        place.get("country"),
        place.get("region"),
        None if until is None else datetime.fromisoformat(until).astimezone(UTC),
    )


def opens_at(text: str, timezone: str, moment: datetime) -> datetime | None:
    """When a schedule that is closed at the moment opens next; None when it is open.

    Raises ValueError for a schedule or a zone that cannot be read. On 25 October 2026 Berlin's clocks go back:

    >>> hours = '{"weekly":[{"closes":"17:00","days":["mon","sun"],"opens":"09:00"}]}'
    >>> sunday = datetime(2026, 10, 25, 7, 59, 59, tzinfo=UTC)
    >>> opens_at(hours, "Europe/Berlin", sunday).isoformat()
    '2026-10-25T08:00:00+00:00'
    >>> opens_at(hours, "Europe/Berlin", sunday + timedelta(seconds=1)) is None
    True
    >>> opens_at(hours, "Europe/Berlin", sunday + timedelta(hours=9)).isoformat()
    '2026-10-26T08:00:00+00:00'
    """
    return OPENINGS.at((text, timezone), moment)


def _reckon_opening(key: tuple[str, str], moment: datetime) -> Stretch[datetime | None]:
    text, timezone = key
    schedule, until = parse_schedule(text), moment
    if schedule.paused_until is not None and schedule.paused_until > moment:
        until = schedule.paused_until
    # From the day before: its last span may not have ended yet; and one more, where clocks show an earlier date.
    today = until.astimezone(zone_named(timezone)).date()
    for number in range(-2, DAYS_SEARCHED):
        for opens, closes in _spans_of(text, timezone, today + number * _DAY):
            if closes > until:
                if opens <= moment and until == moment:
                    return Stretch(moment, _open_until(key, closes, today), None)
                opening = max(opens, until)
                return Stretch(moment, opening, opening)
    # Another moment would have another end of the search.
    return Stretch(moment, moment + _MICROSECOND, until + DAYS_SEARCHED * _DAY)


def _open_until(key: tuple[str, str], closes: datetime, today: date) -> datetime:
    """Until when a schedule that is open today until it `closes` stays open for certain: spans that meet are one."""
    for number in range(-1, 3):
        for opens, own_closes in _spans_of(*key, today + number * _DAY):
            if opens <= closes:
                closes = max(closes, own_closes)
    return closes


OPENINGS = UntilItTurns(_reckon_opening)


def closes_at(text: str, timezone: str, moment: datetime) -> datetime | None:
    """When a schedule that is open at the moment closes next; None where that is further ahead than is searched.

    Raises ValueError as `opens_at` does. Spans that meet are one:

    >>> days = '{"dates_off":["2026-03-03"]}'
    >>> closes_at(days, "Asia/Kolkata", datetime(2026, 3, 1, 12, tzinfo=UTC)).isoformat()
    '2026-03-02T18:30:00+00:00'
    >>> closes_at('{"paused_until":"2026-01-01T00:00:00Z"}', "UTC", datetime(2026, 3, 1, tzinfo=UTC)) is None
    True
    """
    until = moment
    today = moment.astimezone(zone_named(timezone)).date()
    for number in range(-2, DAYS_SEARCHED):
        for opens, closes in _spans_of(text, timezone, today + number * _DAY):
            if opens > until:
                return until
            until = max(until, closes)
    return None if until > moment + (DAYS_SEARCHED - 3) * _DAY else until


@lru_cache(maxsize=65_536)
def _spans_of(text: str, timezone: str, day: date) -> tuple[tuple[datetime, datetime], ...]:
    """The spans that begin on that date, as instants, the first to open first."""
    schedule, zone = parse_schedule(text), zone_named(timezone)
    if schedule.is_off(day):
        return ()
    midnight = datetime.combine(day, time.min)
    spans = (
        (first_instant(midnight + opens, zone), first_instant(midnight + closes, zone))
        for opens, closes in schedule.spans[day.weekday()]
    )
    # Of a span that lies in an hour which the clocks leave out, nothing is left.
    return tuple((opens, closes) for opens, closes in spans if opens < closes)


def _weekly_spans(weekly: Sequence[Mapping[str, Any]] | None) -> tuple[tuple[Span, ...], ...]:
    if weekly is None:
        return ((_WHOLE_DAY,),) * len(DAYS)
    spans: dict[str, list[Span]] = {day: [] for day in DAYS}
    for each in weekly:
        opens, closes = _since_midnight(each["opens"]), _since_midnight(each["closes"])
        for day in dict.fromkeys(each["days"]):
            spans[day].append((opens, closes if closes > opens else closes + _DAY))
    return tuple(tuple(sorted(spans[day])) for day in DAYS)


def _since_midnight(text: str) -> timedelta:
    hours, minutes = text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def _date_range(each: str | Mapping[str, str]) -> tuple[date, date]:
    first, last = (each, each) if isinstance(each, str) else (each["from"], each["to"])
    return date.fromisoformat(first), date.fromisoformat(last)


def _weekly_problems(weekly: object) -> Iterator[str]:
    if not isinstance(weekly, list) or not 1 <= len(cast("list[object]", weekly)) <= MOST_SPANS:
        yield f"`weekly` must be a list of 1 to {MOST_SPANS} spans"
        return
    for number, span in enumerate(cast("list[Any]", weekly), start=1):
        where = f"`weekly`, span {number}:"
        if not isinstance(span, dict) or {*cast("dict[str, object]", span)} != {"days", "opens", "closes"}:
            yield f"{where} it must have `days`, `opens` and `closes`"
            continue
        days, opens, closes = (cast("dict[str, object]", span)[name] for name in ("days", "opens", "closes"))
        if not isinstance(days, list) or not days or any(day not in DAYS for day in cast("list[object]", days)):
            yield f"{where} `days` must be a list of {', '.join(DAYS)}"
        for name, value in (("opens", opens), ("closes", closes)):
            if not isinstance(value, str) or not _TIME.fullmatch(value) or (name == "opens" and value == "24:00"):
                yield f"{where} `{name}` must be a time such as 09:00"
        if opens == closes:
            yield f"{where} it opens and closes at the same time; a whole day is from 00:00 to 24:00"


def _dates_problems(dates: object) -> Iterator[str]:
    if not isinstance(dates, list) or len(cast("list[object]", dates)) > MOST_DATES_OFF:
        yield f"`dates_off` must be a list of at most {MOST_DATES_OFF} dates"
        return
    for number, each in enumerate(cast("list[Any]", dates), start=1):
        try:
            first, last = _date_range(each)
        except (TypeError, ValueError, LookupError):
            yield f"`dates_off`, number {number}: it must be a date such as 2026-12-24, or one `from` and one `to`"
            continue
        if last < first:
            yield f"`dates_off`, number {number}: it ends before it begins"


def _holidays_problems(place: object) -> Iterator[str]:
    if not isinstance(place, dict) or not {"country"} <= {*cast("dict[str, object]", place)} <= {"country", "region"}:
        yield "`holidays` must have a `country`, and may have a `region`"
        return
    country, region = cast("dict[str, object]", place)["country"], cast("dict[str, object]", place).get("region")
    if not isinstance(country, str) or not re.fullmatch(r"[A-Z]{2}", country):
        yield "`holidays`: `country` must be a code of two capital letters, such as DE"
    elif region is not None and not isinstance(region, str):
        yield "`holidays`: `region` must be a text"
    else:
        try:
            public_holidays(country, region, _ANY_YEAR)
        except ValueError as error:
            yield f"`holidays`: {error}"


def _pause_problems(until: object) -> Iterator[str]:
    try:
        moment = datetime.fromisoformat(until) if isinstance(until, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        yield "`paused_until` must be a moment with its offset, such as 2026-12-27T08:00:00Z"
    elif not FIRST_YEAR <= moment.year <= LAST_YEAR:
        yield f"`paused_until` must lie between the years {FIRST_YEAR} and {LAST_YEAR}"


_ANY_YEAR = 2026
