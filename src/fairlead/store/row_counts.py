"""Statements that change as many rows as they are given, or nothing is committed: the tables' side of a postcondition.

A condition in such a statement (the balance is what it was charged from, the lead still waits) makes the count say more
than that the rows are there: see the pairs in `core.postconditions`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, LiteralString, cast

import psycopg

from fairlead.core.errors import Broken
from fairlead.store.session_settings import SettledConnection

Connection = psycopg.Connection[tuple[Any, ...]]
Cursor = psycopg.Cursor[tuple[Any, ...]]


class RowsMissed(Broken):
    """A statement changed other rows than it was given; its transaction is rolled back. `promise` says which one."""

    def __init__(self, promise: str, found: int, expected: int) -> None:
        super().__init__(f"{promise}: {found} of {expected} rows were as they must be; nothing was changed")
        self.promise = promise


def change_rows(
    conn: Connection,
    promise: str,
    count: int,
    statement: LiteralString,
    parameters: Sequence[Any] | Mapping[str, Any],
) -> Cursor:
    """The statement is done and has changed, or returns, so many rows. `promise` is its stable name.

    Raises `RowsMissed` where it has not: here, or within a pipeline, whose answers come later, where the pipeline ends.
    """
    cursor = conn.execute(statement, parameters)

    def check() -> None:
        if cursor.rowcount != count:
            raise RowsMissed(promise, cursor.rowcount, count)

    if cursor.rowcount < 0:
        cast(SettledConnection, conn).when_answered(check)
    else:
        check()
    return cursor
