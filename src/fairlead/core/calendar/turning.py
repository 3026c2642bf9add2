"""What local time says for a while, kept until it turns: a window until the next begins, a schedule until it closes.

What is kept follows from the key and the moment alone, so asking it is as pure as reckoning it anew. Decisions go on in
time, and what was asked for a key last mostly holds still; asked about another time, it is reckoned again.
"""

from collections.abc import Callable, Hashable
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

MOST_KEPT = 65_536
"""So many keys are kept; one more, and all are reckoned anew."""


class Stretch(NamedTuple, Generic[Value]):
    """A value that holds from a moment on and before another."""

    since: datetime
    until: datetime
    value: Value


class UntilItTurns(Generic[Key, Value]):
    """Values by key, each with the stretch of time for which it holds. Safe for threads.

    >>> from datetime import UTC, timedelta
    >>> noon, asked = datetime(2026, 1, 1, 12, tzinfo=UTC), list[datetime]()
    >>> def hour_of(key: str, moment: datetime) -> Stretch[int]:
    ...     asked.append(moment)
    ...     since = moment.replace(minute=0)
    ...     return Stretch(since, since + timedelta(hours=1), since.hour)
    >>> hours = UntilItTurns(hour_of)
    >>> [hours.at("a", noon + timedelta(minutes=minutes)) for minutes in (0, 59, 60)], len(asked)
    ([12, 12, 13], 2)
    """

    def __init__(self, reckon: Callable[[Key, datetime], Stretch[Value]]) -> None:
        self._reckon = reckon
        self._kept: dict[Key, Stretch[Value]] = {}

    def at(self, key: Key, moment: datetime) -> Value:
        """What holds for the key at the moment. Raises what reckoning it raises."""
        kept = self._kept.get(key)
        if kept is None or not kept[0] <= moment < kept[1]:
            kept = self._reckon(key, moment)
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            self._kept[key] = kept
        return kept[2]

    def forget(self) -> None:
        """All is reckoned anew."""
        self._kept.clear()
