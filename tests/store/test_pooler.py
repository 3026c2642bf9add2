"""Through a connection pooler in transaction mode everything works that works without, or is refused in one line."""

import json
from collections.abc import Generator
from pathlib import Path
from threading import Event, Thread

import psycopg
import pytest

from fairlead.core.errors import Refused
from fairlead.flows.approve_lead import approve_lead
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Connection, Database, Timeouts
from fairlead.store.jobs.runner import Bounds, run_worker
from tests.chaos.workers import Fleet, environment
from tests.cli.program import Program
from tests.flows.marketplaces import HOSTING, declare
from tests.store.pooler import PROGRAM, pooler
from tests.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.skipif(PROGRAM is None, reason="pgbouncer is not installed")]

LEAD = {"cores": 4, "region": "north"}
REFUSAL = "behind a connection pooler: set FAIRLEAD_DIRECT_DATABASE_URL"


@pytest.fixture(params=[True, False], ids=["drops settings", "refuses settings"])
def pooled_url(request: pytest.FixtureRequest, database: Database) -> Generator[str]:
    """The marketplace's database through a pooler, whichever way that has with settings of a session."""
    with pooler(database.url, ignores_options=request.param) as url:
        yield url


def _settings(conn: Connection) -> tuple[str, ...]:
    names = ("search_path", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "timezone")
    row = conn.execute(f"select {', '.join(f'current_setting({name!r})' for name in names)}".encode()).fetchone()
    assert row is not None
    return row


def test_every_transaction_has_the_schema_and_the_bounds(pooled_url: str) -> None:
    with Database(pooled_url, "fairlead", Timeouts(30_000, 7_000, 20_000)) as database:
        for _ in range(3):
            with database.transaction() as conn:
                assert _settings(conn) == ("fairlead", "30s", "7s", "20s", "UTC")
        assert database.read(_settings)[0] == "fairlead"
        with database.snapshot() as conn:
            assert _settings(conn)[:2] == ("fairlead", "30s")
        with database.bound_to("01900000-0000-7000-8000-000000000000").transaction() as conn:
            assert conn.execute("select count(*) from assignments").fetchone() == (0,)
    # What was set ended with its transaction: the sessions are other clients' too.
    with psycopg.connect(pooled_url, autocommit=True) as other:
        assert _settings(other)[0] == '"$user", public'


def test_leads_are_sold_and_proven(
    database: Database,
    pooled_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    market, leads = tmp_path / "market.toml", tmp_path / "leads.csv"
    market.write_text(HOSTING)
    leads.write_text("cores,region\n" + "4,north\n8,south\n" * 10)
    run = Program(monkeypatch, capsys, pooled_url)
    monkeypatch.setenv("FAIRLEAD_DIRECT_DATABASE_URL", database.url)

    for words in (
        ("migrate",),
        ("apply", str(market)),
        ("leads", "import", str(leads), "--niche", "hosting", "--approve"),
        ("distribute", "--pending"),
        ("jobs", "queues"),
        ("verify",),
    ):
        ran = run(*words)
        assert ran.status == 0, (words, ran.err)
    assert json.loads(run("status", "--json").out)
    with database.snapshot() as conn:
        assert conn.execute("select count(*) from leads where distribution_attempts = 1").fetchone() == (20,)


def test_a_worker_hears_of_new_leads_and_sells_them(database: Database, pooled_url: str, tmp_path: Path) -> None:
    declare(database, HOSTING)
    fleet = Fleet(tmp_path, environment(pooled_url, direct_database_url=database.url))
    try:
        fleet.start_serving(1)
        lead_ids = submit_leads(database, "hosting", [LEAD] * 3, OPERATOR, approve=False)
        with Database(pooled_url, "fairlead") as pooled:
            for lead_id in lead_ids:
                approve_lead(pooled, lead_id, OPERATOR)

        def all_decided() -> bool:
            with database.snapshot() as conn:
                found = conn.execute("select count(*) from leads where distribution_attempts = 1").fetchone()
            return found == (3,)

        wait_until(all_decided, "the leads are decided")
    finally:
        fleet.end()


def test_what_needs_a_session_of_its_own_says_what_to_set(
    pooled_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Program(monkeypatch, capsys, pooled_url)
    for words in (("migrate",), ("jobs", "queues"), ("worker", "--port", "0")):
        ran = run(*words)
        assert ran.status == 1, words
        assert REFUSAL in ran.err, words
        assert [line for line in ran.err.splitlines() if not line.startswith("{")] == ran.err.splitlines()[-1:]
    # Declaring and reading need none.
    assert run("verify").status in (0, 1)
    assert REFUSAL not in run("explain", "01900000-0000-7000-8000-000000000000").err


def test_a_worker_is_refused_before_it_takes_a_job(pooled_url: str) -> None:
    with Database(pooled_url, "fairlead") as pooled, pytest.raises(Refused, match=REFUSAL):
        run_worker(pooled, [], {}, Bounds(30, 1), Event())


def test_many_at_once_share_few_sessions(database: Database, pooled_url: str) -> None:
    """More transactions at once than sessions: each keeps its own settings from its beginning to its end."""
    found: list[tuple[str, ...]] = []

    def look(pooled: Database) -> None:
        for _ in range(10):
            with pooled.transaction() as conn:
                before = _settings(conn)
                conn.execute("select pg_sleep(0.001)")
                assert _settings(conn) == before
                found.append(before)

    with (
        Database(pooled_url, "fairlead", Timeouts(11_000, 5_000, 9_000)) as ours,
        Database(pooled_url, "public", Timeouts(22_000, 6_000, 8_000)) as other,
    ):
        threads = [Thread(target=look, args=(each,)) for each in (ours, other) * 4]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(found) == 80
    assert {each[:4] for each in found} == {("fairlead", "11s", "5s", "9s"), ("public", "22s", "6s", "8s")}
