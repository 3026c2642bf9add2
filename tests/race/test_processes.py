"""The watching itself: a deadlock that the server broke is counted, at once and where it was."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest
from psycopg import errors

from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from tests.race.processes import deadlocks, wait_until_blocked
from tests.waiting import PATIENCE_SECONDS


def test_a_deadlock_is_counted_while_both_sessions_are_still_open(database: Database, database_url: str) -> None:
    with database.transaction() as conn:
        conn.execute("create table taken (id uuid primary key)")
    first, second = UUID(str(new_id())), UUID(str(new_id()))
    take = "insert into taken values (%s)"
    with (
        psycopg.connect(database_url, application_name="fairlead") as one,
        psycopg.connect(database_url, application_name="fairlead") as other,
        ThreadPoolExecutor(1) as threads,
    ):
        for conn, value in ((one, first), (other, second)):
            conn.execute("set search_path = fairlead")
            conn.execute(take, (value,))
        other.execute("set local deadlock_timeout = '1h'")  # the other of the two is the one that is broken
        waiting = threads.submit(other.execute, take, (first,))
        wait_until_blocked(database_url, waiting)
        assert deadlocks(database_url) == 0
        with pytest.raises(errors.DeadlockDetected):
            one.execute(take, (second,))
        one.rollback()
        waiting.result(PATIENCE_SECONDS)
        assert deadlocks(database_url) == 1
