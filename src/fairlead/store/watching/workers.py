"""The workers as an operator looks at them: who gives a heartbeat, and what each has in hand."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows


@dataclass(frozen=True, slots=True)
class WatchedWorker:
    """A worker that is registered. `in_hand`: how many jobs it has begun and not ended, by their task."""

    worker_id: int
    last_heartbeat_at: datetime
    silent_seconds: float
    in_hand: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LeftBehind:
    """Jobs of one task that a worker had begun which is not registered any more."""

    task: str
    job_count: int


def watched_workers(conn: Connection) -> list[WatchedWorker]:
    """Every worker that is registered, the one that registered first before the others.

    The cost grows with the number of workers and of jobs under way, not with what waits.
    """
    return all_rows(
        conn,
        WatchedWorker,
        """
        select w.id as worker_id, w.last_heartbeat as last_heartbeat_at,
               extract(epoch from greatest(clock_timestamp() - w.last_heartbeat, interval '0'))::float8
                   as silent_seconds,
               coalesce(jsonb_object_agg(j.task, j.count) filter (where j.task is not null), '{}') as in_hand
        from workers w left join (
            select worker_id, task, count(*) as count from jobs where state = 'running' group by worker_id, task
        ) j on j.worker_id = w.id
        group by w.id, w.last_heartbeat order by w.id
        """,
    )


def jobs_left_behind(conn: Connection) -> list[LeftBehind]:
    """Jobs under way whose worker is not registered any more, by task: they are taken over within a minute."""
    return all_rows(
        conn,
        LeftBehind,
        """
        select j.task, count(*) as job_count from jobs j
        where j.state = 'running' and not exists (select from workers w where w.id = j.worker_id)
        group by j.task order by j.task
        """,
    )
