"""Limits (R13): caps on how many leads, and for how much, a subscription or a provider takes in a window of local time.

A limits document is `{"leads_per_day": 5, "spend_cents_per_month": 20000}`: one member for each cap that is set. What
was used of a window is a `Counter`. A decision asks for counters, and never for a clock: the windows that a past
decision consulted are in its record.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from math import inf
from typing import Literal, TypeAlias, cast

from fairlead.core.calendar.local_time import FIRST_INSTANT, LAST_INSTANT, Period, window_at, zone_named
from fairlead.core.calendar.side_by_side import (
    GREATEST,
    PLACE_BITS,
    Places,
    ceilings_of,
    places_of,
    same_in_each,
    side_by_side,
)
from fairlead.core.calendar.turning import Stretch, UntilItTurns
from fairlead.core.canonical import JsonObject, canonical_json

MAX_LEADS = 1_000_000_000
MAX_SPEND_CENTS = 1_000_000_000_000
NO_END = 1 << 62
"""The room where nothing is limited."""

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

    def used(self, cap: Cap) -> int:
        """What counts against this cap: leads, or cents."""
        return self.spent_cents if cap.is_of_money else self.lead_count


Edges = tuple[tuple[datetime | None, datetime | None], ...]
"""When each of some windows opened, and when the next of its period does."""

Used = tuple[int, int]
"""What was used of a window: leads, and cents."""

CountedLead: TypeAlias = "tuple[Counters, int]"
"""An owner's counters before a lead that counts in them, and the price of that."""


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """The windows that a limits document counts in, one for each of its periods, for every owner with the same limits.

    `caps` are those of the document, each with the number of its window and its limit, and `most` the limits of each
    window: of leads, and of cents. `checks` are the caps as `Counters.numbers` has them: where the number stands that a
    cap is of, whether that is money, and the limit. `timezone` is the zone that they were reckoned in, where they were;
    they are those of its limits from `since` on and before `until`, in seconds since 1970. Windows of equal limits,
    edges and zone are one object (`windows_between`), as long as they are asked for. `form` is the text that a decision
    records of them (`counter_records`), with a place for each of those numbers. `places`, `one_lead`, `ceilings` and
    `guards` are for all of them `side_by_side`: a lead in each window, and the limits.
    """

    text: str
    periods: tuple[Period, ...]
    edges: Edges
    caps: tuple[tuple[int, Cap, int], ...]
    most: tuple[tuple[int | None, int | None], ...]
    checks: tuple[tuple[int, bool, int], ...]
    timezone: str | None
    since: float
    until: float
    form: str
    places: Places
    one_lead: int
    ceilings: int
    guards: int


