"""Where ids come from."""

import secrets
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import psycopg
from uuid_utils import uuid7

from fairlead.store.simulated_clock import SimulatedClock, simulated_clock_of


class HasClock(Protocol):
    """A database: with a time that is set, or with None that of the server."""

    simulated_clock: SimulatedClock | None


def new_id(of: "HasClock | psycopg.Connection[tuple[Any, ...]] | None" = None) -> str:
    """A version 7 UUID, as text: rising with the database's time, so that rows written together lie together.

    Without a database or a connection of one it is of the real time, which what keeps the machinery going wants.
    """
    clock = simulated_clock_of(of) if of is None or isinstance(of, psycopg.Connection) else of.simulated_clock
    return str(uuid7()) if clock is None else clock.new_id()


def new_salt() -> bytes:
    """16 random bytes for a commitment."""
    return secrets.token_bytes(16)


def ids_from(moment: datetime, aside: timedelta = timedelta()) -> UUID:
    """The lowest id of that time: none that was made then or later is lower. Ids begin with their milliseconds.

    `aside` moves the time, also beyond the first and the last that there can be.

    >>> from datetime import UTC
    >>> ids_from(datetime(2026, 1, 1, tzinfo=UTC))
    UUID('019b76da-a800-0000-0000-000000000000')
    >>> ids_from(datetime.max.replace(tzinfo=UTC), timedelta(days=-1)) < ids_from(datetime.max.replace(tzinfo=UTC))
    True
    """
    return UUID(int=min(max(0, int((moment.timestamp() + aside.total_seconds()) * 1000)), (1 << 48) - 1) << 80)
