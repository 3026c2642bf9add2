"""Taking jobs from the queue, and recording how their runs ended. Every statement is for any number of jobs.

A job belongs to the worker that fetched it, and only that one can end it: one that was thought dead, and whose jobs
were rescued meanwhile, ends nothing.
"""

from collections.abc import Sequence
from datetime import timedelta

from fairlead.store.connection import Connection
from fairlead.store.jobs.queue import JobRun
from fairlead.store.typed_rows import all_rows

DUE_AT_ONCE = 1_000


def fetch(conn: Connection, queue: str, worker_id: int, limit: int) -> list[JobRun]:
    """The queue's next jobs that are due, at most so many, in their order; they are this worker's now.

    Jobs that another worker is just fetching are skipped, nothing is waited for.
    """
    runs = all_rows(
        conn,
        JobRun,
        """
        update jobs set state = 'running', worker_id = %s, attempts = attempts + 1
        where id = any(array(
            select id from jobs where queue = %s and state = 'waiting' and scheduled_at is null
            order by id limit %s for no key update skip locked))
        returning id as job_id, task, payload, attempts as attempt
        """,
        (worker_id, queue, limit),
    )
    return sorted(runs, key=_job_id)


def finish(conn: Connection, job_ids: Sequence[int], worker_id: int) -> int:
    """Those of the jobs that are still this worker's are done and gone; returns how many. Idempotent."""
    return conn.execute("delete from jobs where id = any(%s) and worker_id = %s", (list(job_ids), worker_id)).rowcount


def run_again(conn: Connection, job_ids: Sequence[int], worker_id: int, delay_seconds: float) -> int:
    """Those of the jobs that are still this worker's wait to be run again, after a delay; returns how many."""
    return conn.execute(
        """
        update jobs set state = 'waiting', worker_id = null, enqueued_at = statement_timestamp(),
                        scheduled_at = statement_timestamp() + make_interval(secs => %s)
        where id = any(%s) and worker_id = %s
        """,
        (delay_seconds or None, list(job_ids), worker_id),  # after an interval that is null: not scheduled
    ).rowcount


def make_due(conn: Connection) -> frozenset[str]:
    """Jobs whose time has come can be fetched, at most `DUE_AT_ONCE` of them; returns their queues."""
    rows = conn.execute(
        """
        update jobs set scheduled_at = null
        where id = any(array(
            select id from jobs where state = 'waiting' and scheduled_at <= statement_timestamp()
            order by scheduled_at limit %s for no key update skip locked))
        returning queue
        """,
        (DUE_AT_ONCE,),
    ).fetchall()
    return frozenset(row[0] for row in rows)


def bring_forward(conn: Connection, after: int | None, limit: int) -> list[int]:
    """The next jobs that were put off while the clock was ahead, at most so many, are put off for as long from now on.

    That a job was enqueued in the future means that the clock was set back: a retry after five seconds would come a day
    late. Up to a second of that is what clocks do while they are kept right. Jobs that others hold are left alone.
    Beyond the one that was seen last; returns their ids, in order.
    """
    rows = conn.execute(
        """
        select id, extract(epoch from scheduled_at - enqueued_at)::float8 from jobs
        where state = 'waiting' and scheduled_at > statement_timestamp()
          and enqueued_at > statement_timestamp() + interval '1 second' and id > %s
        order by id limit %s for no key update skip locked
        """,
        (after or 0, limit),
    ).fetchall()
    if rows:
        now = conn.execute("select clock_timestamp()").fetchall()[0][0]  # of the queue, whatever the marketplace's is
        conn.execute(
            """
            update jobs set scheduled_at = due.due_at, enqueued_at = %s
            from unnest(%s::bigint[], %s::timestamptz[]) as due (id, due_at) where jobs.id = due.id
            """,
            (now, [row[0] for row in rows], [now + timedelta(seconds=row[1]) for row in rows]),
        )
    return [row[0] for row in rows]


def _job_id(run: JobRun) -> int:
    return run.job_id
