"""Transactions that are parts of another one: they commit with it, and what fails in one of them is undone alone."""

import pytest

from fairlead.core.errors import Broken
from fairlead.store.connection import Connection, Database
from fairlead.store.joined import JoinedDatabase


def count(conn: Connection) -> int:
    row = conn.execute("select count(*) from rate_buckets").fetchone()
    assert row is not None
    return row[0]


def add(conn: Connection, name: str) -> None:
    conn.execute("insert into rate_buckets (name, full_at) values (%s, now())", (name,))


def test_all_parts_commit_together_or_not_at_all(database: Database) -> None:
    def whole(conn: Connection) -> tuple[int, int]:
        joined = JoinedDatabase(database, conn)
        joined.run(lambda part: add(part, "one"))
        with joined.transaction() as part:
            add(part, "two")
        assert database.run(count) == 0, "no other transaction sees them yet"
        with joined.snapshot() as part:
            return joined.read(count), count(part)

    def undone(conn: Connection) -> None:
        JoinedDatabase(database, conn).run(lambda part: add(part, "three"))
        raise KeyError

    assert database.run(whole) == (2, 2)
    with pytest.raises(KeyError):
        database.run(undone)
    assert database.run(count) == 2


def test_a_part_that_fails_is_undone_alone(database: Database) -> None:
    def failing(part: Connection) -> None:
        add(part, "two")
        add(part, "two")

    def whole(conn: Connection) -> None:
        joined = JoinedDatabase(database, conn)
        joined.run(lambda part: add(part, "one"))
        with pytest.raises(Exception, match="duplicate key"):
            joined.run(failing)
        joined.run(lambda part: add(part, "three"))

    database.run(whole)
    with database.snapshot() as conn:
        assert conn.execute("select name from rate_buckets order by 1").fetchall() == [("one",), ("three",)]


def test_it_is_the_same_database_and_owns_nothing(database: Database) -> None:
    with database.transaction() as conn:
        joined = JoinedDatabase(database, conn)
        assert (joined.is_joined, database.is_joined) == (True, False)
        assert (joined.schema_name, joined.url) == (database.schema_name, database.url)
        with pytest.raises(Broken):
            joined.bound_to("01900000-0000-7000-8000-000000000001")
        with pytest.raises(Broken), joined:
            pass
