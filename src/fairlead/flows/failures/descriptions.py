"""What went wrong, in words that may be stored: kinds, places and names, never the values that a row holds."""

from fairlead.core.errors import BadInput, Broken, FairleadError, Refused
from fairlead.store.database_errors import is_of_the_data
from fairlead.telemetry.errors import error_frames, error_kind

LONGEST_ERROR = 500
LONGEST_TRACE = 8_000


def failure_text(error: BaseException) -> str:
    """The kind of error and, where it is our own and cannot hold personal data, what it says; one line."""
    kind = error_kind(error)
    return f"{kind}: {error}"[:LONGEST_ERROR] if isinstance(error, Refused | Broken) else kind


def failure_trace(error: BaseException) -> str:
    """Where it went wrong, outermost first: module, line and function, no values."""
    return "\n".join([*error_frames(error), failure_text(error)])[-LONGEST_TRACE:]


def is_permanent(error: BaseException) -> bool:
    """Whether trying again cannot help: the request, the rows or the books are wrong, not the moment."""
    return isinstance(error, Refused | BadInput | Broken) or (
        not isinstance(error, FairleadError) and is_of_the_data(error)
    )