class Counters:
    """What was used of all the windows of one owner, in `tally`: of each window the leads, then the cents.

    They lie there `side_by_side`; `numbers` has them apart. `room_leads` and `room_cents` are what may be added yet.
    `last_at`: when it received a lead last, in seconds since 1970, as far as is known. Nothing of that ever changes.
    `kept` is the text that they are kept as (`stored_counters`), once they are: it ends in `recorded`, so that a sale
    finds what it records of an owner at the end of a text that is there already.
    """

    __slots__ = ("kept", "last_at", "owner", "owner_id", "room_cents", "room_leads", "tally", "windows")

    def __init__(
        self,
        owner: Owner,
        owner_id: str,
        windows: Windows,
        tally: int,
        room_leads: int,
        room_cents: int,
        last_at: int,
    ) -> None:
        self.owner: Owner = owner
        self.owner_id = owner_id
        self.windows = windows
        self.tally = tally
        self.room_leads = room_leads
        self.room_cents = room_cents
        self.last_at = last_at
        self.kept: str | None = None

    @property
    def numbers(self) -> tuple[int, ...]:
        """Of each window the leads, then the cents."""
        places = self.windows.places
        return places.unpack(self.tally.to_bytes(places.size, "little"))

    @property
    def recorded(self) -> str:
        """What a decision records of them: see `counter_records`."""
        kept = self.kept
        return self.windows.form % self.numbers if kept is None else kept[kept.index(";") + 1 :]

    @property
    def used(self) -> tuple[Used, ...]:
        """What was used of each window."""
        numbers = self.numbers
        return tuple(zip(numbers[::2], numbers[1::2], strict=True))

    def with_lead(self, price_cents: int, at_seconds: int) -> "Counters":
        """The counters after one more lead at this price, received then."""
        windows = self.windows
        return Counters(
            self.owner,
            self.owner_id,
            windows,
            self.tally + windows.one_lead * (1 + (price_cents << PLACE_BITS)),  # it counts in every window
            self.room_leads - 1,
            self.room_cents - price_cents,
            at_seconds if at_seconds > self.last_at else self.last_at,
        )

    def holds_lead_at(self, price_cents: int) -> bool:
        """Whether no window holds more than its limits after one more lead at this price, by the numbers themselves.

        Inlined, as it is asked eighteen times a lead: `all_within`, of what `with_lead` counts.
        """
        windows = self.windows
        tally = self.tally + windows.one_lead * (1 + (price_cents << PLACE_BITS))
        return (windows.ceilings - tally) & windows.guards == windows.guards

    def counter(self, number: int) -> Counter:
        """The counter of one window, by its number."""
        period, edges = self.windows.periods[number], self.windows.edges[number]
        return Counter(self.owner, self.owner_id, period, *edges, *self.used[number], *self.windows.most[number])

    @property
    def each(self) -> list[Counter]:
        """The counter of each window."""
        return [self.counter(number) for number in range(len(self.windows.periods))]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Counters) and self._said == other._said

    __hash__ = None  # pyright: ignore[reportAssignmentType] - what is equal need not be the same object

    @property
    def _said(self) -> tuple[str, str, str, Edges, int]:
        return self.owner, self.owner_id, self.windows.text, self.windows.edges, self.tally


def counters_of(
    owner: Owner, owner_id: str, windows: Windows, used: Sequence[Used] | None = None, last_at: int = 0
) -> Counters:
    """The owner's counters of these windows, kept nowhere yet; without `used` those of which nothing is.

    Raises ValueError for a number that none counts up to (`side_by_side`).
    """
    numbers = (0, 0) * len(windows.periods) if used is None else [number for of_window in used for number in of_window]
    room_leads = room_cents = NO_END
    for place, is_of_money, limit in windows.checks:
        room = limit - numbers[place]
        if is_of_money:
            room_cents = min(room_cents, room)
        else:
            room_leads = min(room_leads, room)
    return Counters(owner, owner_id, windows, side_by_side(numbers), room_leads, room_cents, last_at)


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


def reached_cap(counters: Sequence[Counters], price_cents: int) -> ReachedCap | None:
    """The cap of any owner that one more lead at this price would overshoot; of several the one that closes last.

    That one says from when on a lead can be received again.

    >>> from datetime import UTC
    >>> limits = '{"leads_per_day":5,"spend_cents_per_day":450}'
    >>> today = windows_at(limits, "UTC", datetime(2026, 7, 1, tzinfo=UTC))
    >>> counters = counters_of("subscription", "s", today, ((4, 400),))
    >>> reached_cap([counters], 50) is None
    True
    >>> reached_cap([counters], 51).cap.name
    'spend_cents_per_day'
    """
    found: ReachedCap | None = None
    for own in counters:
        if own.room_leads >= 1 and own.room_cents >= price_cents:
            continue
        for number, cap, limit in own.windows.caps:
            lead_count, spent_cents = own.used[number]
            if (spent_cents + price_cents if cap.is_of_money else lead_count + 1) > limit:
                found = _later(found, ReachedCap(cap, limit, own.counter(number)))
    return found


def _later(first: ReachedCap | None, second: ReachedCap) -> ReachedCap:
    """Of two reached caps the one whose window closes last; the first where they close together."""
    return second if first is None or _closes_later(second.counter, first.counter) else first


