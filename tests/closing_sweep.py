"""The sweep behind every test of a database: what `verify` proves, in fewer statements as long as nothing is found.

Asked one by one, the checks of the rows cost more than most tests do: some fifty statements, each planned by a server
process that knows none of the tables yet. But most tests fill few tables, and in tables that are all empty a check
finds nothing (tests/store/invariants/test_closing_sweep.py); the other checks are asked several at once, and only
whether they find something. What that is, `verify` says, check by check.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache

import psycopg

from fairlead.flows.proving.verify import verify, verify_snapshot
from fairlead.store.connection import Connection, Database
from fairlead.store.invariants.engine import INVARIANTS, plan_for_whole_tables
from fairlead.store.invariants.invariant import Invariant

CHECKS_A_STATEMENT = 4
"""More of them cost the server more than the statements that are saved."""

TABLES = """
select relname::text, relkind in ('r', 'p') from pg_class
where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p', 'v', 'm') and not relispartition
order by relname
"""


def sweep(database: Database, left_out: Collection[str] = (), keeper: Connection | None = None) -> None:
    """Every invariant holds and every decision replays, but for the checks that are left out.

    They are asked in the keeper's session where there is one (tests/kept_databases.py), which has planned them before.
    """
    if _finds_nothing(database, [each for each in INVARIANTS if each.name not in left_out], keeper):
        return
    result = verify(database, allow_empty=True)
    broken = {check.name: check.differences for check in result.checks if not check.holds}
    assert broken.keys() <= {*left_out}, f"{broken}; a test that sets rows by hand names those checks: tests/by_hand.py"


def _finds_nothing(database: Database, asked: Sequence[Invariant], keeper: Connection | None) -> bool:
    if keeper is not None:
        with suppress(psycopg.OperationalError), keeper.transaction():  # some tests end every session
            keeper.execute("set transaction isolation level repeatable read, read only")
            return not first_violations(keeper, asked) and verify_snapshot(keeper, invariants=()).holds
    with database.snapshot(is_long=True) as conn:
        return not first_violations(conn, asked) and verify_snapshot(conn, invariants=()).holds


def first_violations(conn: Connection, invariants: Sequence[Invariant]) -> list[str]:
    """What the checks find, of several that are asked together one line. Needs a transaction."""
    plan_for_whole_tables(conn)
    rows = holds_rows(conn)
    asked = [each for each in invariants if any(rows[table] for table in tables_of(each, rows))]
    with conn.pipeline():
        answers = [conn.execute(query) for query in _together(asked)]
    return [line for each in answers for (line,) in each.fetchmany(1)]


def holds_rows(conn: Connection) -> dict[str, bool]:
    """Of each table whether it has a row, as far as this transaction sees; of a view it is taken for granted."""
    are_tables: dict[str, bool] = dict(conn.execute(TABLES).fetchall())
    answers = ", ".join(f"exists (select from {name})" if is_table else "true" for name, is_table in are_tables.items())
    [row] = conn.execute(f"select {answers}".encode()).fetchall()
    return dict(zip(are_tables, row, strict=True))


def tables_of(invariant: Invariant, tables: Mapping[str, bool]) -> set[str]:
    """The tables that the check's query names."""
    return tables.keys() & _words(invariant.violations)


@cache
def _words(query: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", query))


def _together(invariants: Sequence[Invariant]) -> Iterator[bytes]:
    """Statements that return a line when one of the checks has a violation."""
    for first in range(0, len(invariants), CHECKS_A_STATEMENT):
        some = invariants[first : first + CHECKS_A_STATEMENT]
        yield " union all ".join(
            f"(select line from ({each.violations}) each (line) limit 1)" for each in some
        ).encode()
