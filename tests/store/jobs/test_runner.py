"""Workers on a real queue: what they do, how they stop, and what they do about a database that goes away."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from fairlead.core.errors import Unavailable
from fairlead.store.committed_calls import Call
from fairlead.store.connection import Connection, Database
from fairlead.store.jobs import runner
from fairlead.store.jobs.queue import ISOLATED, Job, JobRun, Task, enqueue, jobs_at_all
from fairlead.store.jobs.runner import Bounds, Handler, QueueConfig, run_worker
from tests.waiting import PATIENCE_SECONDS, wait_until

QUEUES = (QueueConfig("distribute", 2), QueueConfig("webhook", 1))


def each(do: Callable[[JobRun], object]) -> Handler:
    """A handler that does its jobs one by one."""

    def handle(runs: Sequence[JobRun]) -> None:
        for run in runs:
            do(run)

    return handle


class Running:
    """A worker in a thread of its own."""

    def __init__(self, stop: threading.Event, ended: "Future[bool]") -> None:
        self._stop, self._ended = stop, ended

    def ask_to_stop(self) -> None:
        """It takes no more jobs from now on."""
        self._stop.set()

    def stopped(self) -> bool:
        """Whether it finished what was under way, once it has stopped."""
        self._stop.set()
        return self._ended.result(PATIENCE_SECONDS)


@contextmanager
def running(
    database: Database,
    handlers: Mapping[Task, Handler],
    shutdown_timeout_seconds: float = 20,
    queues: Sequence[QueueConfig] = QUEUES,
) -> Iterator[Running]:
    """A worker with these handlers works on the database's jobs."""
    stop, serving = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        bounds = Bounds(heartbeat_timeout_seconds=5, shutdown_timeout_seconds=shutdown_timeout_seconds)
        ended = pool.submit(run_worker, database, queues, handlers, bounds, stop, serving.set)
        try:
            assert serving.wait(PATIENCE_SECONDS)
            yield Running(stop, ended)
        finally:
            stop.set()


def put(database: Database, *jobs: Job) -> None:
    """The jobs are in the queue."""
    database.run(lambda conn: enqueue(conn, jobs))


def lead_job(name: str, delay_seconds: float = 0) -> Job:
    """A job that any lead might have."""
    return Job("distribute_lead", {"lead_id": name}, delay_seconds)


def left(database: Database) -> int:
    """How many jobs are in the queue."""
    return database.run(jobs_at_all)


def serving_threads() -> int:
    """How many threads of workers there are in this process."""
    return sum(thread.name in {config.queue for config in QUEUES} for thread in threading.enumerate())


def registered(database: Database) -> int:
    """How many workers are registered."""
    with database.snapshot() as conn:
        return conn.execute("select count(*) from workers").fetchall()[0][0]


def test_a_job_is_done_if_its_transaction_commits_and_never_otherwise(database: Database) -> None:
    seen: list[object] = []
    with running(database, {"distribute_lead": each(lambda run: seen.append(run.payload))}) as worker:
        put(database, lead_job("committed"))
        with pytest.raises(psycopg.errors.UndefinedTable):
            database.run(lambda conn: (enqueue(conn, [lead_job("rolled back")]), conn.execute("select from nowhere")))
        wait_until(lambda: seen and not left(database))
        assert worker.stopped()
    assert seen == [{"lead_id": "committed"}]


def test_any_number_of_jobs_is_enqueued_at_once_in_order(database: Database) -> None:
    put(database)
    put(database, *[lead_job(str(number)) for number in range(500)])
    seen: list[object] = []
    with running(database, {"distribute_lead": each(lambda run: seen.append(run.payload["lead_id"]))}) as worker:
        wait_until(lambda: not left(database))
        assert worker.stopped()
    assert sorted(seen, key=lambda name: int(str(name))) == [str(number) for number in range(500)]


def test_a_job_for_later_waits(database: Database) -> None:
    done_at: dict[object, float] = {}

    def note(run: JobRun) -> None:
        done_at[run.payload["lead_id"]] = time.monotonic()

    with running(database, {"distribute_lead": each(note)}):
        start = time.monotonic()
        put(database, lead_job("later", 1.5), lead_job("now"))
        wait_until(lambda: len(done_at) == 2)
    assert done_at["now"] < done_at["later"]
    assert done_at["later"] - start >= 1.5


def test_a_handler_that_raises_is_run_again(database: Database) -> None:
    runs: list[int] = []

    def fail_once(run: JobRun) -> None:
        runs.append(run.job_id)
        if len(runs) == 1:
            raise ConnectionError("no way to say what went wrong")

    with running(database, {"distribute_lead": each(fail_once)}):
        put(database, lead_job("x"))
        wait_until(lambda: len(runs) == 2 and not left(database))
    assert runs[0] == runs[1]


def test_no_more_jobs_run_at_once_than_the_lane_is_wide_and_lanes_do_not_wait_for_each_other(
    database: Database,
) -> None:
    at_once, most, lock, gate = 0, 0, threading.Lock(), threading.Event()
    leads: list[object] = []

    def webhook(_: JobRun) -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        assert gate.wait(PATIENCE_SECONDS)
        with lock:
            at_once -= 1

    with running(database, {"distribute_lead": each(leads.append), "send_webhook": each(webhook)}):
        put(database, *[Job("send_webhook", {"notification_id": str(number)}) for number in range(4)])
        wait_until(lambda: at_once == 1)
        put(database, *[lead_job(str(number)) for number in range(10)])
        wait_until(lambda: len(leads) == 10)
        gate.set()
        wait_until(lambda: not left(database))
    assert most == 1


