"""`fairlead status` and `fairlead migrate`: they say how things are, also when they are not well."""

from importlib.resources import files

import psycopg
import pytest

from fairlead.flows.distributor import Distributor
from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from fairlead.store.jobs.queue import Job, enqueue
from fairlead.store.jobs.workers import register
from tests.cli.program import Program
from tests.race.marketplaces import Provider, Terms, add_leads, add_providers, open_niche, subscribe

NEWEST = max(path.name[:4] for path in files("fairlead.store.migrations.versions").iterdir() if path.name[:4].isdigit())


@pytest.fixture
def fairlead(database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    return Program(monkeypatch, capsys, database_url)


def test_an_empty_marketplace(fairlead: Program) -> None:
    result = fairlead("status")
    assert result.status == 0
    assert f"schema       fairlead, revision {NEWEST}" in result.out
    assert "no lead awaits a decision" in result.out
    assert "none yet: fairlead apply" in result.out


def test_the_marketplace_in_numbers(fairlead: Program, database: Database) -> None:
    providers = [Provider("ana", 5000, (1,)), Provider("bo", 1000, (1,))]
    with database.transaction() as conn:
        niche = open_niche(conn, "moving", [Terms(1000, 2, 1)])
        subscribe(conn, niche, providers, add_providers(conn, providers, "moving"))
        add_leads(conn, niche, [40])
    Distributor(database).distribute_waiting(niche.niche_id)
    with database.transaction() as conn:
        add_leads(conn, niche, [41, 42])
        head = conn.execute("select journal_seq, encode(journal_head, 'hex') from niches").fetchall()[0]

    seen = fairlead("status", "--json").json
    assert (seen["ok"], seen["problem"]) == (True, None)
    assert seen["schema"] == {"name": "fairlead", "revision": NEWEST}
    assert seen["server"]["reachable"]
    assert not seen["server"]["embedded"]
    marketplace = seen["marketplace"]
    [moving] = marketplace.pop("niches")
    assert marketplace == {
        "currency": "EUR",
        "providers": {"active": 2},
        "balances_cents": 4000,
        "ledger_entries": 4,
        "ledger_total_cents": 4000,
        "audit_seq": 4,
        "leads_waiting": 2,
    }
    assert moving.pop("oldest_waiting_since").endswith("Z")
    assert moving == {
        "niche_id": niche.niche_id,
        "slug": "moving",
        "is_active": True,
        "levels": 1,
        "leads": {"approved": 2, "distributed": 1},
        "leads_waiting": 2,
        "subscriptions": {"active": 1, "insufficient_funds": 1},
        "assignments": 2,
        "journal_seq": head[0],
        "journal_head": head[1],
    }
    shown = fairlead("status").out
    assert "4 entries, 40.00 EUR in all" in shown
    assert "2 leads await a decision, the oldest since" in shown


def test_the_work_that_waits_and_who_does_it(fairlead: Program, database: Database) -> None:
    shown = fairlead("status").out
    assert "workers      none: nothing is distributed or sent until one runs" in shown
    assert "queues       empty" in shown
    assert "books        never reconciled yet" in shown
    with database.transaction() as conn:
        enqueue(conn, [Job("distribute_lead", {"lead_id": "a"}), Job("distribute_lead", {"lead_id": "b"}, 600)])
        register(conn)
        conn.execute(
            """
            insert into reconciliations (id, started_at, ended_at, checked_count, difference_count, differences)
            values (%s, now(), now(), 7, 2, '[]')
            """,
            (new_id(),),
        )
    shown = fairlead("status").out
    assert "workers      alive" in shown
    assert "queues       distribute 1 ready, 1 later, 0 running" in shown
    assert "2 differences: fairlead reconcile" in shown
    work = fairlead("status", "--json").json["work"]
    assert work["is_worker_alive"]
    assert work["reconciliation"]["difference_count"] == 2
    (queue,) = [queue for queue in work["queues"] if queue["queue"] == "distribute"]
    assert (queue["ready_jobs"], queue["scheduled_jobs"], queue["running_jobs"]) == (1, 1, 0)


def test_an_unreachable_database_is_said_in_one_line(fairlead: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRLEAD_DATABASE_URL", "postgresql://ana:secret@127.0.0.1:1/nothing")
    result = fairlead("status")
    assert (result.status, result.out) == (1, "")
    assert "127.0.0.1:1/nothing" in result.err
    assert "secret" not in result.err
    assert result.err.count("\n") == 1
    asked = fairlead("status", "--json")
    assert asked.status == 1
    assert (asked.json["ok"], asked.json["server"]["reachable"], asked.json["marketplace"]) == (False, False, None)


def test_status_shows_a_missing_schema_and_migrate_makes_it(
    fairlead: Program, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRLEAD_SCHEMA", "second")
    before = fairlead("status")
    assert before.status == 1
    assert "schema       second, not set up" in before.out
    assert before.err == "error: the schema 'second' is not set up: run `fairlead migrate`\n"

    assert fairlead("migrate").out == f"The schema second went from nothing to {NEWEST}.\n"
    again = fairlead("migrate", "--json")
    assert again.json == {
        "schema": "second",
        "before": NEWEST,
        "after": NEWEST,
        "changed": False,
        "has_portal_role": True,
    }
    assert fairlead("migrate").out == f"The schema second is at {NEWEST} already.\n"
    assert fairlead("status").status == 0

    with psycopg.connect(database_url) as conn:
        conn.execute("update second.alembic_version set version_num = '0000'")
    outdated = fairlead("status", "--json")
    assert outdated.status == 1
    assert outdated.json["schema"] == {"name": "second", "revision": "0000"}
    assert "run `fairlead migrate`" in outdated.json["problem"]


@pytest.mark.parametrize("verb", ["migrate", "serve", "worker --port 0", "status"])
def test_a_database_of_an_unreleased_version_is_refused_in_one_line(
    fairlead: Program, database_url: str, verb: str
) -> None:
    with psycopg.connect(database_url) as conn:
        conn.execute("update fairlead.alembic_version set version_num = '0016'")
    refused = fairlead(*verb.split())
    assert refused.status == 1
    assert refused.err.startswith("error: the schema 'fairlead' was made by an unreleased version of Fairlead (0016)")
    assert "start anew" in refused.err
    assert refused.err.count("\n") == 1
