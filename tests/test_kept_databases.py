"""A database that is kept cannot be told from a new one, and the sweep finds in it what it finds in any."""

import re
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from fairlead.store.connection import Database
from tests.closing_sweep import sweep
from tests.conftest import TEMPLATE
from tests.flows.sales import sell
from tests.kept_databases import MOST_DEAD_ROWS, MOST_TESTS, KeptDatabase, KeptDatabases, Session

CHANGES = [
    "create table fairlead.more (id int)",
    "create view fairlead.more as select 1 as one",
    "create index more on fairlead.providers (name)",
    "create function fairlead.more() returns int language sql as 'select 1'",
    "create schema more",
    "create sequence more",
    "alter table fairlead.providers add column more text",
    "alter table fairlead.providers alter column name drop not null",
    "alter table fairlead.providers alter column balance_cents set default 1",
    "alter table fairlead.providers disable trigger all",
    "alter table fairlead.providers disable row level security",
    "alter sequence fairlead.jobs_id_seq increment 2",
    "drop table fairlead.jobs cascade",
    "grant select on fairlead.providers to public",
    "grant select (name) on fairlead.providers to public",
    "comment on table fairlead.providers is 'those who buy'",
    "alter default privileges grant select on tables to public",
    "do $$ begin execute format('alter database %I set work_mem = 1024', current_database()); end $$",
    "do $$ begin execute format('grant create on database %I to public', current_database()); end $$",
    "select lo_create(0)",
    "analyze fairlead.audit_head",
    "vacuum fairlead.audit_head",
]
"""Each leaves something that is no row of a marketplace."""


@pytest.fixture
def databases(server_url: str, superuser: Session) -> Generator[KeptDatabases]:
    """Without those of other tests."""
    databases = KeptDatabases(server_url, superuser, TEMPLATE)
    yield databases
    databases.close()


def everything(database: KeptDatabase) -> dict[str, object]:
    """All rows, and where the sequences are."""
    rows = "select array_agg(each::text order by 1) from fairlead.{} each"
    place = "select last_value, is_called from fairlead.{}"
    with psycopg.connect(database.url) as conn:
        names = conn.execute(
            "select relname::text, relkind = 'S' from pg_class "
            "where relnamespace = 'fairlead'::regnamespace and relkind in ('r', 'S')"
        ).fetchall()
        return {
            name: conn.execute((place if is_sequence else rows).format(name).encode()).fetchone()
            for name, is_sequence in names
        }


def test_what_one_test_wrote_is_gone_for_the_next(databases: KeptDatabases) -> None:
    with databases.lent() as database:
        new = everything(database)
        with Database(database.url, "fairlead") as marketplace:
            sell(marketplace)
        assert everything(database) != new
        first = database.name
    with databases.lent() as database:
        assert database.name == first
        assert everything(database) == new


def test_what_was_there_from_the_start_is_there_again(databases: KeptDatabases) -> None:
    with databases.lent() as database:
        new = everything(database)
        with psycopg.connect(database.url) as conn:
            conn.execute("set session_replication_role = replica")
            conn.execute("delete from fairlead.alembic_version")
            conn.execute("update fairlead.audit_head set hash = sha256(hash)")
            conn.execute("delete from fairlead.live_head")
        first = database.name
    with databases.lent() as database:
        assert database.name == first
        assert everything(database) == new


@pytest.mark.parametrize("statement", CHANGES)
def test_where_more_than_rows_changed_the_next_test_gets_another(statement: str, databases: KeptDatabases) -> None:
    with databases.lent() as database:
        new = everything(database)
        with psycopg.connect(database.url, autocommit=True) as conn:
            conn.execute(statement.encode())
        first = database.name
    with databases.lent() as database:
        assert database.name != first
        assert everything(database) == new


def test_where_a_session_is_left_the_next_test_gets_another(databases: KeptDatabases) -> None:
    with databases.lent() as database:
        left = psycopg.connect(database.url)
        first = database.name
    with databases.lent() as database, left:
        assert database.name != first
        with pytest.raises(psycopg.OperationalError):
            left.execute("select 1")


def test_after_a_test_that_ended_all_sessions_the_next_gets_another(databases: KeptDatabases) -> None:
    with databases.lent() as database:
        with psycopg.connect(database.url) as conn:
            conn.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
        first = database.name
    with databases.lent() as database:
        assert database.name != first


