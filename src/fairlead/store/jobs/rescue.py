"""Stalled jobs, whose worker is gone: found without a lock, then rescued one by one under the job's own lock."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, LiteralString

from fairlead.store.connection import Connection
from fairlead.store.jobs.queue import ISOLATED, QUEUE_OF, Job, Task, enqueue
from fairlead.store.typed_rows import one_row


@dataclass(frozen=True, slots=True)
class StalledJob:
    """A job that a worker had begun and that none is at any more. `is_isolated`: nothing else can have killed it."""

    job_id: int
    task: Task
    payload: Mapping[str, Any]
    is_isolated: bool


_STALLED: LiteralString = """
    j.state = 'running' and not exists (
        select from workers w
        where w.id = j.worker_id and w.last_heartbeat >= clock_timestamp() - make_interval(secs => %s))"""
"""Its worker gave no heartbeat for so long, or is not registered any more."""


def stalled_job_ids(conn: Connection, silent_seconds: float, after_job_id: int, limit: int) -> list[int]:
    """The next stalled jobs, by id. Locks nothing. Reads an index that holds only jobs under way."""
    query = "select j.id from jobs j where" + _STALLED + " and j.id > %s order by j.id limit %s"  # noqa: S608 - ours
    return [row[0] for row in conn.execute(query, (silent_seconds, after_job_id, limit))]


def lock_stalled(conn: Connection, job_id: int, silent_seconds: float) -> StalledJob | None:
    """The job, its row locked, if no worker is at it; None when its worker is alive after all or another has it.

    Nothing is waited for.
    """
    query: LiteralString = (
        "select j.id as job_id, j.task, j.payload, j.queue = %s as is_isolated from jobs j where"  # noqa: S608 - ours
        + _STALLED
        + " and j.id = %s and j.task = any(%s) for update of j skip locked"
    )
    return one_row(conn, StalledJob, query, (ISOLATED, silent_seconds, job_id, list(QUEUE_OF)))


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
    conn.execute("delete from jobs where id = %s", (job_id,))


def requeue(conn: Connection, job: StalledJob, *, is_isolated: bool = False) -> None:
    """The job, locked before, waits to be run again, behind what waits already; alone where it says so.

    It is a new one, with a new id: should its worker be alive after all, it ends nothing, and what it claimed is
    another's to claim.
    """
    delete_job(conn, job.job_id)
    enqueue(conn, [Job(job.task, job.payload, is_isolated=is_isolated)])