def _closes_later(one: Counter, other: Counter) -> bool:
    if one.closes_at is None or other.closes_at is None:
        return other.closes_at is not None
    return one.closes_at > other.closes_at


def windows_at(text: str, timezone: str, moment: datetime) -> Windows:
    """The windows that these limits count in at the moment.

    Raises ValueError for limits or a zone that cannot be read.

    >>> from datetime import UTC
    >>> text, moment = '{"leads_per_day":5,"spend_cents_per_day":900}', datetime(2026, 7, 1, 22, tzinfo=UTC)
    >>> day = windows_at(text, "Europe/Berlin", moment)
    >>> [[edge.isoformat() for edge in edges] for edges in day.edges], day.most
    ([['2026-07-01T22:00:00+00:00', '2026-07-02T22:00:00+00:00']], ((5, 900),))
    """
    return WINDOWS.at((text, timezone), moment)


@lru_cache(maxsize=16_384)
def windows_between(text: str, edges: Edges, timezone: str | None = None) -> Windows:
    """The windows of these limits with these edges. Raises ValueError for limits that cannot be read."""
    periods = _periods(text)
    numbers = {period: number for number, period in enumerate(periods)}
    limits = {(cap.period, cap.is_of_money): limit for cap, limit in parse_limits(text)}
    caps = tuple((numbers[cap.period], cap, limit) for cap, limit in parse_limits(text))
    most = tuple((limits.get((period, False)), limits.get((period, True))) for period in periods)
    checks = tuple((2 * number + cap.is_of_money, cap.is_of_money, limit) for number, cap, limit in caps)
    since = max((_seconds(opened_at) for opened_at, _ in edges if opened_at is not None), default=-inf)
    until = min((_seconds(closes_at) for _, closes_at in edges if closes_at is not None), default=inf)
    form, one_lead = _form(periods, edges, most), same_in_each(1, len(periods), step=2)
    ceilings = ceilings_of([GREATEST if limit is None else limit for of_window in most for limit in of_window])
    places = places_of(2 * len(periods))
    return Windows(text, periods, edges, caps, most, checks, timezone, since, until, form, places, one_lead, *ceilings)


_seconds = lru_cache(maxsize=4096)(datetime.timestamp)
"""One number for all windows that open or close at a moment."""


def _form(periods: Sequence[Period], edges: Edges, most: Sequence[tuple[int | None, int | None]]) -> str:
    parts: list[str] = []
    for period, own_edges, own_most in zip(periods, edges, most, strict=True):
        opened, closes = ("" if edge is None else str(int(edge.timestamp())) for edge in own_edges)
        leads, cents = ("" if limit is None else str(limit) for limit in own_most)
        parts.append(f"{period}:{opened}:{closes}:%d:%d:{leads}:{cents}")
    return ";".join(parts)


@lru_cache(maxsize=4096)
def _periods(text: str) -> tuple[Period, ...]:
    return tuple(dict.fromkeys(cap.period for cap, _ in parse_limits(text)))


def _reckon_edges(key: tuple[str, Period], moment: datetime) -> Stretch[tuple[datetime | None, datetime | None]]:
    timezone, period = key
    opened_at, closes_at = window_at(moment, zone_named(timezone), period)
    return Stretch(opened_at or FIRST_INSTANT, closes_at or LAST_INSTANT, (opened_at, closes_at))


def _reckon_windows(key: tuple[str, str], moment: datetime) -> Stretch[Windows]:
    text, timezone = key
    edges = tuple([EDGES.at((timezone, period), moment) for period in _periods(text)])
    since = max((opened_at for opened_at, _ in edges if opened_at is not None), default=FIRST_INSTANT)
    until = min((closes_at for _, closes_at in edges if closes_at is not None), default=LAST_INSTANT)
    return Stretch(since, until, windows_between(text, edges, timezone))


# Thousands of owners have windows of the same zones, and many the same limits: each is reckoned once until it turns.
EDGES = UntilItTurns(_reckon_edges)
WINDOWS = UntilItTurns(_reckon_windows)
