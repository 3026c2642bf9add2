"""A real server for the whole run, a fresh marketplace for each test, and the invariant sweep behind every one."""

from collections.abc import Generator

import psycopg
import pytest
from hypothesis import Phase, settings
from psycopg import sql

from fairlead.flows.reporting import reports
from fairlead.store.connection import Database, Timeouts
from fairlead.store.embedded.scratch import scratch_cluster
from fairlead.store.schema import migrate
from tests.closing_sweep import sweep
from tests.collecting import LeanCollection
from tests.kept_databases import KeptDatabase, KeptDatabases, named
from tests.order import longest_early
from tests.quick_passwords import use_quick_passwords
from tests.seeded_bugs.bug import NOTICED
from tests.waiting import OUTLASTS_PATIENCE_MS

TEMPLATE = "fairlead_template"

BOUNDS = Timeouts(30_000, 10_000, OUTLASTS_PATIENCE_MS)

settings.register_profile("unhurried", settings.get_profile(settings.get_current_profile_name()), deadline=None)
settings.load_profile("unhurried")
"""Properties have no deadline: how long one example takes says more about the machine than about the code."""

settings.register_profile("quick", max_examples=30)
"""What `python3 dev.py test` tries of each property. CI and the run of a file try a hundred, as Hypothesis does."""

settings.register_profile("unshrunk", phases=[each for each in Phase if each not in (Phase.shrink, Phase.explain)])
"""The bank of seeded bugs asks whether a property fails. What its smallest failure is would take it longer."""


def pytest_configure(config: pytest.Config) -> None:
    """The markers of tests/by_hand.py and tests/order.py are known, and nothing is looked for where it cannot be."""
    config.pluginmanager.register(LeanCollection())
    config.addinivalue_line("markers", "rows_by_hand(*checks): sets rows by hand, which these checks rightly find")
    config.addinivalue_line("markers", "long: takes many seconds, but no run leaves it out; started early")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a run of several processes what takes longest comes early in each of them."""
    worker: dict[str, object] | None = getattr(config, "workerinput", None)
    if worker is not None:
        longest_early(items, int(str(worker["workercount"])))


@pytest.fixture(scope="session")
def server_url() -> Generator[str]:
    """A throw-away PostgreSQL that holds one migrated template database; superuser."""
    with scratch_cluster() as cluster:
        url = cluster.superuser_url
        with psycopg.connect(url, autocommit=True) as conn:
            quick_handshakes(conn)
            no_vacuum_in_between(conn)
            conn.execute(f"create database {TEMPLATE}".encode())
        with Database(named(url, TEMPLATE), "fairlead") as database:
            migrate(database)
        yield url


def quick_handshakes(conn: psycopg.Connection[tuple[object, ...]]) -> None:
    """Connecting proves the same password with one round of hashing instead of thousands: half of what it costs."""
    if conn.info.server_version >= 160_000:
        conn.execute("set scram_iterations = 1")
        alter = sql.SQL("alter role {} password {}")
        conn.execute(alter.format(sql.Identifier(conn.info.user), sql.Literal(conn.info.password)))


def no_vacuum_in_between(conn: psycopg.Connection[tuple[object, ...]]) -> None:
    """No table is cleaned or counted but by a test: it would cost a processor, and the kept database (its sizes)."""
    conn.execute("alter system set autovacuum = off")
    conn.execute("select pg_reload_conf()")


@pytest.fixture(autouse=True)
def password_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords cost next to nothing; the tests of passwords take this back."""
    use_quick_passwords(monkeypatch)


@pytest.fixture(scope="session")
def superuser(server_url: str) -> Generator[psycopg.Connection[tuple[object, ...]]]:
    """A connection that makes databases and drops them: one for all tests, since a new one takes longer than that."""
    with psycopg.connect(server_url, autocommit=True) as conn:
        yield conn


@pytest.fixture(scope="session")
def kept_databases(server_url: str, superuser: psycopg.Connection[tuple[object, ...]]) -> Generator[KeptDatabases]:
    """Where the databases of this process's tests come from."""
    databases = KeptDatabases(server_url, superuser, TEMPLATE)
    yield databases
    databases.close()


@pytest.fixture
def kept_database(
    kept_databases: KeptDatabases,
    superuser: psycopg.Connection[tuple[object, ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> Generator[KeptDatabase]:
    """A database with the newest schema and nothing in it; kept for another test where that can be had again."""
    # All that a process remembers of a database by its address (tests/test_kept_databases.py).
    monkeypatch.setattr(reports, "_noted", set())
    with kept_databases.lent() as database:
        yield database
    drop_unused_portal_roles(superuser)


@pytest.fixture
def database_url(kept_database: KeptDatabase) -> str:
    """Of a database with the newest schema and nothing in it."""
    return kept_database.url


def drop_unused_portal_roles(conn: psycopg.Connection[tuple[object, ...]]) -> None:
    """Roles outlive their database: those that no database of the server has use for any more are gone."""
    unused = conn.execute(
        """
        select rolname::text from pg_roles r where rolname ~ '_portal_[0-9a-f]{8}$' and not exists (
            select from pg_shdepend d where d.refclassid = 'pg_authid'::regclass and d.refobjid = r.oid
            and d.dbid <> 0)
        """
    ).fetchall()
    for (name,) in unused:
        conn.execute(f'drop role if exists "{name}"'.encode())


@pytest.fixture
def database(kept_database: KeptDatabase, request: pytest.FixtureRequest) -> Generator[Database]:
    """A fresh marketplace; when the test is over, everything in it must still be provable.

    A test that sets rows by hand, past the flows that would have recorded it, names the checks that say so with
    `rows_by_hand` (tests/by_hand.py): they are left out, all others are made. A test whose subject is the damage takes
    `damaged_database` instead.
    """
    with kept_database.warm.lent_to(Database(kept_database.url, "fairlead", BOUNDS, max_connections=12)) as fresh:
        yield fresh
        marks = request.node.iter_markers("rows_by_hand")
        sweep(fresh, frozenset(name for mark in marks for name in mark.args), kept_database.keeper)


@pytest.fixture
def damaged_database(kept_database: KeptDatabase) -> Generator[Database]:
    """A fresh marketplace without the sweep, for tests whose subject is the damage."""
    with kept_database.warm.lent_to(Database(kept_database.url, "fairlead", BOUNDS, max_connections=12)) as fresh:
        yield fresh


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The run's last words: which test noticed which seeded bug, in whatever process that was."""
    reports = terminalreporter.stats.get("passed", [])
    rows = [what for report in reports for name, what in report.user_properties if name == NOTICED]
    if rows:
        terminalreporter.section("seeded bugs: who noticed")
        width = max(len(bug) for bug, _ in rows)
        for bug, test in sorted(rows):
            terminalreporter.write_line(f"{bug:<{width}}  {test}")
