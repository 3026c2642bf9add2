"""What may be said of an exception: its kind and where it was raised, never its text.

The text of a database's or a library's error repeats what it was handed, and that may be a person's data.
"""

import re
import traceback
from types import FrameType

_SQLSTATE = re.compile(r"[0-9A-Z]{5}")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,60}")
_MOST_FRAMES = 30
_MOST_CAUSES = 5


def error_kind(exception: BaseException) -> str:
    """The exception's type, with the database's code or our own where it has one, and what it arose from.

    For example `UniqueViolation 23505`, `Refused lead_unknown`, `Unavailable from AdminShutdown 57P01`. Of a bounded
    number of texts, none of which repeats what was entered: fit for a log, a label and a row.
    """
    cause = exception.__cause__
    return _named(exception) if cause is None else f"{_named(exception)} from {_named(cause)}"


def error_frames(exception: BaseException) -> list[str]:
    """Where the exception passed, as `module:line function`, the outermost first; behind it those of its causes."""
    frames: list[str] = []
    current: BaseException | None = exception
    for depth in range(_MOST_CAUSES):
        if current is None:
            break
        if depth:
            frames.append(f"from {_named(current)}")
        walked = list(traceback.walk_tb(current.__traceback__))[-_MOST_FRAMES:]
        frames.extend(_place(frame, line) for frame, line in walked)
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return frames


def _place(frame: FrameType, line: int) -> str:
    module = frame.f_globals.get("__name__", "?")
    return f"{module}:{line} {frame.f_code.co_name}"


def _named(exception: BaseException) -> str:
    name = type(exception).__name__
    sqlstate: object = getattr(exception, "sqlstate", None)
    if isinstance(sqlstate, str) and _SQLSTATE.fullmatch(sqlstate):
        return f"{name} {sqlstate}"
    # Only our own codes are known to be names; another library's `code` may be anything.
    code: object = getattr(exception, "code", None)
    if type(exception).__module__.startswith("fairlead.") and isinstance(code, str) and _CODE.fullmatch(code):
        return f"{name} {code}"
    return name
