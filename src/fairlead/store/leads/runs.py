"""What is remembered of a lead's runs beside its decision: those that raised, and those that killed their worker."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.store.connection import Connection
from fairlead.store.ids import new_id


@dataclass(frozen=True, slots=True)
class Attempt:
    """One run of a job. `job_id` and `started_at` are None where unknown. `error` holds nothing personal."""

    job_id: int | None
    task: str
    outcome: str
    started_at: datetime | None
    ended_at: datetime
    error: str | None
    lead_id: str | None = None
    notification_id: str | None = None


def add_attempt(conn: Connection, attempt: Attempt) -> None:
    """The run is on record."""
    conn.execute(
        """
        insert into job_attempts (id, job_id, task, lead_id, notification_id, outcome, started_at, ended_at, error)
        values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            new_id(),
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


def attempts_of(conn: Connection, lead_id: str | None, notification_id: str | None) -> list[Attempt]:
    """The runs on record of a lead, or of a notification, oldest first."""
    rows = conn.execute(
        """
        select job_id, task, outcome, started_at, ended_at, error, lead_id::text, notification_id::text
        from job_attempts where lead_id = %s::uuid or notification_id = %s::uuid order by ended_at, id
        """,
        (lead_id, notification_id),
    ).fetchall()
    return [Attempt(*row) for row in rows]


def begin_alone(conn: Connection, lead_id: str) -> None:
    """From this transaction's commit on, a dead worker will be taken for this lead's doing, until its decision."""
    conn.execute("update leads set alone_since = clock_timestamp() where id = %s and awaits_decision", (lead_id,))


def waiting_alone(conn: Connection, niche_id: str) -> list[str]:
    """The niche's waiting leads that have to be decided alone, oldest approval first."""
    rows = conn.execute(
        "select id::text from leads where niche_id = %s and awaits_decision and decide_alone order by approved_at, id",
        (niche_id,),
    ).fetchall()
    return [row[0] for row in rows]


def add_failed_run(conn: Connection, lead_id: str, error: str, now: datetime) -> int:
    """The lead's newest run raised, and it is decided alone from now on; returns how many runs raised so far.

    Needs the lead's lock.
    """
    rows = conn.execute(
        """
        update leads set failed_runs = failed_runs + 1, distribution_attempts = distribution_attempts + 1,
                         last_attempt_at = %s, last_outcome = 'failed', last_error = %s, decide_alone = true,
                         alone_since = null
        where id = %s returning failed_runs
        """,
        (now, error, lead_id),
    ).fetchall()
    return rows[0][0]


def blame_for_crash(conn: Connection, lead_id: str) -> int:
    """The lead is to blame for a dead worker if it was being decided alone; returns how often it was to blame so far.

    Needs the lead's lock. Either way it is decided alone from now on.
    """
    rows = conn.execute(
        """
        update leads set crash_count = crash_count + (alone_since is not null)::integer, alone_since = null,
                         decide_alone = true
        where id = %s returning crash_count
        """,
        (lead_id,),
    ).fetchall()
    return rows[0][0]


def suspect(conn: Connection, niche_id: str, limit: int) -> None:
    """The niche's oldest waiting leads, up to the size of a batch, are decided alone: one of them killed a worker.

    They are locked in ascending order of id, and those that are being decided right now are left alone.
    """
    conn.execute(
        """
        update leads set decide_alone = true where id in (
            select id from leads
            where awaits_decision and id = any(array(
                select id from leads where niche_id = %s and awaits_decision and not decide_alone
                order by approved_at, id limit %s))
            order by id for no key update skip locked)
        """,
        (niche_id, limit),
    )


def give_up(conn: Connection, lead_id: str, error: str, now: datetime) -> None:
    """The lead waits no longer, until it is requested again, and its last attempt counts as failed."""
    conn.execute(
        """
        update leads set awaits_decision = false, last_outcome = 'failed', last_error = %s, alone_since = null,
                         last_attempt_at = coalesce(last_attempt_at, %s)
        where id = %s
        """,
        (error, now, lead_id),
    )


def delete_attempts(conn: Connection, ended_before: datetime, limit: int) -> int:
    """Runs that ended before that are forgotten, at most so many; returns how many.

    Those of leads and notifications with an open dead letter are kept: an operator has yet to look at them.
    """
    done = conn.execute(
        """
        delete from job_attempts where id in (
            select id from job_attempts a
            where ended_at < %s and not exists (
                select from dead_letters d
                where d.resolved_at is null and (d.lead_id = a.lead_id or d.notification_id = a.notification_id))
            order by ended_at limit %s)
        """,
        (ended_before, limit),
    )
    return done.rowcount
