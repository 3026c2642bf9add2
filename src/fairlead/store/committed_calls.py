"""Whether a commit whose answer was lost has happened: each call leaves its id in its own transaction."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from typing import Any, Generic, TypeAlias, TypeVar

import psycopg

from fairlead.store.ids import ids_from, new_id

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]
Result = TypeVar("Result")


class Call(Generic[Result]):
    """Work that is done in one transaction after the other until one of them is committed.

    The id is of this call alone, so that a later attempt tells what it did itself from what others did meanwhile.
    """

    def __init__(
        self, work: Callable[[Connection], Result], finish: Callable[[Connection, Result], None] | None = None
    ) -> None:
        self._work = work
        self._finish = finish
        self._call_id = new_id()  # forgotten by the real time, too
        self._ended: tuple[Result] | None = None

    def attempt(self, conn: Connection) -> Result:
        """What the work returns, done in this transaction; or what it returned in an earlier one that was committed.

        An earlier one whose commit is still under way is waited for. Afterwards the transaction is to be committed.
        """
        if self._ended is None:
            result = self._finished(conn, self._work(conn), has_left_id=False)
        elif _leave_id(conn, self._call_id):
            result = self._finished(conn, self._work(conn), has_left_id=True)
        else:
            return self._ended[0]
        self._ended = (result,)
        return result

    def _finished(self, conn: Connection, result: Result, *, has_left_id: bool) -> Result:
        """The result, when what finishes the work is done and the id is left: all of it sent at once."""
        with nullcontext() if self._finish is None else conn.pipeline():
            if self._finish is not None:
                self._finish(conn, result)
            if not has_left_id and _may_have_written(conn):
                _leave_id_if_written(conn, self._call_id)
        return result


def _may_have_written(conn: Connection) -> bool:
    """Whether the server takes writes at all: of a standby even an insert of no rows is refused."""
    told = conn.info.parameter_status
    return told("in_hot_standby") != "on" and told("default_transaction_read_only") != "on"


def _leave_id_if_written(conn: Connection, call_id: str) -> None:
    """The id is committed with what the transaction changed or locked; where that is nothing, so is this."""
    conn.execute(
        "insert into committed_calls (call_id) select %s::uuid where pg_current_xact_id_if_assigned() is not null",
        (call_id,),
    )


def _leave_id(conn: Connection, call_id: str) -> bool:
    """False: an earlier transaction of the call committed it, having been waited for. No lock may be held before."""
    done = conn.execute("insert into committed_calls (call_id) values (%s) on conflict do nothing", (call_id,))
    return done.rowcount == 1


def delete_calls(conn: Connection, before: datetime) -> int:
    """Calls that began before that time are forgotten; returns how many."""
    return conn.execute("delete from committed_calls where call_id < %s", (ids_from(before),)).rowcount
