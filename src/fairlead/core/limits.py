"""Limits (R13): caps on how many leads, and for how much, a subscription or a provider takes in a window of local time.

A limits document is `{"leads_per_day": 5, "spend_cents_per_month": 20000}`: one member for each cap that is set. What
was used of a window is a `Counter`. A decision asks for counters, and never for a clock: the windows that a past
decision consulted are in its record.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal, cast

from fairlead.core.canonical import JsonObject, canonical_json, timestamp_from_text, timestamp_text
from fairlead.core.local_time import Period, window_at, zone_named

MAX_LEADS = 1_000_000_000
MAX_SPEND_CENTS = 1_000_000_000_000

Owner = Literal["subscription", "provider"]
"""Whose cap it is. A provider's counts what all its subscriptions receive, in every niche."""


@dataclass(frozen=True, slots=True)
class Cap:
    """One kind of limit: what it counts, over which period."""

    name: str
    period: Period
    is_of_money: bool


CAPS: tuple[Cap, ...] = (
    *(Cap(f"leads_per_{period}", period, False) for period in (Period.HOUR, Period.DAY, Period.WEEK, Period.MONTH)),
    Cap("leads_total", Period.TOTAL, False),
    *(Cap(f"spend_cents_per_{period}", period, True) for period in (Period.DAY, Period.WEEK, Period.MONTH)),
)
"""Every cap that there is."""

_CAP_BY_NAME = {cap.name: cap for cap in CAPS}

Limits = tuple[tuple[Cap, int], ...]
"""The caps that are set, in the order of `CAPS`, each with its limit."""


@dataclass(frozen=True, slots=True)
class Counter:
    """What was used of one window of an owner: leads, and cents spent on them. `closes_at` is when the next begins.

    `most_leads` and `most_cents` are the limits for it, where there are any.
    """

    owner: Owner
    owner_id: str
    period: Period
    opened_at: datetime | None
    closes_at: datetime | None
    lead_count: int = 0
    spent_cents: int = 0
    most_leads: int | None = None
    most_cents: int | None = None

    @property
    def key(self) -> "CounterKey":
        """Which window of whom it is."""
        return self.owner_id, self.period, self.opened_at

    def used(self, cap: Cap) -> int:
        """What counts against this cap: leads, or cents."""
        return self.spent_cents if cap.is_of_money else self.lead_count

    def with_lead(self, price_cents: int) -> "Counter":
        """The counter after one more lead at this price."""
        return self.with_use(self.lead_count + 1, self.spent_cents + price_cents)

    def with_use(self, lead_count: int, spent_cents: int) -> "Counter":
        """The counter of the same window, with so much used."""
        # Dozens of these for each lead: `replace` takes several times as long.
        return Counter(
            self.owner,
            self.owner_id,
            self.period,
            self.opened_at,
            self.closes_at,
            lead_count,
            spent_cents,
            self.most_leads,
            self.most_cents,
        )

    def recorded(self) -> JsonObject:
        """The counter as a decision records it; whose it is, the record around it says."""
        return {
            "owner": self.owner,
            "period": self.period.value,
            "opened_at": None if self.opened_at is None else _text_of(self.opened_at),
            "closes_at": None if self.closes_at is None else _text_of(self.closes_at),
            "lead_count": self.lead_count,
            "spent_cents": self.spent_cents,
            "most_leads": self.most_leads,
            "most_cents": self.most_cents,
        }

    @classmethod
    def read(cls, record: Mapping[str, Any], owner_id: str) -> "Counter":
        """The counter that a decision recorded."""
        return cls(
            record["owner"],
            owner_id,
            Period(record["period"]),
            _moment(record["opened_at"]),
            _moment(record["closes_at"]),
            record["lead_count"],
            record["spent_cents"],
            record["most_leads"],
            record["most_cents"],
        )


CounterKey = tuple[str, Period, datetime | None]
"""A window of an owner: its id, the period, and when the window opened."""


@dataclass(frozen=True, slots=True)
class ReachedCap:
    """A cap that one more lead would overshoot, and its counter."""

    cap: Cap
    limit: int
    counter: Counter


def limits_text(document: JsonObject | None) -> str | None:
    """The one text of a limits document, or of a schedule; None for none.

    >>> limits_text({"leads_per_day": 5}), limits_text({}), limits_text(None)
    ('{"leads_per_day":5}', None, None)
    """
    return canonical_json(document).decode() if document else None


