"""What waits to be done, queue by queue, for operators."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.store.connection import Connection
from fairlead.store.jobs.queue import QUEUE_OF
from fairlead.store.typed_rows import all_rows

COUNTED_JOBS = 100_000
"""Counting stops here: beyond it, how many wait says no more than for how long."""


@dataclass(frozen=True, slots=True)
class QueueState:
    """A queue at this moment. Scheduled are jobs that wait for their time, such as one whose run failed.

    `oldest_waiting_seconds` is for how long the oldest of those that wait could have been taken.
    """

    queue: str
    waiting_count: int
    scheduled_count: int
    running_count: int
    open_dead_letter_count: int
    oldest_waiting_seconds: float | None
    next_scheduled_at: datetime | None


def queue_states(conn: Connection) -> list[QueueState]:
    """Every queue that is known or has anything in it, by name. What is done costs nothing: it is gone."""
    return all_rows(
        conn,
        QueueState,
        """
        with live as (
            select id, queue, state, enqueued_at, scheduled_at from jobs order by id limit %s
        ), counted as (
            select queue,
                   count(*) filter (where state = 'waiting' and coalesce(scheduled_at <= now(), true)) as waiting,
                   count(*) filter (where state = 'waiting' and scheduled_at > now()) as scheduled,
                   count(*) filter (where state = 'running') as running,
                   min(enqueued_at) filter (where state = 'waiting' and scheduled_at is null) as oldest,
                   min(scheduled_at) filter (where state = 'waiting' and scheduled_at <= now()) as due,
                   min(scheduled_at) filter (where state = 'waiting' and scheduled_at > now()) as next_scheduled
            from live group by queue
        ), dead as (
            select queue, count(*) as count from dead_letters where resolved_at is null group by queue
        )
        select queue, coalesce(waiting, 0) as waiting_count, coalesce(scheduled, 0) as scheduled_count,
               coalesce(running, 0) as running_count, coalesce(dead.count, 0) as open_dead_letter_count,
               case when waiting > 0 then extract(epoch from greatest(now() - least(due, oldest), interval '0'))::float8
               end as oldest_waiting_seconds, next_scheduled as next_scheduled_at
        from (select unnest(%s::text[]) as queue union select queue from counted union select queue from dead) known
        left join counted using (queue) left join dead using (queue) order by queue
        """,
        (COUNTED_JOBS, sorted(set(QUEUE_OF.values()))),
    )
