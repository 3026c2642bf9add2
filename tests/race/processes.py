"""Real operating-system processes that distribute, and the watching of what they wait for."""

import multiprocessing
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from typing import Any

import psycopg

from fairlead.flows import distribute
from fairlead.flows.distributor import Distributor
from fairlead.store.connection import Database, Timeouts
from tests.waiting import OUTLASTS_PATIENCE_MS, PATIENCE_SECONDS, wait_until

BOUNDS = Timeouts(OUTLASTS_PATIENCE_MS, OUTLASTS_PATIENCE_MS, OUTLASTS_PATIENCE_MS)


@dataclass(frozen=True)
class Report:
    """What one worker did: how many leads each of its transactions decided, in which order, and what it met."""

    batches: tuple[int, ...] = ()
    lead_ids: tuple[str, ...] = ()
    restarts: int = 0
    writes: int = 0
    error: str | None = None


@contextmanager
def opened(url: str, max_connections: int = 4) -> Iterator[Database]:
    """A database as a process of its own would open it."""
    with Database(url, "fairlead", BOUNDS, max_connections) as database:
        yield database


# What the workers do; each runs in a process of its own ----------------------------------------------------------


def decide_one(url: str, niche_id: str, lead_id: str) -> Report:
    """One lead, asked for by its id."""
    with opened(url) as database:
        done = Distributor(database).distribute_waiting(niche_id, lead_id)
    assert not done.failures, done.failures
    return Report(tuple([len(done)] if len(done) else []), tuple(d.lead_id for d in done.decisions))


def decide_all(url: str, niche_ids: Sequence[str], batch_limit: int) -> Report:
    """Leads of these niches in turn until none of them has any left."""
    restarts = count_restarts()
    batches: list[int] = []
    lead_ids: list[str] = []
    with opened(url) as database:
        distributor = Distributor(database, batch_limit)
        empty = 0
        while empty < len(niche_ids):
            empty = 0
            for niche_id in niche_ids:
                done = distributor.distribute_waiting(niche_id)
                assert not done.failures, done.failures
                empty += not done
                batches += [len(done)] if len(done) else []
                lead_ids += [decision.lead_id for decision in done.decisions]
    return Report(tuple(batches), tuple(lead_ids), len(restarts))


def count_restarts() -> list[Sequence[str]]:
    """From here on every transaction of this process that a held provider made start again is in the list."""
    seen: list[Sequence[str]] = []

    class Counted(distribute._ProviderHeld):
        def __init__(self, provider_ids: Sequence[str]) -> None:
            super().__init__(provider_ids)
            seen.append(provider_ids)

    distribute._ProviderHeld = Counted
    return seen


# Starting them and hearing from them -----------------------------------------------------------------------------


class Workers:
    """Processes that run one function each; `results` waits for all of them."""

    def __init__(self) -> None:
        self.context = _context()
        self._answers = self.context.SimpleQueue()
        self._started: list[BaseProcess] = []

    def start(self, work: Callable[..., Report], *args: Any) -> BaseProcess:
        """A process runs `work` from now on."""
        process = self.context.Process(target=_report, args=(self._answers, work, args), daemon=True)
        process.start()
        self._started.append(process)
        return process

    def wait_until_blocked(self, url: str) -> None:
        """All of them wait for a lock at the same moment. Fails when one of them never does."""
        with psycopg.connect(url, autocommit=True, application_name="watch") as conn:

            def all_wait() -> bool:
                assert self._answers.empty(), f"a worker did not wait for a lock: {self._answers.get()}"
                return _one(conn, WAITING) >= len(self._started)

            wait_until(all_wait, "every worker waiting for a lock")

    def results(self) -> list[Report]:
        """What each reported; a worker's error is this test's failure."""
        reports: list[Report] = []
        while len(reports) < len(self._started):
            wait_until(lambda: not self._answers.empty(), f"an answer beside {len(reports)}")
            reports.append(self._answers.get())
        for process in self._started:
            process.join(PATIENCE_SECONDS)
        errors = [report.error for report in reports if report.error]
        assert not errors, "\n".join(errors)
        return reports


def _report(answers: Any, work: Callable[..., Report], args: Sequence[Any]) -> None:
    try:
        answers.put(work(*args))
    except BaseException:
        answers.put(Report(error=traceback.format_exc()))


def _context() -> Any:
    """Processes forked from a server that has imported everything once: independent of this one, and quick."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.race.processes", "tests.race.writers"])
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    try:
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
    return context


# Watching what they wait for -------------------------------------------------------------------------------------

WAITING = """
    select count(*) from pg_stat_activity
    where datname = current_database() and application_name = 'fairlead' and wait_event_type = 'Lock'
"""

ALIVE = "select count(*) from pg_stat_activity where client_port = any(%s)"


def wait_until_blocked(url: str, *runs: "Future[Any]") -> None:
    """As many sessions wait for a lock, at one moment, as there are runs. Fails when one of them ends before that."""
    with psycopg.connect(url, autocommit=True, application_name="watch") as conn:

        def all_wait() -> bool:
            for run in runs:
                assert not run.done(), f"it did not wait for a lock: {run.exception() or run.result()}"
            return _one(conn, WAITING) >= len(runs)

        wait_until(all_wait, "every run waiting for a lock")


def wait_until_gone(url: str, client_ports: Sequence[int]) -> None:
    """The server has no session any more whose client sits at one of these ports."""
    with psycopg.connect(url, autocommit=True, application_name="watch") as conn:
        wait_until(lambda: not _one(conn, ALIVE, list(client_ports)), "the end of a session whose client is gone")


def deadlocks(url: str) -> int:
    """How many deadlocks the server had to break in this database, whether or not the transaction was tried again.

    A session may keep its counts to itself for a second; one that was broken had waited as long before (the server's
    `deadlock_timeout`), and tells when it rolls back. No other count of `pg_stat_*` is that prompt: those of what one
    connection read are in `pg_stat_xact_*`.
    """
    with psycopg.connect(url, autocommit=True, application_name="watch") as conn:
        return _one(conn, "select deadlocks from pg_stat_database where datname = current_database()")


@contextmanager
def sampled_waits(url: str) -> Iterator[list[int]]:
    """How many sessions waited for a lock, every few milliseconds while the block runs; only the moments with any."""
    seen: list[int] = []
    stop = threading.Event()

    def sample() -> None:
        with psycopg.connect(url, autocommit=True, application_name="watch") as conn:
            while not stop.wait(0.005):
                waiting = _one(conn, WAITING)
                if waiting:
                    seen.append(waiting)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield seen
    finally:
        stop.set()
        thread.join()


def _one(conn: "psycopg.Connection[Any]", query: Any, *values: Any) -> int:
    row = conn.execute(query, values or None).fetchone()
    assert row is not None
    return int(row[0])
