"""Periodic tasks: which process does one, and when, decided by the database's clock and by no other.

Every worker asks for every task, and a row lets one of them have it. A worker that was away misses nothing: a task is
due whenever its interval has passed, not at a moment that a process has to be awake for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows

AGAIN_AFTER_SECONDS = 3_600
"""A rare task whose last run failed, or whose worker died at it, does not wait for its whole interval."""
GOES_ON_AFTER_SECONDS = 60
"""A task whose last run left something undone, because its time was over, goes on so soon: others have their turn."""


@dataclass(frozen=True, slots=True)
class ScheduleState:
    """When a task was begun last, when a run of it ended last, and how: with an error of which kind, or cut short."""

    name: str
    started_at: datetime
    ended_at: datetime | None
    error: str | None
    is_cut_short: bool


def due_tasks(conn: Connection, every_seconds: Mapping[str, float]) -> list[str]:
    """Those of the tasks, named with their intervals, that are due, sorted; see `claim_task`. Locks nothing."""
    # A run that began in the future says nothing: the clock was set back. Up to a second of that is what clocks do
    # while they are kept right, and no reason to begin twice.
    rows = conn.execute(
        """
        select task.name
        from unnest(%s::text[], %s::float8[]) as task (name, every_seconds)
        left join schedules s on s.name = task.name
        where s.name is null or s.started_at > clock_timestamp() + interval '1 second'
           or s.started_at <= clock_timestamp() - make_interval(secs =>
              case when s.error is not null or s.ended_at is null or s.ended_at < s.started_at
                   then least(every_seconds, %s::float8)
                   when s.is_cut_short then least(every_seconds, %s::float8) else every_seconds end)
        order by task.name
        """,
        (list(every_seconds), list(every_seconds.values()), AGAIN_AFTER_SECONDS, GOES_ON_AFTER_SECONDS),
    ).fetchall()
    return [row[0] for row in rows]


def claim_task(conn: Connection, name: str, every_seconds: float) -> bool:
    """Whether the caller is the one who does this task now: one is, per interval, however many ask at once.

    It is due when it was never begun, when its interval has passed since it was, and when it was begun in the future,
    because the clock was set back. After a run that failed, or that never ended, an hour is waited at the most, and a
    minute after one that was cut short. Locks the task's row until the transaction ends: commit before doing it.
    """
    is_first = conn.execute(
        "insert into schedules (name, started_at) values (%s, clock_timestamp()) on conflict do nothing", (name,)
    ).rowcount
    if is_first:
        return True
    conn.execute("select from schedules where name = %s for no key update", (name,))
    if not due_tasks(conn, {name: every_seconds}):
        return False
    conn.execute("update schedules set started_at = statement_timestamp() where name = %s", (name,))
    return True


def end_task(conn: Connection, name: str, error: str | None, *, is_cut_short: bool = False) -> None:
    """The task's run has ended, with this kind of error or well, or was cut short. The error holds nothing personal."""
    conn.execute(
        "update schedules set ended_at = statement_timestamp(), error = %s, is_cut_short = %s where name = %s",
        (error, is_cut_short, name),
    )


def schedule_states(conn: Connection) -> list[ScheduleState]:
    """Every task that was ever begun, by name; nothing is locked."""
    return all_rows(
        conn, ScheduleState, "select name, started_at, ended_at, error, is_cut_short from schedules order by name"
    )
