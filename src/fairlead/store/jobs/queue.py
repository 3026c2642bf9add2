"""Putting jobs into the queue, in the transaction that causes them, and asking what is in it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from fairlead.store.connection import Connection
from fairlead.store.jobs.wake_up import wake_after_commit
from fairlead.store.typed_rows import one_row
from fairlead.telemetry.traces import current_traceparent

Queue = Literal["distribute", "dispatch", "email", "webhook", "export"]
Task = Literal["distribute_lead", "dispatch_notifications", "send_email", "send_webhook", "build_export"]

QUEUE_OF: Mapping[Task, Queue] = {
    "distribute_lead": "distribute",
    "dispatch_notifications": "dispatch",
    "send_email": "email",
    "send_webhook": "webhook",
    "build_export": "export",
}
"""Each kind of work has workers of its own: a receiver that does not answer holds up no sale, and no email."""

ISOLATED = "isolated"
"""The queue of jobs of any kind at which a worker died: run one at a time, to find out which of them it was."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done, not before `delay_seconds` have passed. The payload holds ids, never personal data."""

    task: Task
    payload: Mapping[str, object] = field(default_factory=dict[str, object])
    delay_seconds: float = 0
    is_isolated: bool = False

    @property
    def queue(self) -> str:
        """Where it waits."""
        return ISOLATED if self.is_isolated else QUEUE_OF[self.task]


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of a job, as its handler sees it. `attempt` counts from 1."""

    job_id: int
    task: Task
    payload: Mapping[str, object]
    attempt: int = 1


# The time is read here: the transaction may have begun long ago, and waited for a lock since.
_INSERT = """
    insert into jobs (queue, task, payload, scheduled_at)
    select queue, task, payload, case when delay > 0 then clock_timestamp() + make_interval(secs => delay) end
    from unnest(%b::text[], %b::text[], %b::jsonb[], %b::float8[]) with ordinality
         as job (queue, task, payload, delay, number)
    order by number"""


def enqueue(conn: Connection, jobs: Sequence[Job]) -> None:
    """The jobs will be done once the caller's transaction commits, and never if it does not.

    They are taken in this order. Workers hear of those that are due after the commit (`wake_up`).
    """
    if jobs:
        conn.execute(_INSERT, _values(conn, jobs))  # returns nothing: a provider's connection may see no job


def enqueue_one(conn: Connection, job: Job) -> int:
    """The job will be done once the caller's transaction commits; returns its id."""
    return conn.execute(_INSERT + " returning id", _values(conn, [job])).fetchall()[0][0]


def _values(conn: Connection, jobs: Sequence[Job]) -> tuple[list[str], list[str], list[str], list[float]]:
    """What `_INSERT` is given; workers hear of the jobs that are due once the transaction is committed."""
    traceparent = current_traceparent()  # where traces are on, a job goes on with that of its origin
    traced = {} if traceparent is None else {"traceparent": traceparent}
    wake_after_commit(conn, {job.queue for job in jobs if job.delay_seconds <= 0})
    return (
        [job.queue for job in jobs],
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
                select id from jobs
                where task = 'distribute_lead' and payload ->> 'lead_id' = lead.id and state = 'waiting'
                for update skip locked) j)
        delete from jobs where id = any(array(select id from withdrawn))
        """,
        (list(lead_ids),),
    )


def waiting_dispatch_jobs(conn: Connection) -> list[int]:
    """The jobs that wait to hand out notifications, by id."""
    rows = conn.execute("select id from jobs where queue = 'dispatch' and state = 'waiting' order by id").fetchall()
    return [row[0] for row in rows]


def withdraw_jobs(conn: Connection, job_ids: Sequence[int]) -> None:
    """Those of the jobs that have not started yet are gone. A worker that is just taking one is not waited for."""
    conn.execute(
        """
        with withdrawn as materialized (
            select id from jobs where id = any(%s) and state = 'waiting' order by id for update skip locked)
        delete from jobs where id = any(array(select id from withdrawn))
        """,
        (list(job_ids),),
    )


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
        select id as job_id, state = 'running' as is_running,
               case when state = 'waiting' and scheduled_at > now() then scheduled_at end as due_at
        from jobs
        where task = 'distribute_lead' and payload ->> 'lead_id' = %s
        order by state = 'running' desc, scheduled_at nulls first, id limit 1
        """,
        (lead_id,),
    )


def jobs_at_all(conn: Connection) -> int:
    """How many jobs wait or run, scheduled ones included."""
    return conn.execute("select count(*) from jobs").fetchall()[0][0]
