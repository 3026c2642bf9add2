"""What an error of the database tells: of the server, of the moment, or of the work that was asked of it."""

import psycopg
from psycopg import errors

TRANSIENT = (
    errors.SerializationFailure,
    errors.DeadlockDetected,
    errors.LockNotAvailable,
    errors.ReadOnlySqlTransaction,
)


def is_transient(error: psycopg.Error) -> bool:
    """Whether the same transaction may succeed when it is simply run again."""
    if isinstance(error, TRANSIENT):
        return True
    # 08: the connection broke. 57P: the server is shutting down, crashed, or is starting up. 25P: the session was ended
    # because it was idle or slow. Without a code, the connection broke before one could arrive.
    return isinstance(error, psycopg.OperationalError | psycopg.InternalError) and (
        error.sqlstate is None or error.sqlstate.startswith(("08", "57P", "25P03", "25P04"))
    )


def is_outage(error: psycopg.Error) -> bool:
    """Whether the error tells of the server or the connection, and says nothing of the work that was asked of it.

    Data (22), constraints (23), grammar (42) and what our own functions raise (P0) are of the work.
    """
    if is_transient(error) or isinstance(error, psycopg.OperationalError):
        return True
    return isinstance(error, psycopg.InternalError) and not (error.sqlstate or "").startswith("P0")


def one_line(error: BaseException) -> str:
    """An error's text without its line breaks."""
    return " ".join(str(error).split()) or type(error).__name__


def is_of_the_data(error: BaseException) -> bool:
    """Whether the database refused the values themselves: the same work will be refused again."""
    return isinstance(error, errors.DataError | errors.IntegrityError)
