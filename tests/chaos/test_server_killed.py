"""The whole server is killed while leads are distributed: what was acknowledged is kept, and nothing is half done."""

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from fairlead.core.errors import Unavailable
from fairlead.flows.distribute import Distributor
from fairlead.store.connection import Database
from fairlead.store.embedded.cluster import Cluster
from fairlead.store.embedded.scratch import scratch_cluster
from fairlead.store.schema import migrate
from tests.conftest import sweep
from tests.race.marketplaces import Niche, Provider, Terms, add_leads, add_providers, open_niche, subscribe
from tests.race.processes import Report, Workers, opened
from tests.waiting import PATIENCE_SECONDS, wait_until

TERMS = (Terms(5000, 1, 1), Terms(2000, 2, 2), Terms(1000, 3, 5))
WORKERS = 3
BATCH_LIMIT = 2
UNTOLD_PER_KILL = WORKERS * BATCH_LIMIT
"""How many leads may have been decided by transactions that were under way when the server was killed."""


@pytest.fixture
def durable() -> Iterator[Cluster]:
    """A server of its own with the settings that a marketplace runs with."""
    with scratch_cluster(extra_settings={}) as cluster:
        yield cluster


def decide_and_tell(url: str, niche_id: str, told: Any) -> Report:
    """Decides until no lead waits, telling each lead once it is known to be decided, through whatever outage."""
    outages = 0
    with opened(url) as database:
        distributor = Distributor(database, BATCH_LIMIT)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                done = distributor.distribute_waiting(niche_id)
            except Unavailable:
                outages += 1
                assert time.monotonic() < deadline, "the server never came back"
                continue
            assert not done.failures, done.failures
            if not done:
                return Report(restarts=outages)
            for decision in done.decisions:
                told.put(decision.lead_id)


@pytest.mark.slow
@pytest.mark.chaos
def test_a_killed_server_loses_nothing_that_was_acknowledged(durable: Cluster) -> None:
    _kill_under_load(durable, leads=60, kills=1)


@pytest.mark.chaos_long
def test_a_server_killed_again_and_again_loses_nothing_that_was_acknowledged(durable: Cluster) -> None:
    _kill_under_load(durable, leads=900, kills=6)


def _kill_under_load(cluster: Cluster, leads: int, kills: int) -> None:
    url = cluster.url
    with Database(url, "fairlead") as database:
        migrate(database)
        niche, lead_ids = market(database, leads)
    workers = Workers()
    told: Any = workers.context.Queue()
    acknowledged: list[str] = []
    listener = threading.Thread(target=lambda: acknowledged.extend(iter(told.get, None)))
    listener.start()
    for _ in range(WORKERS):
        workers.start(decide_and_tell, url, niche.niche_id, told)
    for kill in range(kills):
        wait_for_count(acknowledged, (kill + 1) * leads // (kills + 2))
        kill_server(cluster)
        assert len(acknowledged) < leads - UNTOLD_PER_KILL, "it was killed too late to disturb anybody"
        assert cluster.start() == url
    workers.results()
    told.put(None)
    listener.join(PATIENCE_SECONDS)

    with Database(url, "fairlead") as database:
        sweep(database)
        with database.snapshot() as conn:
            rows = conn.execute("select id::text, status, distribution_attempts from leads").fetchall()
    assert {row[0] for row in rows} == {*lead_ids}
    assert {row[1:] for row in rows} == {("distributed", 1)}
    # Told at most once each. One whose answer was lost together with its server may not have been told.
    assert max(Counter(acknowledged).values()) == 1
    assert len(lead_ids) - len(acknowledged) <= UNTOLD_PER_KILL * kills


def wait_for_count(acknowledged: list[str], count: int) -> None:
    """So many leads were acknowledged."""
    wait_until(lambda: len(acknowledged) >= count, f"the decision of {count} leads", pause_seconds=0.001)


def market(database: Database, leads: int) -> tuple[Niche, list[str]]:
    """A niche with rich providers, and so many leads that wait in it."""
    people = [Provider(f"p{number:02}", 10_000_000, (1, 2, 5)) for number in range(12)]
    with database.transaction() as conn:
        niche = open_niche(conn, "moving", TERMS)
        subscribe(conn, niche, people, add_providers(conn, people, "all"))
        return niche, add_leads(conn, niche, [40] * leads)


def kill_server(cluster: Cluster) -> None:
    """The postmaster and every process that it started are killed at one moment; the server is down."""
    postmaster = cluster.status().pid
    assert postmaster is not None
    listing = subprocess.run(["ps", "-axo", "pid=,ppid="], check=True, capture_output=True, text=True).stdout
    pairs = [tuple(map(int, line.split())) for line in listing.splitlines()]
    for pid in (postmaster, *(pid for pid, parent in pairs if parent == postmaster)):
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not cluster.status().running, "the end of the server")
