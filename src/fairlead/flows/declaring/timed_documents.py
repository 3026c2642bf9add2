"""Limits and schedules as they come from outside: checked, and as they are stored."""

from collections.abc import Callable
from datetime import date, time
from typing import cast

from fairlead.core.calendar.limits import limits_problems, limits_text
from fairlead.core.calendar.schedule import schedule_problems
from fairlead.core.canonical import JsonObject, canonical_json
from fairlead.core.errors import BadInput

MOST_BYTES = 65_536
"""A larger schedule is refused: it is in each entry of the journal about its subscription."""


def checked_limits(document: object) -> str | None:
    """The limits as they are stored; None for none. Raises `BadInput` with every problem."""
    return _checked("limits", document, limits_problems)


def checked_schedule(document: object) -> str | None:
    """The schedule as it is stored; None for none. Raises `BadInput` with every problem."""
    return _checked("schedule", document, schedule_problems)


def _checked(name: str, document: object, problems_of: Callable[[object], list[str]]) -> str | None:
    if document is None:
        return None
    problems = problems_of(document)
    if not problems and len(canonical_json(cast(JsonObject, document))) > MOST_BYTES:
        problems = [f"it has more than {MOST_BYTES} bytes"]
    if problems:
        raise BadInput([f"{name}: {problem}" for problem in problems])
    return limits_text(cast(JsonObject, document))


def as_json(value: object) -> object:
    """What TOML says as JSON has it: TOML has dates, times and moments of its own.

    >>> as_json({"opens": time(22)})
    {'opens': '22:00'}
    """
    if isinstance(value, dict):
        return {name: as_json(each) for name, each in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [as_json(each) for each in cast("list[object]", value)]
    if isinstance(value, time):
        return f"{value:%H:%M}"
    return value.isoformat() if isinstance(value, date) else value
