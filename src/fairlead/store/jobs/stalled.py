"""Jobs whose worker is gone: found without a lock, then taken over one by one under the job's own lock."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fairlead.store.connection import Connection
from fairlead.store.jobs.queue import QUEUE_OF, Task
from fairlead.store.typed_rows import one_row


@dataclass(frozen=True, slots=True)
class StalledJob:
    """A job that a worker had begun and that none is at any more."""

    job_id: int
    task: Task
    payload: Mapping[str, Any]


def stalled_job_ids(conn: Connection, silent_seconds: float, after_job_id: int, limit: int) -> list[int]:
    """The next jobs under way, by id, whose worker gave no sign of life for so long or is not registered any more.

    Locks nothing. Each half reads an index that holds only jobs under way.
    """
    rows = conn.execute(
        """
        select id from (
            select j.id from procrastinate_workers w join procrastinate_jobs j on j.worker_id = w.id
            where j.status = 'doing' and w.last_heartbeat < clock_timestamp() - make_interval(secs => %(silent)s)
            union all
            select id from procrastinate_jobs where status = 'doing' and worker_id is null) stalled
        where id > %(after)s order by id limit %(limit)s
        """,
        {"silent": silent_seconds, "after": after_job_id, "limit": limit},
    ).fetchall()
    return [row[0] for row in rows]


def lock_stalled(conn: Connection, job_id: int, silent_seconds: float) -> StalledJob | None:
    """The job, its row locked, if no worker is at it; None when its worker is alive after all or another has it.

    Nothing is waited for.
    """
    return one_row(
        conn,
        StalledJob,
        """
        select j.id as job_id, j.task_name as task, j.args as payload from procrastinate_jobs j
        where j.id = %s and j.status = 'doing' and j.task_name = any(%s) and not exists (
            select from procrastinate_workers w
            where w.id = j.worker_id and w.last_heartbeat >= clock_timestamp() - make_interval(secs => %s))
        for update of j skip locked
        """,
        (job_id, list(QUEUE_OF), silent_seconds),
    )


def lock_lead_unless_held(conn: Connection, lead_id: str) -> bool:
    """The lead's row is locked, if there is such a lead; False where another transaction holds it.

    Nothing is waited for. The other may be that of the very worker that stands still: one that waited for it would
    leave the jobs of all the others lying.
    """
    if conn.execute("select from leads where id = %s for no key update skip locked", (lead_id,)).rowcount:
        return True
    return conn.execute("select from leads where id = %s", (lead_id,)).rowcount == 0


def delete_job(conn: Connection, job_id: int) -> None:
    """The job, locked before, is gone. Should its worker be alive after all, it finds that out when it is done."""
    conn.execute("delete from procrastinate_jobs where id = %s", (job_id,))


def delete_ended_jobs(conn: Connection) -> int:
    """Jobs in a final state are gone, which are none of ours: ours are deleted when they end. Returns how many."""
    return conn.execute("delete from procrastinate_jobs where status not in ('todo', 'doing')").rowcount


def delete_silent_workers(conn: Connection, silent_seconds: float) -> int:
    """Registrations of workers without a sign of life for so long are gone; returns how many.

    A job that one of them still has becomes no worker's, and is taken over as such.
    """
    done = conn.execute(
        "delete from procrastinate_workers where last_heartbeat < clock_timestamp() - make_interval(secs => %s)",
        (silent_seconds,),
    )
    return done.rowcount
