"""Long tasks, some rows to a transaction: in the order of their keys, within the time of a run, never in a circle."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Generic, TypeVar

from fairlead.core.errors import Broken

Key = TypeVar("Key", str, int, date, tuple[datetime, str])


@dataclass(frozen=True, slots=True)
class ChunkDone(Generic[Key]):
    """What one step saw to: how many rows count, and the key of the last one; None: there is none beyond it."""

    count: int
    last: Key | None


class RunTime:
    """How long a run may go on: for so many seconds, and not beyond the moment at which its process is asked to end.

    `is_cut_short`: it was over before the work was, so that the next run has to go on.
    """

    def __init__(
        self,
        seconds: float | None = None,
        is_stopping: Callable[[], bool] = lambda: False,
        on_progress: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`on_progress` is told, after each chunk, how many rows of a task were seen to. Begins now."""
        self._ends_at = None if seconds is None else time.monotonic() + seconds
        self._is_stopping = is_stopping
        self.on_progress = on_progress
        self.is_cut_short = False

    def is_over(self) -> bool:
        """Whether what is left is left to the next run. Asked where there may be more to do."""
        if self._is_stopping() or (self._ends_at is not None and time.monotonic() >= self._ends_at):
            self.is_cut_short = True
            return True
        return False


def last_of(keys: Sequence[Key], limit: int) -> Key | None:
    """The key of the last row, of up to `limit` that were looked for; None where there is none beyond it.

    >>> last_of(["a", "b"], 2), last_of(["a"], 2), last_of([], 2)
    ('b', None, None)
    """
    return keys[-1] if len(keys) == limit else None


def in_chunks(step: Callable[[Key | None], ChunkDone[Key]], run_time: RunTime | None = None) -> int:
    """Every row that `step` finds was seen to, unless the run's time was over before; returns how many count.

    `step` is one transaction, or several that may end apart. It is given the key of the last row that was found, None
    at first, and sees to the next ones beyond it, in ascending order of their keys. Without `run_time` all of it is
    done. Raises what `step` raises, and `Broken` when it does not get beyond the key that it was given: it would go
    round in a circle, and keep its thread, and all that waits for it, for ever.
    """
    bound = run_time or RunTime()
    total, after = 0, None
    while not bound.is_over():
        chunk = step(after)
        if chunk.count:
            total += chunk.count
            bound.on_progress(total)
        if chunk.last is None:
            break
        if after is not None and not after < chunk.last:
            raise Broken(f"a task that goes by key found {chunk.last} after {after}: it would never end")
        after = chunk.last
    return total
