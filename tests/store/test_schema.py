"""The schema: made once, however many make it; refused when it is not the right one; guarding what must not change."""

import subprocess
import sys
from collections.abc import Generator
from typing import LiteralString
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors

from fairlead.core.errors import Refused, Unavailable
from fairlead.flows.distributor import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.schema import MIGRATIONS, NEWEST_UNRELEASED, check_schema, current_revision, migrate
from fairlead.store.sql_files import run_statements
from tests.flows.marketplaces import HOSTING, declare
from tests.waiting import OUTLASTS_PATIENCE_MS

MIGRATE = """
import sys
from fairlead.store.connection import Database
from fairlead.store.schema import migrate
with Database(sys.argv[1], "fairlead") as database:
    print(migrate(database).before)
"""


@pytest.fixture
def empty_url(server_url: str) -> Generator[str]:
    """A database without anything in it."""
    name = f"empty_{uuid4().hex[:12]}"
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"create database {name}".encode())
        yield server_url.rsplit("/", 1)[0] + f"/{name}"
        conn.execute(f"drop database {name} with (force)".encode())


def test_processes_that_migrate_at_once_all_succeed_and_one_does_the_work(empty_url: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MIGRATE, empty_url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    ended = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0, 0], ended
    before = sorted(out.strip() for out, _ in ended)
    assert before.count("None") == 1, before


def test_two_marketplaces_share_a_database(empty_url: str) -> None:
    for schema_name in ("north", "south"):
        with Database(empty_url, schema_name) as database:
            migrate(database)
            declare(database, HOSTING)
            with database.snapshot() as conn:
                assert conn.execute("select count(*) from niches").fetchone() == (1,)


def test_a_missing_an_outdated_and_an_unknown_schema_are_refused(empty_url: str) -> None:
    with Database(empty_url, "fairlead") as database:
        with database.snapshot() as conn, pytest.raises(Refused, match="run `fairlead migrate`") as missing:
            check_schema(conn, "fairlead")
        assert missing.value.code == "schema_missing"
        migrate(database)
        for revision, code in (("0000", "schema_outdated"), ("9999", "schema_unknown")):
            with database.transaction() as conn:
                conn.execute("update alembic_version set version_num = %s", (revision,))
            with database.snapshot() as conn, pytest.raises(Refused) as refused:
                check_schema(conn, "fairlead")
            assert refused.value.code == code
        with pytest.raises(Refused, match="newer than this Fairlead"):
            migrate(database)
        with database.snapshot() as conn:
            assert current_revision(conn) == "9999"


@pytest.mark.parametrize(
    ("revision", "change"),
    [
        ("0002", ""),
        ("0016", ""),
        ("0001", "alter table alembic_version drop column baseline_sha256"),
        ("0001", "update alembic_version set baseline_sha256 = 'of another baseline'"),
        ("0017", "update alembic_version set baseline_sha256 = 'of another baseline'"),
    ],
)
def test_a_schema_of_an_unreleased_version_is_refused_and_left_alone(
    empty_url: str, revision: str, change: LiteralString
) -> None:
    with Database(empty_url, "fairlead") as database:
        migrate(database)
        with database.transaction() as conn:
            conn.execute("update alembic_version set version_num = %s", (revision,))
            if change:
                conn.execute(change)
        with pytest.raises(Refused, match=f"unreleased version of Fairlead .{revision}.*start anew") as refused:
            migrate(database)
        assert refused.value.code == "schema_unreleased"
        with database.snapshot() as conn:
            with pytest.raises(Refused, match="unreleased version"):
                check_schema(conn, "fairlead")
            assert current_revision(conn) == revision


def test_no_later_revision_is_called_what_an_unreleased_one_was() -> None:
    taken = [path.name for path in (MIGRATIONS / "versions").glob("[0-9]*.py") if path.name[:4] <= NEWEST_UNRELEASED]
    assert taken == ["0001_baseline.py"]


def test_a_file_of_statements_is_carried_out_one_command_at_a_time(database: Database) -> None:
    with database.transaction() as conn:
        run_statements(conn, "create table a (b text); -- a;\ninsert into a\nvalues (';'); -- with '%'\n")
        assert conn.execute("select b from a").fetchall() == [(";",)]
        with pytest.raises(errors.SyntaxError, match="multiple commands"):
            run_statements(conn, "select 1; select 2;\n")
        raise psycopg.Rollback


def test_a_migration_waits_for_another_and_gives_up_in_one_line(empty_url: str) -> None:
    with Database(empty_url, "fairlead") as database, psycopg.connect(empty_url) as conn:
        conn.execute(
            "select pg_advisory_lock(('x' || left(encode(sha256(%s), 'hex'), 16))::bit(64)::bigint)",
            (b"fairlead/migrate/fairlead",),
        )
        with pytest.raises(Unavailable, match="another migration"):
            migrate(database, wait_seconds=0.3)


@pytest.mark.parametrize("table", ["niche_journal", "ledger_entries", "audit_log", "payments", "assignments"])
@pytest.mark.parametrize("statement", ["delete from {}", "truncate {} cascade", "update {} set created_at = now()"])
def test_what_happened_cannot_be_unmade(database: Database, table: str, statement: str) -> None:
    declare(database, HOSTING)
    submit_leads(database, "hosting", [{"cores": 4, "region": "north"}], OPERATOR, approve=True)
    [niche_id] = _niches(database)
    assert Distributor(database).distribute_waiting(niche_id).decisions[0].recipients
    change = statement.format(table)
    terms = {"niche_journal": "recorded_at", "payments": "currency", "assignments": "price_cents"}
    change = change.replace("created_at = now()", f"{terms[table]} = {terms[table]}" if table in terms else "memo = ''")
    with pytest.raises(errors.RestrictViolation, match="append-only"), database.transaction() as conn:
        conn.execute(change.encode())


def test_an_assignment_without_its_purchase_cannot_be_committed(database: Database) -> None:
    declare(database, HOSTING)
    submit_leads(database, "hosting", [{"cores": 4, "region": "north"}] * 2, OPERATOR, approve=True)
    [niche_id] = _niches(database)
    Distributor(database, batch_limit=1).distribute_waiting(niche_id)
    with pytest.raises(errors.ForeignKeyViolation, match="assignments_are_paid"), database.transaction() as conn:
        conn.execute(
            """
            insert into assignments (id, lead_id, provider_id, subscription_id, competition_level_id, niche_id,
                                     journal_seq, served_seq, price_cents, ledger_seq, assigned_at)
            select gen_random_uuid(), (select id from leads where awaits_decision), provider_id, subscription_id,
                   competition_level_id, niche_id, journal_seq, served_seq + 100, price_cents, ledger_seq + 100, now()
            from assignments limit 1
            """
        )


def test_a_balance_cannot_pass_its_floor(database: Database) -> None:
    declare(database, HOSTING)
    with pytest.raises(errors.CheckViolation, match="above_its_floor"), database.transaction() as conn:
        conn.execute("update providers set balance_cents = -1")


def test_every_connection_has_its_bounds(database: Database) -> None:
    with database.transaction() as conn:
        shown = [
            conn.execute(f"show {name}".encode()).fetchone()
            for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "timezone")
        ]
    assert shown == [("30s",), ("10s",), (f"{OUTLASTS_PATIENCE_MS // 1000}s",), ("UTC",)]


def _niches(database: Database) -> list[str]:
    with database.snapshot() as conn:
        return [row[0] for row in conn.execute("select id::text from niches")]
