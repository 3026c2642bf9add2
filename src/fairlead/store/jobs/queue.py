"""Putting jobs into the queue, in the transaction that causes them, and asking what is in it.

The library's own function is called, in SQL: one statement for any number of jobs, also within a pipeline, and no
command that only approves a lead has to import the library.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import one_row
from fairlead.telemetry.traces import current_traceparent

Queue = Literal["distribute", "dispatch", "email", "webhook"]
Task = Literal["distribute_lead", "dispatch_notifications", "send_email", "send_webhook"]

QUEUE_OF: Mapping[Task, Queue] = {
    "distribute_lead": "distribute",
    "dispatch_notifications": "dispatch",
    "send_email": "email",
    "send_webhook": "webhook",
}
"""Each kind of work has workers of its own: a receiver that does not answer holds up no sale, and no email."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done, not before `delay_seconds` have passed. The payload holds ids, never personal data."""

    task: Task
    payload: Mapping[str, object] = field(default_factory=dict[str, object])
    delay_seconds: float = 0


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of a job, as its handler sees it."""

    job_id: int
    task: Task
    payload: Mapping[str, object]


def enqueue(conn: Connection, jobs: Sequence[Job]) -> None:
    """The jobs will be done once the caller's transaction commits, and never if it does not."""
    if jobs:
        conn.execute(_ENQUEUE, _arrays(jobs))


def enqueue_one(conn: Connection, job: Job) -> int:
    """The job will be done once the caller's transaction commits; returns its id."""
    return conn.execute(_ENQUEUE, _arrays([job])).fetchall()[0][0][0]


# Where now() would be the start of the transaction, which may have waited for a lock.
_ENQUEUE = """
    select procrastinate_defer_jobs_v1(array(
        select (queue, task, 0, null, null, payload,
                case when delay > 0 then clock_timestamp() + make_interval(secs => delay) end
               )::procrastinate_job_to_defer_v1
        from unnest(%b::text[], %b::text[], %b::jsonb[], %b::float8[]) with ordinality
             as job (queue, task, payload, delay, number)
        order by number))"""


def _arrays(jobs: Sequence[Job]) -> tuple[list[str], list[str], list[str], list[float]]:
    traceparent = current_traceparent()  # where traces are on, a job goes on with that of its origin
    traced = {} if traceparent is None else {"traceparent": traceparent}
    return (
        [QUEUE_OF[job.task] for job in jobs],
        [job.task for job in jobs],
        [json.dumps({**job.payload, **traced}) for job in jobs],
        [float(job.delay_seconds) for job in jobs],
    )


def withdraw_lead_jobs(conn: Connection, lead_ids: Sequence[str]) -> None:
    """No job that has not started yet asks for these leads any more. Needs their locks, and none awaits a decision.

    Without the locks a lead might just have been asked for anew, and the new request would lose its job. It only saves
    work, since a job without anything to do ends at once. A worker that is just taking such a job is not waited for.
    """
    # Lead by lead, then by key: a queue that was analysed when it had run dry counts as empty to the planner, who then
    # joined all that had come since with itself.
    conn.execute(
        """
        with withdrawn as materialized (
            select j.id from unnest(%s::text[]) as lead (id) cross join lateral (
                select id from procrastinate_jobs
                where task_name = 'distribute_lead' and args ->> 'lead_id' = lead.id and status = 'todo'
                for update skip locked) j)
        delete from procrastinate_jobs where id = any(array(select id from withdrawn))
        """,
        (list(lead_ids),),
    )


def leads_without_job(conn: Connection, limit: int) -> list[str]:
    """Leads of active niches that await a decision although no job, waiting or running, asks for it; oldest first."""
    rows = conn.execute(
        """
        select l.id::text from leads l join niches n on n.id = l.niche_id
        where l.awaits_decision and n.is_active and not exists (
            select from procrastinate_jobs j where j.task_name = 'distribute_lead'
            and j.args ->> 'lead_id' = l.id::text and j.status in ('todo', 'doing'))
        order by l.approved_at, l.id limit %s
        """,
        (limit,),
    ).fetchall()
    return [row[0] for row in rows]


def notifications_without_job(conn: Connection, limit: int) -> list[str]:
    """Notifications that were handed to a delivery job which is gone, although they are not delivered; oldest first."""
    rows = conn.execute(
        """
        select n.id::text from notifications n
        where n.state = 'queued' and n.enqueued_at < clock_timestamp() - interval '1 minute' and not exists (
            select from procrastinate_jobs j where j.task_name in ('send_email', 'send_webhook')
            and j.args ->> 'notification_id' = n.id::text and j.status in ('todo', 'doing'))
        order by n.enqueued_at, n.id limit %s
        """,
        (limit,),
    ).fetchall()
    return [row[0] for row in rows]


@dataclass(frozen=True, slots=True)
class LeadJob:
    """The job that comes first of those that ask for a lead's decision; `due_at` is None when it is due already."""

    job_id: int
    is_running: bool
    due_at: datetime | None


def lead_job(conn: Connection, lead_id: str) -> LeadJob | None:
    """The lead's job that runs, else the one that is due first; None without any."""
    return one_row(
        conn,
        LeadJob,
        """
        select id as job_id, status = 'doing' as is_running,
               case when status = 'todo' and scheduled_at > now() then scheduled_at end as due_at
        from procrastinate_jobs
        where task_name = 'distribute_lead' and args ->> 'lead_id' = %s and status in ('todo', 'doing')
        order by status = 'doing' desc, scheduled_at nulls first, id limit 1
        """,
        (lead_id,),
    )


def running_job_ids(conn: Connection, job_ids: Sequence[int]) -> frozenset[int]:
    """Those of the jobs that a worker is at, or was at when it died and no other has noticed yet."""
    rows = conn.execute(
        "select id from procrastinate_jobs where id = any(%s::bigint[]) and status = 'doing'", (list(job_ids),)
    ).fetchall()
    return frozenset(row[0] for row in rows)


def jobs_at_all(conn: Connection) -> int:
    """How many jobs wait or run, scheduled ones included."""
    return conn.execute("select count(*) from procrastinate_jobs where status in ('todo', 'doing')").fetchall()[0][0]
