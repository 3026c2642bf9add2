"""What the sweep behind every test leaves out cannot find anything, and what it asks finds what `verify` finds."""

import pytest

from fairlead.flows.proving.verify import verify
from fairlead.store.connection import Database
from fairlead.store.invariants.engine import INVARIANTS, check_invariants
from fairlead.store.invariants.invariant import Invariant
from tests.closing_sweep import first_violations, holds_rows, sweep, tables_of
from tests.flows.sales import sell

OWN_TABLES = """
select table_name::text from information_schema.tables
where table_schema = current_schema() and table_type = 'BASE TABLE'
"""


def test_in_empty_tables_no_check_finds_anything(damaged_database: Database) -> None:
    """So a check need not be asked while all tables that it names are empty."""
    with damaged_database.transaction() as conn:
        conn.execute("set local session_replication_role = replica")  # what is appended only is emptied, too
        for (name,) in conn.execute(OWN_TABLES).fetchall():
            conn.execute(f"truncate {name} cascade".encode())
        tables = holds_rows(conn)
        found = {each.invariant.name: each.first for each in check_invariants(conn, INVARIANTS) if each.first}
        assert found == {}
        assert [each.name for each in INVARIANTS if not tables_of(each, tables)] == [], "never asked"


def test_a_table_that_holds_a_row_is_asked_about(damaged_database: Database) -> None:
    sell(damaged_database)
    finds = Invariant("no provider", "select 0", "select id::text from providers")
    with damaged_database.transaction() as conn:
        assert len(first_violations(conn, [*INVARIANTS, finds])) == 1
        assert first_violations(conn, INVARIANTS) == []


def test_what_is_found_is_said_check_by_check(damaged_database: Database) -> None:
    sale = sell(damaged_database)
    with damaged_database.transaction() as conn:
        conn.execute("update providers set balance_cents = balance_cents + 1 where id = %s", (sale.anchor_id,))
    [broken] = [check for check in verify(damaged_database).checks if not check.holds]
    with pytest.raises(AssertionError, match=broken.name):
        sweep(damaged_database)
    sweep(damaged_database, {broken.name})


def test_a_journal_that_is_not_in_order_is_found(damaged_database: Database) -> None:
    """What no query of the rows sees: the hash of an entry."""
    sell(damaged_database)
    with damaged_database.transaction() as conn:
        conn.execute("set local session_replication_role = replica")
        conn.execute("update audit_log set hash = decode(repeat('00', 32), 'hex') where seq = 1")
    with pytest.raises(AssertionError, match="audit log chained and hashed"):
        sweep(damaged_database)
