"""What becomes of a lead whose distribution raised or killed its worker: tried again later, isolated, or given up."""

import random
from datetime import timedelta

from fairlead.core.retries import CRASHES_ENDURED, DISTRIBUTION_DELAYS_SECONDS, delay_seconds
from fairlead.flows.failures.descriptions import failure_text, failure_trace, is_permanent
from fairlead.flows.lead_jobs import lead_jobs
from fairlead.flows.notifications.alerts import alert_operators
from fairlead.store.audit.log import SYSTEM, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.failures.dead_letters import NewDeadLetter, open_dead_letter, opened
from fairlead.store.jobs.queue import enqueue
from fairlead.store.leads.rows import clock, lock_lead
from fairlead.store.leads.runs import JobAttempt, add_attempt
from fairlead.store.leads.state import add_failed_run, blame_for_crash, give_up


def record_failed_run(
    database: Database, lead_id: str, error: Exception, took_seconds: float, retry_delay_factor: float = 1.0
) -> bool:
    """The run is on record with its error; the lead is tried again after a delay, or given up and a dead letter.

    It is given up after the sixth run that raised, and at once when trying again cannot help. The next job is enqueued,
    or the dead letter written, in the transaction that counts the run. Locks the lead. Returns whether it still waited:
    if not, another worker decided it meanwhile, and nothing is written.
    """

    def work(conn: Connection) -> bool:
        lead = lock_lead(conn, lead_id)
        if lead is None or not lead.awaits_decision:
            return False
        now = clock(conn)
        text = failure_text(error)
        failed_runs = add_failed_run(conn, lead_id, text, now)
        add_attempt(
            conn,
            JobAttempt(None, "distribute_lead", "failed", now - timedelta(seconds=took_seconds), now, text, lead_id),
        )
        delay = delay_seconds(DISTRIBUTION_DELAYS_SECONDS, failed_runs, random.random())  # noqa: S311
        events = [AuditEvent(SYSTEM, "distribution.failed", "lead", lead_id, memo=text)]
        if delay is None or is_permanent(error):
            events.append(_give_up(conn, lead_id, text, failure_trace(error), failed_runs))
        else:
            enqueue(conn, lead_jobs([lead_id], SYSTEM, now, delay * retry_delay_factor))
        append_audit(conn, events, now)
        return True

    return database.run(work)


def record_crash(conn: Connection, lead_id: str, job_id: int) -> list[AuditEvent]:
    """A worker died while it ran this lead's job; returns what is to be audited if the lead is given up because of it.

    Only a lead that was being decided by itself is taken to be the cause, and given up the third time. Locks the lead.
    """
    lead = lock_lead(conn, lead_id)
    if lead is None or not lead.awaits_decision:
        return []
    now = clock(conn)
    crash_count = blame_for_crash(conn, lead_id)
    text = f"its worker died while deciding it, {crash_count} times"
    add_attempt(conn, JobAttempt(job_id, "distribute_lead", "crashed", None, now, None, lead_id))
    if crash_count < CRASHES_ENDURED:
        return []
    given_up = _give_up(conn, lead_id, text, None, crash_count)
    return [AuditEvent(SYSTEM, "distribution.failed", "lead", lead_id, memo=text), given_up]


def _give_up(conn: Connection, lead_id: str, error: str, trace: str | None, attempts: int) -> AuditEvent:
    """The lead is given up, and a dead letter is there; returns what is to be audited."""
    now = clock(conn)
    give_up(conn, lead_id, error, now)
    letter = NewDeadLetter("distribute_lead", {"lead_id": lead_id}, error, trace, attempts, lead_id=lead_id)
    dead_letter_id = open_dead_letter(conn, letter, now)
    alert_operators(conn, "A lead could not be distributed", [f"Lead {lead_id}", error], now)
    return opened(dead_letter_id, letter)
