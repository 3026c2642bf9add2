"""A moment that an option names."""

from datetime import UTC, datetime

from fairlead.core.errors import BadInput


def moment_in(text: str, option: str) -> datetime:
    """The moment, in UTC where the text names no offset. Raises `BadInput`, naming the option.

    >>> moment_in("2026-03-01T14:00", "--at").isoformat()
    '2026-03-01T14:00:00+00:00'
    """
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput([f"{option}: {text!r} is no time; it should look like 2026-03-01T14:00Z"]) from None
