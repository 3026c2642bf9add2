"""How times and long texts are written in messages: plainly, and the same in every language."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def local_time(moment: datetime, timezone: str) -> str:
    """A moment as the clocks show it in the time zone; in UTC, and saying so, where the zone is not known.

    Raises ValueError for a time that does not know its own zone.

    >>> local_time(datetime(2026, 3, 1, 13, 5, tzinfo=UTC), "Europe/Berlin")
    '2026-03-01 14:05 (Europe/Berlin)'
    """
    if moment.tzinfo is None:
        raise ValueError("a time needs its time zone")
    try:
        zone, name = ZoneInfo(timezone), timezone
    except (KeyError, ValueError, OSError):  # unknown; no name of a zone; a directory of zones
        zone, name = UTC, "UTC"
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M} ({name})"


def indented(text: str) -> str:
    """The text with its further lines set in by four spaces, so that none can pass for a line of the message.

    >>> indented("one\\ntwo")
    'one\\n    two'
    """
    return "\n    ".join(text.splitlines())