def test_the_database_of_a_failed_test_is_not_lent_again(databases: KeptDatabases) -> None:
    with pytest.raises(ZeroDivisionError), databases.lent() as database:
        raise ZeroDivisionError
    with databases.lent() as other:
        assert other.name != database.name


def test_none_is_kept_for_long_or_with_many_dead_rows(databases: KeptDatabases) -> None:
    names: list[str] = []
    for _ in range(MOST_TESTS + 1):
        with databases.lent() as database:
            names.append(database.name)
    assert names[0] == names[MOST_TESTS - 1] != names[MOST_TESTS]
    with databases.lent() as database, psycopg.connect(database.url) as conn:
        conn.execute(
            "insert into fairlead.rate_limits (name, next_at) "
            "select number::text, now() from generate_series(1, %s) number",
            [MOST_DEAD_ROWS],
        )
    with databases.lent() as other:
        assert other.name != database.name


def test_a_sweep_that_was_planned_before_finds_what_a_new_one_finds(databases: KeptDatabases) -> None:
    for is_damaged in (False, True, False, True):
        with databases.lent() as database, Database(database.url, "fairlead") as marketplace:
            sale = sell(marketplace)
            sweep(marketplace, keeper=database.keeper)
            if not is_damaged:
                continue
            with marketplace.transaction() as conn:
                conn.execute("update providers set balance_cents = balance_cents + 1 where id = %s", (sale.anchor_id,))
            with pytest.raises(AssertionError, match="balance"):
                sweep(marketplace, keeper=database.keeper)


def test_nothing_else_is_remembered_of_a_database_by_its_address() -> None:
    """What is, `kept_database` forgets (tests/conftest.py), or a test would meet what another one left."""
    source = Path(__file__).parents[1] / "src" / "fairlead"
    reading = re.compile(r"database\.(?:url|direct_url|place)\b")
    files = {str(file.relative_to(source)) for file in source.rglob("*.py") if reading.search(file.read_text("utf-8"))}
    # The address of the same marketplace under another clock, and what `status` shows.
    assert files == {"flows/reporting/reports.py", "cli/demo/history.py", "cli/status.py"}


TOLD = b"""
set statement_timeout = '59s'; set timezone = 'Asia/Tokyo'; set session_replication_role = replica; set role pg_monitor;
select pg_advisory_lock(4711); listen more;
declare kept cursor with hold for select 1; set fairlead.provider_id = 'more'
"""
KNOWN = {
    "who": "select current_user::text",
    "settings": "select name, setting from pg_settings where source = 'session' order by 1",
    "provider": "select coalesce(current_setting('fairlead.provider_id', true), '')",
    "locks": "select count(*) from pg_locks where locktype = 'advisory'",
    "channels": "select count(*) from pg_listening_channels()",
    "cursors": "select count(*) from pg_cursors where name = 'kept'",
}


def test_of_what_a_test_told_its_session_the_next_finds_nothing(databases: KeptDatabases) -> None:
    sessions: list[int] = []
    known: list[dict[str, object]] = []
    for _ in range(2):
        with databases.lent() as database, database.warm.lent_to(Database(database.url, "fairlead")) as marketplace:
            with marketplace.transaction() as conn:
                sessions.append(conn.info.backend_pid)
                known.append({name: conn.execute(query.encode()).fetchall() for name, query in KNOWN.items()})
                with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState), conn.transaction():
                    conn.execute("select currval('jobs_id_seq')")
                conn.execute("select nextval('jobs_id_seq')")
            with marketplace.transaction() as conn:
                conn.execute(TOLD, prepare=False)
    assert known[0] == known[1]
    assert sessions[0] == sessions[1], "or this has tried nothing"


def test_a_session_that_is_no_more_or_not_idle_is_not_lent(databases: KeptDatabases) -> None:
    sessions: list[int] = []
    for _ in range(3):
        with databases.lent() as database, database.warm.lent_to(Database(database.url, "fairlead")) as marketplace:
            with marketplace.transaction() as conn:
                sessions.append(conn.info.backend_pid)
            with psycopg.connect(database.url) as other:
                other.execute("select pg_terminate_backend(%s, 10000)", [sessions[-1]])
    assert len({*sessions}) == 3