def limits_problems(document: object) -> list[str]:
    """What is wrong with a limits document, in words; nothing when it can be set.

    >>> limits_problems({"leads_per_day": 5})
    []
    >>> limits_problems({"leads_per_day": 0, "leads_per_year": 5})
    ['`leads_per_day` must be a whole number from 1 to 1000000000', 'there is no cap `leads_per_year`']
    """
    if not isinstance(document, dict):
        return ["limits must be an object with a member for each cap"]
    problems: list[str] = []
    for name, limit in cast("dict[object, object]", document).items():
        cap = _CAP_BY_NAME.get(str(name))
        if cap is None:
            problems.append(f"there is no cap `{name}`")
            continue
        most = MAX_SPEND_CENTS if cap.is_of_money else MAX_LEADS
        if not isinstance(limit, int) or isinstance(limit, bool) or not 1 <= limit <= most:
            problems.append(f"`{name}` must be a whole number from 1 to {most}")
    return problems


@lru_cache(maxsize=4096)
def parse_limits(text: str) -> Limits:
    """The caps of a limits document. Raises ValueError for one that cannot be set.

    >>> [(cap.name, limit) for cap, limit in parse_limits('{"leads_per_hour":2,"leads_per_day":5}')]
    [('leads_per_hour', 2), ('leads_per_day', 5)]
    """
    document = json.loads(text)
    if problems := limits_problems(document):
        raise ValueError(problems[0])
    return tuple((cap, document[cap.name]) for cap in CAPS if cap.name in document)


def reached_cap(limits: Limits, counters: Sequence[Counter], price_cents: int) -> ReachedCap | None:
    """The cap that one more lead at this price would overshoot; of several the one whose window closes last.

    That one says from when on a lead can be received again. `counters` has one for each period of the limits.

    >>> day = Counter("subscription", "s", Period.DAY, None, None, lead_count=4, spent_cents=400)
    >>> limits = parse_limits('{"leads_per_day":5,"spend_cents_per_day":450}')
    >>> reached_cap(limits, [day], 50) is None
    True
    >>> reached_cap(limits, [day], 51).cap.name
    'spend_cents_per_day'
    """
    of_period = {counter.period: counter for counter in counters}
    found: ReachedCap | None = None
    for cap, limit in limits:
        counter = of_period[cap.period]
        one_more = price_cents if cap.is_of_money else 1
        if counter.used(cap) + one_more > limit and (found is None or _closes_later(counter, found.counter)):
            found = ReachedCap(cap, limit, counter)
    return found


def later_reached(first: ReachedCap | None, second: ReachedCap | None) -> ReachedCap | None:
    """Of two reached caps the one whose window closes last; the first where they close together."""
    if first is None or (second is not None and _closes_later(second.counter, first.counter)):
        return second
    return first


def _closes_later(one: Counter, other: Counter) -> bool:
    if one.closes_at is None or other.closes_at is None:
        return other.closes_at is not None
    return one.closes_at > other.closes_at


def empty_windows(owner: Owner, owner_id: str, text: str, timezone: str, moment: datetime) -> list[Counter]:
    """The windows that these limits count in at the moment, one for each of their periods, with nothing used.

    Raises ValueError for limits or a zone that cannot be read.

    >>> from datetime import UTC
    >>> text, moment = '{"leads_per_day":5,"spend_cents_per_day":900}', datetime(2026, 7, 1, 22, tzinfo=UTC)
    >>> [day] = empty_windows("provider", "p", text, "Europe/Berlin", moment)
    >>> day.opened_at.isoformat(), day.closes_at.isoformat(), day.most_leads, day.most_cents
    ('2026-07-01T22:00:00+00:00', '2026-07-02T22:00:00+00:00', 5, 900)
    """
    most: dict[Period, dict[bool, int]] = {}
    for cap, limit in parse_limits(text):
        most.setdefault(cap.period, {})[cap.is_of_money] = limit
    return [
        Counter(owner, owner_id, period, *_window(timezone, period, moment), 0, 0, own.get(False), own.get(True))
        for period, own in most.items()
    ]


@lru_cache(maxsize=4096)
def _window(timezone: str, period: Period, moment: datetime) -> tuple[datetime | None, datetime | None]:
    # A batch asks for the same window once for each candidate.
    return window_at(moment, zone_named(timezone), period)


# All windows of a period in a zone have the same.
_text_of = lru_cache(maxsize=4096)(timestamp_text)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else timestamp_from_text(text)
