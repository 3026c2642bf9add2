"""What is wrong with the server is not held against the leads."""

import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from fairlead.core.errors import Unavailable
from fairlead.flows.distributor import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Connection, Database, Timeouts
from fairlead.store.distribution import rosters
from tests.flows.marketplaces import HOSTING, declare
from tests.waiting import wait_until

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
    load, loads = rosters.read_roster_rows, []

    def slow_at_first(*words: Any) -> Any:
        loads.append(load(*words))
        if len(loads) == 1:
            time.sleep(0.8)
        return loads[-1]

    monkeypatch.setattr(rosters, "read_roster_rows", slow_at_first)
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


def test_where_a_client_waits_a_taken_pool_is_an_outage_within_moments(database: Database) -> None:
    impatient = Attempts(database.url, "fairlead", max_connections=1, patience_seconds=0.4)
    with impatient:
        with impatient.transaction():
            impatient.count = 0
            began = time.monotonic()
            with pytest.raises(Unavailable):
                impatient.run(lambda conn: conn.execute("select 1"))
            assert time.monotonic() - began >= 0.4
            assert impatient.count == 1, "it was tried again for a client that had gone"
        assert impatient.run(lambda conn: conn.execute("select 1").fetchone()) == (1,)


def test_where_a_client_waits_no_lock_is_waited_for_again(database: Database, niche_id: str) -> None:
    impatient = Attempts(database.url, "fairlead", Timeouts(lock_ms=300), patience_seconds=0.2)
    with impatient, database.transaction() as conn:
        conn.execute("select from niches for update")
        with pytest.raises(Unavailable):
            impatient.run(lambda conn: conn.execute("select from niches for update"))
        assert impatient.count == 1


class Attempts(Database):
    """Counts its transactions."""

    count = 0

    @contextmanager
    def transaction(self) -> Generator[Connection]:
        self.count += 1
        with super().transaction() as conn:
            yield conn


ASKED = 10


def connections_asked_for(asked: Database) -> int:
    """How many connections its pool has tried to open."""
    return asked._pool.get_stats()["connections_num"]  # pyright: ignore[reportPrivateUsage]


def test_a_server_that_is_back_is_noticed_by_the_next_to_ask(damaged_database: Database, server_url: str) -> None:
    name = damaged_database.url.rsplit("/", 1)[1]

    def ask(asked: Database) -> object:
        return asked.run(lambda conn: conn.execute("select 1").fetchone())

    def answers(asked: Database) -> bool:
        try:
            return ask(asked) == (1,)
        except Unavailable:
            return False

    with Database(damaged_database.url, "fairlead", max_connections=2, patience_seconds=0.5) as impatient:
        assert ask(impatient) == (1,)
        with psycopg.connect(server_url, autocommit=True) as server:
            server.execute(f"alter database {name} allow_connections false".encode())
            server.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", (name,))
            before = connections_asked_for(impatient)
            for _ in range(ASKED):
                with pytest.raises(Unavailable):
                    ask(impatient)
            # A pool that asks ever more seldom asks half as often in that time.
            assert connections_asked_for(impatient) - before >= ASKED
            server.execute(f"alter database {name} allow_connections true".encode())
        wait_until(lambda: answers(impatient), "an answer of the server that is back")


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
from fairlead.store.connection import Connection, Database, Timeouts
bounds = Timeouts(idle_in_transaction_ms=1_000, transaction_ms=2_000)
with Database(sys.argv[1], "fairlead", bounds) as database, database.transaction() as conn:
    conn.execute("select from niches for no key update")
    with conn.pipeline():
        conn.execute("select 1")
        print("frozen", flush=True)
    os.kill(os.getpid(), signal.SIGSTOP)
"""


def test_a_process_that_stands_still_in_the_middle_of_its_writes_holds_no_other_up(
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
