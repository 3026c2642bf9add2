"""Workers that say which leads they know to be decided, while the server is lost and comes back."""

import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

from fairlead.core.errors import Unavailable
from fairlead.flows.distributor import Distributor
from fairlead.store.connection import Database
from fairlead.store.embedded.cluster import Cluster
from tests.closing_sweep import sweep
from tests.race.marketplaces import Niche, Provider, Terms, add_leads, add_providers, open_niche, subscribe
from tests.race.processes import Report, Workers, opened
from tests.waiting import PATIENCE_SECONDS, wait_until

TERMS = (Terms(5000, 1, 1), Terms(2000, 2, 2), Terms(1000, 3, 5))
BATCH_LIMIT = 2


class Deciding:
    """So many workers that decide the leads of a niche, each in a process of its own, through every outage."""

    def __init__(self, url: str, niche_id: str, worker_count: int) -> None:
        self.acknowledged: list[str] = []
        self.untold_per_outage = worker_count * BATCH_LIMIT
        """How many leads may have been decided by transactions that were under way when the server was lost."""
        self._workers = Workers()
        self._told: Any = self._workers.context.Queue()
        self._listener = threading.Thread(target=lambda: self.acknowledged.extend(iter(self._told.get, None)))
        self._listener.start()
        for _ in range(worker_count):
            self._workers.start(decide_and_tell, url, niche_id, self._told)

    def wait_for(self, count: int) -> None:
        """So many leads were acknowledged."""
        wait_until(lambda: len(self.acknowledged) >= count, f"the decision of {count} leads", pause_seconds=0.001)

    def finish(self) -> None:
        """Every worker has found that no lead waits any more, and all that they said was heard."""
        self._workers.results()
        self._told.put(None)
        self._listener.join(PATIENCE_SECONDS)

    def assert_nothing_lost(self, database: Database, lead_ids: Sequence[str], outages: int = 1) -> None:
        """Every lead was decided once, and every one that was acknowledged is among them."""
        sweep(database)
        with database.snapshot() as conn:
            rows = conn.execute("select id::text, status, distribution_attempts from leads").fetchall()
        assert {row[0] for row in rows} == {*lead_ids}
        assert {row[1:] for row in rows} == {("distributed", 1)}
        # Told at most once each: a lead whose decision was lost would have been decided, and told, a second time. One
        # whose answer was lost together with its server may not have been told.
        assert max(Counter(self.acknowledged).values()) == 1
        assert len(lead_ids) - len(self.acknowledged) <= self.untold_per_outage * outages


def decide_and_tell(url: str, niche_id: str, told: Any) -> Report:
    """Decides until no lead waits, telling each lead once it is known to be decided, through every outage."""
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