def test_stopping_finishes_what_is_under_way_and_takes_nothing_more(database: Database) -> None:
    begun, gate, done = threading.Event(), threading.Event(), []
    of_others = serving_threads()

    def slow(run: JobRun) -> None:
        begun.set()
        assert gate.wait(PATIENCE_SECONDS)
        done.append(run.payload["lead_id"])

    with running(database, {"distribute_lead": each(slow)}) as worker:
        put(database, lead_job("under way"))
        assert begun.wait(PATIENCE_SECONDS)
        assert registered(database) == 1
        worker.ask_to_stop()
        # A thread that was looking for jobs already may find one yet: it takes what it found, and looks no more.
        wait_until(lambda: serving_threads() <= of_others + 1, "the end of the threads that had nothing to do")
        put(database, lead_job("too late"))
        gate.set()
        assert worker.stopped()
    assert done == ["under way"]
    assert left(database) == 1


STUCK = """
import os, sys, threading, time
from fairlead.store.connection import Database
from fairlead.store.jobs.runner import Bounds, QueueConfig, run_worker
stop = threading.Event()
def stuck(runs):
    stop.set()
    time.sleep(600)
with Database(sys.argv[1], "fairlead") as database:
    queues = [QueueConfig("distribute", 1)]
    print(run_worker(database, queues, {"distribute_lead": stuck}, Bounds(5, 0.5), stop), flush=True)
os._exit(0)
"""


def test_a_job_that_outlasts_the_drain_is_released_for_others(database: Database) -> None:
    put(database, lead_job("stuck"))
    # In a process of its own, which ends while the job still runs.
    ended = subprocess.run(
        [sys.executable, "-c", STUCK, database.url],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    assert ended.stdout == "False\n"
    with database.snapshot() as conn:
        rows = conn.execute("select state, (select count(*) from workers) from jobs").fetchall()
    assert rows == [("running", 0)]


def test_a_worker_whose_connections_are_all_cut_goes_on_by_itself(database: Database, server_url: str) -> None:
    seen: list[object] = []
    with running(database, {"distribute_lead": each(lambda run: seen.append(run.payload["lead_id"]))}) as worker:
        put(database, lead_job("before"))
        wait_until(lambda: seen == ["before"])
        with psycopg.connect(server_url, autocommit=True) as conn:
            name = database.url.rsplit("/", 1)[1]
            cut = conn.execute(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = %s", (name,)
            ).fetchone()
        assert cut is not None
        assert cut[0] >= 3
        put(database, lead_job("after"))
        wait_until(lambda: seen == ["before", "after"] and not left(database))
        assert worker.stopped()


def test_a_lane_takes_several_at_once_and_what_its_handler_leaves_waits_again(database: Database) -> None:
    batches: list[list[object]] = []

    def handle(runs: Sequence[JobRun]) -> list[int]:
        batches.append([run.payload["notification_id"] for run in runs])
        return [run.job_id for run in runs[1:]] if len(batches) == 1 else []

    put(database, *[Job("send_email", {"notification_id": number}) for number in range(3)])
    with running(database, {"send_email": handle}, queues=[QueueConfig("email", 1, batch_jobs=2)]) as worker:
        wait_until(lambda: not left(database))
        assert worker.stopped()
    assert batches == [[0, 1], [1, 2]]


def test_isolated_jobs_of_all_queues_run_one_at_a_time(database: Database) -> None:
    at_once, most, lock = 0, 0, threading.Lock()

    def note(_: JobRun) -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.02)  # long enough for another to come in, were it let
        with lock:
            at_once -= 1

    put(database, *[Job("send_email", is_isolated=True), Job("send_webhook", is_isolated=True)] * 3)
    with running(
        database, {"send_email": each(note), "send_webhook": each(note)}, queues=[*QUEUES, QueueConfig(ISOLATED, 1)]
    ):
        wait_until(lambda: not left(database))
    assert most == 1


def test_how_a_job_ended_is_recorded_in_the_end(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job whose end is not on record would count as running for as long as its worker lives."""
    monkeypatch.setattr(runner, "RECORD_AGAIN_SECONDS", (0.01,))
    real, refusals = runner.fetching.finish, iter([True, True])

    def refuse(conn: Connection, job_ids: Sequence[int], worker_id: int) -> int:
        if next(refusals, False):
            raise Unavailable("away")
        return real(conn, job_ids, worker_id)

    monkeypatch.setattr(runner.fetching, "finish", refuse)
    runs: list[int] = []
    with running(database, {"distribute_lead": each(lambda run: runs.append(run.job_id))}):
        put(database, lead_job("x"))
        wait_until(lambda: not left(database))
    assert len(runs) == 1


def test_what_was_fetched_just_before_the_database_went_away_is_done(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its worker lives, so nothing would ever rescue a job that this one does not know of."""
    monkeypatch.setattr(runner, "RECORD_AGAIN_SECONDS", (0.01,))
    real, lost = Database.run_call, threading.Event()

    def lose_an_answer(self: Database, call: Call[Any]) -> Any:
        runs = real(self, call)
        if isinstance(runs, list) and runs and not lost.is_set():
            lost.set()
            raise Unavailable("committed, but the answer was lost, and so was every attempt to ask")
        return runs

    monkeypatch.setattr(Database, "run_call", lose_an_answer)
    seen: list[int] = []
    with running(database, {"distribute_lead": each(lambda run: seen.append(run.job_id))}) as worker:
        put(database, lead_job("x"))
        wait_until(lambda: not left(database))
        assert worker.stopped()
    assert lost.is_set()
    assert len(seen) == 1
