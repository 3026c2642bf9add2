"""Where ids come from."""

import secrets
from datetime import datetime, timedelta
from uuid import UUID

from uuid_utils import uuid7


def new_id() -> str:
    """A version 7 UUID, as text: rising with time, so that rows written together lie together."""
    return str(uuid7())


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
