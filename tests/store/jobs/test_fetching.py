"""How jobs are found: at once, and without reading those that are not wanted."""

import threading
import time

import psycopg
import pytest

from fairlead.store.connection import Connection, Database
from fairlead.store.jobs import runner
from fairlead.store.jobs.queue import QUEUE_OF, Job, Queue, Task, enqueue
from fairlead.store.jobs.runner import Bounds, Lane, run_worker
from fairlead.store.jobs.schema import bring_up_to_date
from fairlead.store.schema import migrate
from tests.waiting import wait_until

BACKLOG = 3_000
FETCHES = 12  # of the first five, every plan would be made for the queue that is asked for


def fetch(conn: Connection, queue: Queue) -> object:
    """The next job of the queue, now a worker's."""
    return conn.execute("select id from procrastinate_fetch_job_v2(%s::varchar[], null)", ([queue],)).fetchall()[0][0]


def rows_read(conn: Connection) -> int:
    """How many rows of the jobs this connection has read lately: a difference of two says what lies between."""
    query = "select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'procrastinate_jobs'"
    return conn.execute(query).fetchall()[0][0]


@pytest.mark.parametrize("wanted", sorted(QUEUE_OF))
def test_the_next_job_of_a_queue_is_found_without_reading_any_backlog(database: Database, wanted: Task) -> None:
    with database.transaction() as conn:
        conn.execute("analyze procrastinate_jobs")  # as it is most of the time: empty
    others: list[Job] = [Job(task) for task in QUEUE_OF for _ in range(BACKLOG)]
    database.run(lambda conn: enqueue(conn, others))
    database.run(lambda conn: enqueue(conn, [Job(wanted)] * FETCHES))
    with database.transaction() as conn:
        before = rows_read(conn)
        for _ in range(FETCHES):
            assert fetch(conn, QUEUE_OF[wanted]) is not None
        # The row that is found, again to be changed, and by the trigger's foreign key; jobs just taken before it.
        assert rows_read(conn) - before <= 3 * FETCHES + sum(range(FETCHES))
        raise psycopg.Rollback


def test_looking_in_an_empty_queue_does_not_read_the_backlog_of_others(database: Database) -> None:
    database.run(lambda conn: enqueue(conn, [Job("send_email")] * BACKLOG))
    with database.transaction() as conn:
        before = rows_read(conn)
        assert [fetch(conn, "distribute") for _ in range(FETCHES)] == [None] * FETCHES
        assert rows_read(conn) == before


def test_a_schema_of_before_is_brought_up_to_date(database: Database) -> None:
    with database.transaction() as conn:
        assert not bring_up_to_date(conn)
        conn.execute("drop index jobs_to_email; alter function procrastinate_fetch_job_v2 reset all")
    migrate(database)
    with database.transaction() as conn:
        assert not bring_up_to_date(conn)
        assert conn.execute("select to_regclass('jobs_to_email') is not null").fetchone() == (True,)
        settings = conn.execute("select proconfig from pg_proc where proname = 'procrastinate_fetch_job_v2'").fetchone()
        assert settings == (["plan_cache_mode=force_custom_plan"],)


# As the library's, but that it takes a moment to say that there was no job.
SLOW_TO_FIND_NOTHING = """
    alter function procrastinate_fetch_job_v2 rename to look_for_a_job;
    create function procrastinate_fetch_job_v2(queues varchar[], worker bigint) returns procrastinate_jobs
    language plpgsql as $$
    declare found procrastinate_jobs;
    begin
        found := look_for_a_job(queues, worker);
        if found.id is null then
            perform pg_sleep(0.7);
        end if;
        return found;
    end; $$
"""


def test_a_job_that_comes_while_another_is_looked_for_is_found_at_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "POLLING_SECONDS", 60.0)
    done, stop = threading.Event(), threading.Event()
    with database.transaction() as conn:
        conn.execute(SLOW_TO_FIND_NOTHING)
    lanes, bounds = [Lane("distribute", 1)], Bounds(heartbeat_timeout_seconds=30, shutdown_timeout_seconds=10)
    handlers = {"distribute_lead": lambda run: done.set()}
    worker = threading.Thread(target=run_worker, args=(database, lanes, handlers, bounds, stop))
    worker.start()
    try:
        wait_until(lambda: is_looking(database))
        time.sleep(0.2)  # within the look, and past the moment at which it begins to listen
        database.run(lambda conn: enqueue(conn, [Job("distribute_lead")]))
        assert is_looking(database)
        assert done.wait(10)
    finally:
        stop.set()
        worker.join()


def is_looking(database: Database) -> bool:
    """Whether a worker has looked, found nothing, and has not heard of it yet."""
    with database.snapshot() as conn:
        query = "select count(*) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep'"
        return conn.execute(query).fetchall()[0][0] == 1
