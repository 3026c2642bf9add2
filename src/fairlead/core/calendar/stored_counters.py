"""Counters of limits as they are kept beside their owner: what was used of which windows, as one text.

The text says when the owner received its last lead, in seconds since 1970, and then what a decision records of them
(`counter_records`): `1767261600;day:1767225600:1767312000:3:1500:5:;total:::9:4500::90000`. So a sale writes its
numbers once, and the end of the text that it leaves is what the next sale records. A window that closed before the next
opened says that nothing was used of that one yet, as long as no lead was received since: where a clock was set back,
one may have been. What the text does not tell is counted from the ledger.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fairlead.core.calendar.limits import Counters, Owner, Used, Windows, counters_of

STORED = r"[0-9]+(;((hour|day|week|month):-?[0-9]+:-?[0-9]+|total::):[0-9]+:[0-9]+:[0-9]*:[0-9]*)*"
"""What every such text matches, here and in PostgreSQL."""

_IS_STORED = re.compile(STORED, re.ASCII)
_Stored = Mapping[str, tuple[str, str, int, int]]


@dataclass(slots=True)
class StoredCounters:
    """The text, and the counters that were read from it last."""

    text: str
    _read: Counters | None = None

    def at(self, owner: Owner, owner_id: str, windows: Windows) -> Counters | None:
        """What it tells of these windows of the owner; None where that must be counted.

        >>> from datetime import UTC
        >>> from fairlead.core.calendar.limits import windows_at
        >>> stored = StoredCounters("1767261600;day:1767225600:1767312000:3:1500:5:")
        >>> first, second = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)
        >>> today, tomorrow = (windows_at('{"leads_per_day":5}', "UTC", moment) for moment in (first, second))
        >>> stored.at("provider", "p", today).used, stored.at("provider", "p", tomorrow).used
        (((3, 1500),), ((0, 0),))
        >>> stored.at("provider", "p", windows_at('{"leads_total":5}', "UTC", second)) is None
        True
        """
        read = self._read  # once: threads that decide in several niches of the owner share this
        if read is None or read.windows is not windows:
            read = self._read = _read(self.text, owner, owner_id, windows)
        return read

    def read_before(self, limits_text: str, timezone: str, at_seconds: int) -> Counters | None:
        """What was read from it last, where that is of these limits in this zone at that moment; None where it is not.

        >>> from datetime import UTC
        >>> from fairlead.core.calendar.limits import windows_at
        >>> limits, noon = '{"leads_per_day":5}', datetime(2026, 1, 1, 12, tzinfo=UTC)
        >>> stored = StoredCounters("1767261600;day:1767225600:1767312000:3:1500:5:")
        >>> stored.read_before(limits, "UTC", 1767268800) is None
        True
        >>> own = stored.at("provider", "p", windows_at(limits, "UTC", noon))
        >>> [stored.read_before(limits, "UTC", at) is own for at in (1767225599, 1767225600, 1767311999, 1767312000)]
        [False, True, True, False]
        """
        read = self._read
        if read is None:
            return None
        windows = read.windows
        if windows.timezone != timezone or windows.text != limits_text:
            return None
        return read if windows.since <= at_seconds < windows.until else None


def stored_counters(counters: Counters) -> StoredCounters:
    """The counters as they are kept.

    >>> from datetime import UTC
    >>> from fairlead.core.calendar.limits import counters_of, windows_at
    >>> noon = datetime(2026, 1, 1, 10, tzinfo=UTC)
    >>> windows = windows_at('{"leads_per_day":5,"leads_total":9}', "UTC", noon)
    >>> own = counters_of("provider", "p", windows, ((3, 1500), (9, 4500)), last_at=int(noon.timestamp()))
    >>> stored_counters(own).text
    '1767261600;day:1767225600:1767312000:3:1500:5:;total:::9:4500:9:'
    """
    counters.kept = text = f"{counters.last_at};{counters.windows.form % counters.numbers}"
    return StoredCounters(text, counters)


def _read(text: str, owner: Owner, owner_id: str, windows: Windows) -> Counters | None:
    if not _IS_STORED.fullmatch(text):
        return None  # it was tampered with: `verify` says so
    first, *parts = text.split(";")
    last_at, stored = int(first), dict[str, tuple[str, str, int, int]]()
    for part in parts:
        period, opened, closes, leads, cents, *_ = part.split(":")
        stored[period] = opened, closes, int(leads), int(cents)
    used: list[Used] = []
    for period, (opened_at, closes_at) in zip(windows.periods, windows.edges, strict=True):
        own = _used(stored, period, (_seconds(opened_at), _seconds(closes_at)), last_at)
        if own is None:
            return None
        used.append(own)
    try:
        own = counters_of(owner, owner_id, windows, used, last_at)
    except ValueError:
        return None  # so much was never sold: as above
    if text == f"{first};{own.recorded}":  # else it is of windows that are over, or not as it would be written
        own.kept = text
    return own


def _seconds(moment: datetime | None) -> str:
    return "" if moment is None else str(int(moment.timestamp()))


def _used(stored: _Stored, period: str, edges: tuple[str, str], last_at: int) -> Used | None:
    if period not in stored:
        return None
    opened, closes, leads, cents = stored[period]
    if (opened, closes) == edges:
        return leads, cents
    opens = int(edges[0])
    return (0, 0) if int(closes) <= opens and last_at < opens else None
