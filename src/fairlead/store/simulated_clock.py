"""A time that is set instead of read: for tests, for a history that is made afterwards, and for simulations.

A database that is opened with one has all its transactions at that time, and ids of that time (ADR 23). There is no
setting, role or session variable for it: only Python that constructs both can want it.
"""

import random
from datetime import datetime, timedelta
from threading import Lock
from typing import Any
from uuid import UUID

import psycopg

TICK = timedelta(microseconds=1)
"""No two readings are the same, as those of a server's clock are not."""

_COUNTER_BITS, _DICE_BITS = 32, 42


class SimulatedClock:
    """Stands where it was set, and is a tick later with each reading; several threads may read it at once.

    Its ids are version 7 UUIDs of its time, rising, and the same for the same start and seed. Two clocks of one
    marketplace need another start or seed, or their ids may meet.

    >>> from datetime import UTC
    >>> one, other = (SimulatedClock(datetime(2026, 1, 1, tzinfo=UTC), seed=7) for _ in range(2))
    >>> one.now() < one.now(), one.new_id() < one.new_id(), one.new_id()[:18]
    (True, True, '019b76da-a800-7000')
    >>> other.new_id() == SimulatedClock(datetime(2026, 1, 1, tzinfo=UTC), seed=7).new_id()
    True
    """

    def __init__(self, start: datetime, seed: int = 0) -> None:
        """Raises ValueError for a start without a time zone."""
        self._lock = Lock()
        self._now = _aware(start)
        self._dice = random.Random(f"{seed}/{start.timestamp()}")  # noqa: S311  # reproducible ids, nothing secret
        self._id_count = 0

    def now(self) -> datetime:
        """The time, a tick after the reading before."""
        with self._lock:
            self._now += TICK
            return self._now

    def new_id(self) -> str:
        """A version 7 UUID of the present time, higher than the one before unless the clock was set back since."""
        with self._lock:
            self._id_count += 1
            count = self._id_count % (1 << _COUNTER_BITS)
            value = count << _DICE_BITS | self._dice.getrandbits(_DICE_BITS)
            milliseconds = round(self._now.timestamp() * 1000)
        high, low = value >> 62, value & ((1 << 62) - 1)
        return str(UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low))

    def set(self, moment: datetime) -> None:
        """It is that moment from now on. Raises ValueError for one without a time zone."""
        with self._lock:
            self._now = _aware(moment)

    def advance_to(self, moment: datetime) -> None:
        """It is that moment from now on, or as late as it is already. Raises ValueError for one without a time zone."""
        with self._lock:
            self._now = max(self._now, _aware(moment))


def simulated_clock_of(conn: psycopg.Connection[tuple[Any, ...]] | None) -> SimulatedClock | None:
    """The clock that the connection's database was opened with; None: the server's."""
    clock: SimulatedClock | None = getattr(conn, "simulated_clock", None)
    return clock


def simulated_now(conn: psycopg.Connection[tuple[Any, ...]]) -> datetime | None:
    """What a statement that reads the time itself is to take instead: `coalesce(%s::timestamptz, clock_timestamp())`.

    None where the server's clock counts, which costs nothing.
    """
    clock = simulated_clock_of(conn)
    return None if clock is None else clock.now()


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a simulated clock needs a time with its zone")
    return moment
