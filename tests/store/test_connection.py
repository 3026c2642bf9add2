"""What is wrong with the server is not held against the leads."""

import subprocess
import sys
import time
from typing import Any

import psycopg
import pytest

from fairlead.core.errors import Unavailable
from fairlead.flows.distribute import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database, Timeouts
from fairlead.store.distribution import rosters
from tests.flows.marketplaces import HOSTING, declare

LEAD = {"cores": 4, "region": "north"}


@pytest.fixture
def niche_id(database: Database) -> str:
    """A niche in which three leads wait."""
    declare(database, HOSTING)
    submit_leads(database, "hosting", [LEAD] * 3, OPERATOR, approve=True)
    with database.snapshot() as conn:
        row = conn.execute("select id::text from niches").fetchone()
    assert row is not None
    return row[0]


def test_a_session_that_was_ended_for_its_slowness_is_tried_again(
    database: Database, niche_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, loads = rosters.load_roster, []

    def slow_at_first(*words: Any) -> Any:
        loads.append(load(*words))
        if len(loads) == 1:
            time.sleep(0.8)
        return loads[-1]

    monkeypatch.setattr(rosters, "load_roster", slow_at_first)
    with Database(database.url, "fairlead", Timeouts(idle_in_transaction_ms=300)) as impatient:
        decided = Distributor(impatient).distribute_waiting(niche_id)
    assert (len(decided.decisions), decided.failures, decided.batch_error) == (3, (), None)
    assert loads


def test_a_server_that_takes_no_writes_fails_no_lead(database: Database, niche_id: str) -> None:
    with read_only(database) as standby, pytest.raises(Unavailable, match="read-only"):
        Distributor(standby).distribute_waiting(niche_id)
    with database.snapshot() as conn:
        waiting = conn.execute("select count(*) from leads where awaits_decision").fetchone()
    assert waiting == (3,)


def test_a_mistake_of_ours_is_not_called_an_outage(database: Database) -> None:
    with pytest.raises(Exception, match="nonsense"):
        database.run(lambda conn: conn.execute("select nonsense"))
    with pytest.raises(Exception, match="nonsense"), database.snapshot() as conn:
        conn.execute("select nonsense")


def test_where_somebody_waits_a_taken_pool_is_an_outage_within_moments(database: Database) -> None:
    with Database(database.url, "fairlead", max_connections=1, patience_seconds=0.4) as impatient:
        with impatient.transaction():
            began = time.monotonic()
            with pytest.raises(Unavailable):
                impatient.run(lambda conn: conn.execute("select 1"))
            assert 0.4 <= time.monotonic() - began < 0.8, "it was tried again for somebody who had gone"
        assert impatient.run(lambda conn: conn.execute("select 1").fetchone()) == (1,)


def test_where_somebody_waits_no_lock_is_waited_for_again(database: Database, niche_id: str) -> None:
    timeouts = Timeouts(lock_ms=300)
    with (
        Database(database.url, "fairlead", timeouts, patience_seconds=0.2) as impatient,
        database.transaction() as conn,
    ):
        conn.execute("select from niches for update")
        began = time.monotonic()
        with pytest.raises(Unavailable):
            impatient.run(lambda conn: conn.execute("select from niches for update"))
        assert time.monotonic() - began < 0.6


def test_a_server_that_is_back_is_noticed_by_whoever_asks_next(damaged_database: Database, server_url: str) -> None:
    name = damaged_database.url.rsplit("/", 1)[1]

    def ask(asked: Database) -> object:
        return asked.run(lambda conn: conn.execute("select 1").fetchone())

    with Database(damaged_database.url, "fairlead", max_connections=2, patience_seconds=0.5) as impatient:
        assert ask(impatient) == (1,)
        with psycopg.connect(server_url, autocommit=True) as server:
            server.execute(f"alter database {name} allow_connections false".encode())
            server.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,))
            away_until = time.monotonic() + 5
            while time.monotonic() < away_until:
                began = time.monotonic()
                with pytest.raises(Unavailable):
                    ask(impatient)
                assert time.monotonic() - began < 1.5
            server.execute(f"alter database {name} allow_connections true".encode())
        back_at = time.monotonic()
        while True:
            try:
                assert ask(impatient) == (1,)
                break
            except Unavailable:
                assert time.monotonic() - back_at < 2.5, "the pool asks ever more seldom"


def read_only(database: Database) -> Database:
    """The same database, as a standby would let it be used."""

    class Standby(Database):
        def connection_settings(self) -> dict[str, Any]:
            settings = super().connection_settings()
            settings["options"] += " -c default_transaction_read_only=on"
            return settings

    return Standby(database.url, "fairlead")


FROZEN = """
import os, signal, sys
from fairlead.store.connection import Database, Timeouts
bounds = Timeouts(idle_in_transaction_ms=1_000, transaction_ms=2_000)
with Database(sys.argv[1], "fairlead", bounds) as database, database.transaction() as conn:
    conn.execute("select from niches for no key update")
    with conn.pipeline():
        conn.execute("select 1")
        print("frozen", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
"""


def test_a_process_that_stands_still_in_the_middle_of_its_writes_holds_nobody_up(
    database: Database, niche_id: str
) -> None:
    """After a pipeline the server waits for its client without counting that as idle: only the whole is bounded."""
    with database.snapshot() as conn:
        if conn.info.server_version < 170_000:
            pytest.skip("PostgreSQL bounds whole transactions from version 17 on")
    with subprocess.Popen([sys.executable, "-c", FROZEN, database.url], stdout=subprocess.PIPE, text=True) as frozen:
        try:
            assert frozen.stdout is not None
            assert frozen.stdout.readline() == "frozen\n"
            assert len(Distributor(database).distribute_waiting(niche_id)) == 3
        finally:
            frozen.kill()


def test_the_server_notices_a_client_that_vanished(database: Database) -> None:
    with database.snapshot() as conn:
        idle, interval, count = (
            int(conn.execute(f"show tcp_keepalives_{name}".encode()).fetchall()[0][0])
            for name in ("idle", "interval", "count")
        )
    assert 0 < idle + interval * count <= 60
