"""Every column of every table is tampered with: `verify` finds it, or the page says that nothing covers it.

A new column is tried by itself. When this fails for one, either let an invariant of store/invariants cover it (compare
it with the journal or the audit log), or list it in docs/reference/failure-modes.md, with the reason.
"""

from collections.abc import Generator

import psycopg
import pytest

from fairlead.store.connection import Database, Timeouts
from tests.chaos.tampering import (
    CHANGES,
    DELETED,
    IN_PART,
    NOT_COVERED,
    columns,
    drop_constraints,
    found,
    is_found,
    listed,
    tampering,
)
from tests.chaos.whole_market import play
from tests.conftest import TEMPLATE

ADVICE = "cover it by an invariant, or list it in docs/reference/failure-modes.md: see the top of this test"


@pytest.fixture(scope="module")
def market(server_url: str) -> Generator[Database]:
    """The marketplace in which everything happened, without what would keep a superuser's hand away."""
    base = server_url.rsplit("/", 1)[0]
    name = "tampering_columns"
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"create database {name} template {TEMPLATE}".encode())
        with Database(f"{base}/{name}", "fairlead", Timeouts(30_000, 10_000, 30_000)) as database:
            play(database)
            with database.snapshot() as snapshot:
                assert not found(snapshot), "it holds before anything is tampered with"
            drop_constraints(database)
            yield database
        conn.execute(f"drop database {name} with (force)".encode())


def _is_found(market: Database, table: str, statement: str) -> bool | None:
    """Whether `verify` finds what the statement does to the table; None when it does nothing."""
    with tampering(market) as conn:
        if not conn.execute(statement.encode()).rowcount:
            return None
        return is_found(conn, table)


def _verdict(market: Database, table: str, column: str, kind: str | None) -> str:
    """`covered` when a change of the newest row is found, `in part` when one of all rows is, else `not covered`."""
    if column == DELETED:
        one = f"delete from {table} where ctid = (select max(ctid) from {table})"
        return "covered" if _is_found(market, table, one) else "not covered"
    assert kind in CHANGES, f"say in tests/chaos/tampering.py how a value of type {kind} is made another one"
    change = f"update {table} set {column} = {CHANGES[kind].format(c=column)} where "
    newest = f"ctid = (select ctid from {table} where {column} is not null order by ctid desc limit 1)"
    if _is_found(market, table, change + newest):
        return "covered"
    return "in part" if _is_found(market, table, change + f"{column} is not null") else "not covered"


@pytest.mark.long
def test_every_column_is_covered_or_listed(market: Database) -> None:
    uncovered, partly = listed(NOT_COVERED), listed(IN_PART)
    with market.transaction() as conn:
        tables = columns(conn)
    wrong: list[str] = []
    tried = 0
    for table, own in tables.items():
        if "*" in uncovered.get(table, set()):
            continue
        for column, kind in [(DELETED, None), *((name, kind) for name, kind, _ in own)]:
            tried += 1
            verdict = _verdict(market, table, column, kind)
            is_listed = column in uncovered.get(table, set())
            if (verdict == "not covered") != is_listed or (
                verdict == "in part" and column not in partly.get(table, set())
            ):
                words = "is" if is_listed else "is not"
                wrong.append(f"{table}.{column} is {verdict}, and {words} listed as not covered")
    assert not wrong, "\n".join([ADVICE, *wrong])
    assert tried > 150, "hardly anything was tampered with"


def test_what_is_listed_is_there(market: Database) -> None:
    with market.transaction() as conn:
        known = {table: {DELETED, "*", *(name for name, _, _ in own)} for table, own in columns(conn).items()}
    for heading in (NOT_COVERED, IN_PART):
        assert listed(heading), heading
        for table, names in listed(heading).items():
            assert names <= known.get(table, set()), f"the page lists what {table} does not have: {names}"
