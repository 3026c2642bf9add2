"""Commits that happen while their answer is lost, without a relay between: for tests of what a call is told then."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

import psycopg
import pytest

from fairlead.store.connection import Connection, Database


@contextmanager
def answers_lost(meanwhile: Callable[[], object] = lambda: None) -> Generator[list[str]]:
    """Within the block the connection of each call's first transaction that writes breaks just after its commit.

    `meanwhile` is done before the next attempt. Yields a list that gets an entry for each answer that was lost.
    """
    real, lost = Database.transaction, list[str]()
    is_attempted_again = False

    @contextmanager
    def transaction(self: Database) -> Generator[Connection]:
        nonlocal is_attempted_again
        with real(self) as conn:
            yield conn
            row = conn.execute("select pg_current_xact_id_if_assigned() is not null").fetchone()
        if is_attempted_again or row != (True,):
            is_attempted_again = False
            return
        is_attempted_again = True
        lost.append("lost")
        with pytest.MonkeyPatch.context() as calm:
            calm.setattr(Database, "transaction", real)
            meanwhile()
        raise psycopg.OperationalError("the answer to the commit was lost")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Database, "transaction", transaction)
        yield lost
