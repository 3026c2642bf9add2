"""What went wrong, in words that may be stored: kinds, places and names, never the values that a row holds."""

import traceback
from pathlib import PurePath

from fairlead.core.errors import BadInput, Broken, FairleadError, Refused
from fairlead.store.connection import is_of_the_data, server_words

LONGEST_ERROR = 500
LONGEST_TRACE = 8_000


def failure_text(error: BaseException) -> str:
    """The kind of error and, where it cannot hold personal data, what it says; one line.

    The text of a foreign exception may repeat the value that it choked on. A database names the constraint that was
    broken and repeats the row beside it: only the name is kept.
    """
    kind = type(error).__name__
    if isinstance(error, Refused | Broken):
        return f"{kind}: {error}"[:LONGEST_ERROR]
    words = server_words(error)
    return f"{kind}: {words}" if words else kind


def failure_trace(error: BaseException) -> str:
    """Where it went wrong, outermost first: module, line, function and code, no values."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [
        f"{PurePath(frame.filename).stem}:{frame.lineno} in {frame.name}: {(frame.line or '').strip()}"
        for frame in frames
    ]
    return "\n".join([*lines, failure_text(error)])[-LONGEST_TRACE:]


def is_permanent(error: BaseException) -> bool:
    """Whether trying again cannot help: the request, the rows or the books are wrong, not the moment."""
    return isinstance(error, Refused | BadInput | Broken) or (
        not isinstance(error, FairleadError) and is_of_the_data(error)
    )
