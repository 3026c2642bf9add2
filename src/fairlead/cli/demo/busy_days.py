"""When the leads of the demo's history come in: more with each month, by season and weekday, and not always."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
"""Where the demo's consumers and operator live."""

LEADS_PER_DAY = 13
"""On an ordinary day at the end."""
SHARE_AT_FIRST = 0.25
"""Of that, a year before."""
YEAR = timedelta(days=365)

_OF_MONTH = (1.15, 1.1, 1.1, 1.0, 0.95, 0.85, 0.7, 0.75, 1.05, 1.15, 1.2, 0.8)
_OF_WEEKDAY = (1.2, 1.25, 1.15, 1.1, 0.95, 0.45, 0.4)
_CAMPAIGN_SHARE, _CAMPAIGN = 0.08, 1.9
"""Of the weeks, and how much more comes in then."""
_FORM_IS_DOWN_SHARE = 0.012
"""Of the days: nothing comes in."""
_HOURS = (7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22)
_OF_HOUR = (2, 5, 9, 10, 10, 7, 6, 8, 9, 8, 7, 5, 5, 4, 3, 1)


@dataclass(frozen=True, slots=True)
class BusyMoment:
    """So many leads come in at once, then."""

    at: datetime
    leads: int


def busy_moments(after: datetime, until: datetime, seed: int) -> Iterator[BusyMoment]:
    """All that lie between, the first first; each day's depend on the seed, the day and how long before the end it is.

    The last days are told by the hour, those before them by a few moments a day, the first by one.

    >>> from datetime import UTC
    >>> days = [datetime(2026, 3, day, tzinfo=UTC) for day in (1, 11)]
    >>> busy = list(busy_moments(*days, seed=7))
    >>> busy == sorted(busy, key=lambda each: each.at), busy == list(busy_moments(*days, seed=7))
    (True, True)
    """
    day, last = after.astimezone(ZONE).date(), until.astimezone(ZONE).date()
    while day <= last:
        for moment in _of_day(day, last, seed):
            if after < moment.at <= until:
                yield moment
        day += timedelta(days=1)


def _of_day(day: date, last: date, seed: int) -> Iterator[BusyMoment]:
    dice = random.Random(f"{seed}/{day}")  # noqa: S311  # a reproducible history, nothing secret
    expected = _expected(day, last, seed) * dice.uniform(0.7, 1.3)
    count = 0 if dice.random() < _FORM_IS_DOWN_SHARE else int(expected + dice.random())
    hours = _hours_told((last - day).days)
    weights = [sum(weight for hour, weight in _hourly() if before < hour <= at) for before, at in _spans(hours)]
    chosen = dice.choices(range(len(hours)), weights, k=count)
    for number, hour in enumerate(hours):
        at = datetime.combine(day, time(hour, dice.randrange(4, 25), dice.randrange(60)), ZONE)
        yield BusyMoment(at, chosen.count(number))


def _expected(day: date, last: date, seed: int) -> float:
    age = min(1.0, (last - day) / YEAR)
    grown = SHARE_AT_FIRST**age
    year, week, _ = day.isocalendar()
    is_campaign = random.Random(f"{seed}/{year}/{week}").random() < _CAMPAIGN_SHARE  # noqa: S311
    more = _CAMPAIGN if is_campaign else 1.0
    return LEADS_PER_DAY * grown * _OF_MONTH[day.month - 1] * _OF_WEEKDAY[day.weekday()] * more


def _hours_told(days_before_the_end: int) -> tuple[int, ...]:
    if days_before_the_end <= 2:
        return _HOURS
    if days_before_the_end <= 30:
        return (9, 13, 18)
    return (10, 17) if days_before_the_end <= 90 else (15,)


def _hourly() -> Iterator[tuple[int, int]]:
    return zip(_HOURS, _OF_HOUR, strict=True)


def _spans(hours: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    """From the hour told before to this one; the last one takes what comes later, too."""
    ends = (*hours[:-1], 24)
    return zip((0, *ends[:-1]), ends, strict=True)
