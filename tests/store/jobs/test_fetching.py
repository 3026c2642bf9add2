"""How jobs are found: at once, once, in their order, and without reading those that are not wanted."""

import threading
from contextlib import closing, suppress

import psycopg
import pytest

from fairlead.store.connection import Connection, Database
from fairlead.store.jobs import runner
from fairlead.store.jobs.fetching import fetch, finish, make_due, run_again
from fairlead.store.jobs.queue import ISOLATED, QUEUE_OF, Job, JobRun, Task, enqueue
from fairlead.store.jobs.rescue import lock_stalled, requeue
from fairlead.store.jobs.runner import Bounds, Handler, QueueConfig, run_worker
from fairlead.store.jobs.wake_up import listen
from tests.waiting import PATIENCE_SECONDS

BACKLOG = 3_000
FETCHES = 12  # of the first five, every plan would be made for the queue that is asked for


def rows_read(conn: Connection) -> int:
    """How many rows of the jobs this connection has read lately: a difference of two says what lies between."""
    query = "select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'jobs'"
    return conn.execute(query).fetchall()[0][0]


@pytest.mark.parametrize("wanted", sorted(QUEUE_OF))
def test_the_next_job_of_a_queue_is_found_without_reading_any_backlog(database: Database, wanted: Task) -> None:
    with database.transaction() as conn:
        conn.execute("analyze jobs")  # as it is most of the time: empty
    others: list[Job] = [Job(task) for task in QUEUE_OF for _ in range(BACKLOG)]
    database.run(lambda conn: enqueue(conn, others))
    database.run(lambda conn: enqueue(conn, [Job(wanted)] * FETCHES))
    with database.transaction() as conn:
        before = rows_read(conn)
        for _ in range(FETCHES):
            assert len(fetch(conn, QUEUE_OF[wanted], 1, 1)) == 1
        # The row that is found, and again to be changed; jobs just taken before it.
        assert rows_read(conn) - before <= 3 * FETCHES + sum(range(FETCHES))
        raise psycopg.Rollback


def test_looking_in_an_empty_queue_does_not_read_the_backlog_of_others(database: Database) -> None:
    database.run(lambda conn: enqueue(conn, [Job("send_email")] * BACKLOG))
    with database.transaction() as conn:
        before = rows_read(conn)
        assert [fetch(conn, "distribute", 1, 5) for _ in range(FETCHES)] == [[]] * FETCHES
        assert rows_read(conn) == before


def test_a_job_that_comes_while_another_is_looked_for_is_found_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "POLLING_SECONDS", 60.0)
    looked, put, done, stop = threading.Event(), threading.Event(), threading.Event(), threading.Event()
    real = runner.fetching.fetch

    def slow_to_find_nothing(conn: Connection, queue: str, worker_id: int, limit: int) -> list[JobRun]:
        found = real(conn, queue, worker_id, limit)
        if not found and not looked.is_set():
            looked.set()
            assert put.wait(PATIENCE_SECONDS)
        return found

    monkeypatch.setattr(runner.fetching, "fetch", slow_to_find_nothing)
    queues, bounds = [QueueConfig("distribute", 1)], Bounds(heartbeat_timeout_seconds=30, shutdown_timeout_seconds=10)
    handlers: dict[Task, Handler] = {"distribute_lead": lambda _: done.set()}
    worker = threading.Thread(target=run_worker, args=(database, queues, handlers, bounds, stop))
    worker.start()
    try:
        assert looked.wait(PATIENCE_SECONDS)
        database.run(lambda conn: enqueue(conn, [Job("distribute_lead")]))  # within the look, which does not see it
        put.set()
        assert done.wait(PATIENCE_SECONDS)
    finally:
        put.set()
        stop.set()
        worker.join()


def test_a_signal_comes_after_the_commit_and_only_then(database: Database) -> None:
    with closing(database.connect_directly()) as conn:
        listen(conn)
        with suppress(ZeroDivisionError), database.transaction() as undone:
            enqueue(undone, [Job("distribute_lead")])
            raise ZeroDivisionError
        database.run(lambda _: None)  # on the same connection
        with database.transaction() as open_:
            enqueue(open_, [Job("distribute_lead"), Job("send_email"), Job("distribute_lead", delay_seconds=60)])
            assert list(conn.notifies(timeout=0.1)) == []
        assert [each.payload for each in conn.notifies(timeout=0.5)] == ["fairlead:distribute"]
        with closing(database.connect_directly()) as plain, plain.transaction():
            enqueue(plain, [Job("distribute_lead")])
        assert list(conn.notifies(timeout=0.3)) == [], "the transaction itself signals nothing"


def test_what_is_being_fetched_by_another_is_skipped(database: Database) -> None:
    database.run(lambda conn: enqueue(conn, [Job("send_email")] * 5))
    with database.transaction() as one, database.transaction() as other:
        first, second = fetch(one, "email", 1, 2), fetch(other, "email", 2, 5)
    ids = [run.job_id for run in (*first, *second)]
    assert len(first) == 2
    assert ids == sorted(set(ids))
    assert len(ids) == 5
    with database.transaction() as conn:
        assert finish(conn, ids, 1) == 2, "a worker ends its own jobs only"
        assert run_again(conn, ids, 1, 0) == 0
        assert conn.execute("select count(*) from jobs where worker_id = 2").fetchone() == (3,)


def test_a_job_for_later_is_fetched_when_its_time_has_come_and_in_its_order(database: Database) -> None:
    database.run(lambda conn: enqueue(conn, [Job("send_email", {"n": 1}, 60), Job("send_email", {"n": 2})]))
    with database.transaction() as conn:
        assert not make_due(conn)
        conn.execute("update jobs set scheduled_at = clock_timestamp() where scheduled_at is not null")
        assert make_due(conn) == {"email"}
        assert [run.payload["n"] for run in fetch(conn, "email", 1, 5)] == [1, 2]


def test_an_isolated_job_waits_in_a_queue_of_its_own(database: Database) -> None:
    jobs = [Job("send_email", is_isolated=True), Job("send_webhook", is_isolated=True), Job("send_email")]
    database.run(lambda conn: enqueue(conn, jobs))
    with database.transaction() as conn:
        assert [run.job_id for run in fetch(conn, "email", 1, 5)] == [3]
        assert [run.job_id for run in fetch(conn, ISOLATED, 1, 1)] == [1]
        assert [run.job_id for run in fetch(conn, ISOLATED, 1, 1)] == [2]
        assert run_again(conn, [2], 1, 60) == 1
        assert fetch(conn, ISOLATED, 1, 1) == []


def test_a_rescued_job_is_its_former_workers_no_more(database: Database) -> None:
    database.run(lambda conn: enqueue(conn, [Job("send_email")]))
    with database.transaction() as conn:
        [run] = fetch(conn, "email", 1, 5)
        stalled = lock_stalled(conn, run.job_id, 5)
        assert stalled is not None
        requeue(conn, stalled)
        assert finish(conn, [run.job_id], 1) == 0
        [again] = fetch(conn, "email", 2, 5)
        assert (again.job_id > run.job_id, again.attempt) == (True, 1)
        assert finish(conn, [run.job_id, again.job_id], 1) == 0
