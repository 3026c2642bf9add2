"""What is remembered of a lead's runs beside its decision: those that raised, and those that killed their worker."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.store.connection import Connection
from fairlead.store.ids import new_id
from fairlead.store.typed_rows import all_rows


@dataclass(frozen=True, slots=True)
class JobAttempt:
    """One run of a job. `job_id` and `started_at` are None where unknown. `error` holds nothing personal."""

    job_id: int | None
    task: str
    outcome: str
    started_at: datetime | None
    ended_at: datetime
    error: str | None
    lead_id: str | None = None
    notification_id: str | None = None


def add_attempt(conn: Connection, attempt: JobAttempt) -> None:
    """The run is on record."""
    conn.execute(
        """
        insert into job_attempts (id, job_id, task, lead_id, notification_id, outcome, started_at, ended_at, error)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            new_id(conn),
            attempt.job_id,
            attempt.task,
            attempt.lead_id,
            attempt.notification_id,
            attempt.outcome,
            attempt.started_at,
            attempt.ended_at,
            attempt.error,
        ),
    )


def attempts_of(conn: Connection, lead_id: str | None, notification_id: str | None) -> list[JobAttempt]:
    """The runs on record of a lead, or of a notification, oldest first."""
    return all_rows(
        conn,
        JobAttempt,
        """
        select job_id, task, outcome, started_at, ended_at, error, lead_id::text, notification_id::text
        from job_attempts where lead_id = %s::uuid or notification_id = %s::uuid order by ended_at, id
        """,
        (lead_id, notification_id),
    )


def waiting_isolated(conn: Connection, niche_id: str) -> list[str]:
    """The niche's isolated waiting leads, oldest approval first."""
    rows = conn.execute(
        "select id::text from leads where niche_id = %s and awaits_decision and isolated order by approved_at, id",
        (niche_id,),
    ).fetchall()
    return [row[0] for row in rows]


def delete_attempts(
    conn: Connection, ended_before: datetime, after: tuple[datetime, str] | None, limit: int
) -> list[tuple[datetime, str]]:
    """The next runs that ended before that are forgotten, at most so many; returns when they ended, and ids, in order.

    Beyond the one that was forgotten last. Those of leads and notifications with an open dead letter are kept: an
    operator has yet to look at them.
    """
    at, attempt_id = after or (None, "00000000-0000-0000-0000-000000000000")
    deleted = conn.execute(
        """
        delete from job_attempts where id in (
            select id from job_attempts a
            where ended_at < %s and not exists (
                select from dead_letters d
                where d.resolved_at is null and (d.lead_id = a.lead_id or d.notification_id = a.notification_id))
              and (ended_at, id) > (coalesce(%s::timestamptz, '-infinity'), %s::uuid)
            order by ended_at, id limit %s)
        returning ended_at, id::text
        """,
        (ended_before, at, attempt_id, limit),
    ).fetchall()
    return sorted(deleted)
