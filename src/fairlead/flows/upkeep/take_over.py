"""Taking over the jobs of workers that died, were killed, or left when their time to finish was over."""

from collections import Counter
from dataclasses import dataclass

from fairlead.core.retries import CRASHES_ENDURED
from fairlead.flows.failures.failed_runs import record_crash
from fairlead.flows.notifications.alerts import alert_operators
from fairlead.flows.upkeep.upkeep import Upkeep
from fairlead.store.audit.log import append_audit
from fairlead.store.connection import Connection
from fairlead.store.jobs.clock_set_back import doubt_heartbeats
from fairlead.store.jobs.dead_letters import Burial, bury, opened
from fairlead.store.jobs.queue import QUEUE_OF, Job, enqueue
from fairlead.store.jobs.stalled import (
    StalledJob,
    delete_job,
    lock_lead_unless_held,
    lock_stalled,
    stalled_job_ids,
)
from fairlead.store.leads.rows import clock, states_of
from fairlead.store.leads.runs import JobAttempt, add_attempt
from fairlead.store.leads.state import suspect
from fairlead.store.notifications.crashes import lock_under_way
from fairlead.store.notifications.rows import record_not_sent
from fairlead.telemetry import metrics
from fairlead.telemetry.logs import correlation, get_logger

CHUNK_JOBS = 500

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _TakenOver:
    job: StalledJob
    is_given_up: bool
    niche_id: str | None


def take_over(upkeep: Upkeep) -> Counter[str]:
    """Every job whose worker is gone waits to be done anew, or is given up because it keeps killing workers.

    A worker counts as gone when it sent no heartbeat for `heartbeat_timeout_seconds`, and at once when it is not
    registered any more, as after a restart that could not wait for its jobs. One transaction per job, which records
    the crash, replaces the job, and locks the job, then its lead or notification; one whose lead is locked is left
    for the next time. Safe to run any number of times at once: each job is taken over by one of them. Returns how many
    jobs of each queue were taken over, and how many given up.

    Raises `Unavailable`.
    """
    silent_seconds, last_job_id = upkeep.settings.heartbeat_timeout_seconds, 0
    upkeep.database.run(doubt_heartbeats)
    suspected: set[str] = set()
    counts: Counter[str] = Counter()
    while True:

        def look(conn: Connection, after: int = last_job_id) -> list[int]:
            return stalled_job_ids(conn, silent_seconds, after, CHUNK_JOBS)

        job_ids = upkeep.database.run(look)
        if not job_ids:
            return counts
        last_job_id = job_ids[-1]
        for job_id in job_ids:
            taken = _take_over(upkeep, job_id, suspected)
            if taken is not None:
                _tell(taken)
                counts[QUEUE_OF[taken.job.task]] += 1
                counts["given_up"] += taken.is_given_up
                suspected |= {taken.niche_id} if taken.niche_id is not None else set()


def _take_over(upkeep: Upkeep, job_id: int, suspected: set[str]) -> _TakenOver | None:
    def work(conn: Connection) -> _TakenOver | None:
        # The job comes before its lead or notification. No transaction waits for it the other way round: one that holds
        # a lead or a notification deletes only jobs that have not begun, and steps over those that others hold.
        job = lock_stalled(conn, job_id, upkeep.settings.heartbeat_timeout_seconds)
        if job is None:
            return None
        if job.task == "distribute_lead" and not lock_lead_unless_held(conn, str(job.payload["lead_id"])):
            return None  # left for the next sweep
        delete_job(conn, job_id)
        if job.task == "distribute_lead":
            return _lead(conn, job, upkeep.settings.max_leads_per_batch, suspected)
        if job.task in ("send_email", "send_webhook"):
            return _notification(conn, job)
        enqueue(conn, [Job(job.task, job.payload)])
        return _TakenOver(job, False, None)

    return upkeep.database.run(work)


def _lead(conn: Connection, job: StalledJob, batch_limit: int, suspected: set[str]) -> _TakenOver:
    lead_id = str(job.payload["lead_id"])
    is_given_up = record_crash(conn, lead_id, job.job_id)
    lead = states_of(conn, [lead_id]).get(lead_id)
    niche_id = lead.niche_id if lead is not None else None
    if niche_id is not None and niche_id not in suspected:
        # The worker was deciding this lead together with others that waited, any of which may be what killed it.
        suspect(conn, niche_id, batch_limit)
    if not is_given_up:
        enqueue(conn, [Job(job.task, job.payload)])
    return _TakenOver(job, is_given_up, niche_id)


def _notification(conn: Connection, job: StalledJob) -> _TakenOver:
    """The crash counts against the notification; the third since it was handed out is the last."""
    notification_id = str(job.payload["notification_id"])
    found = lock_under_way(conn, notification_id)
    if found is None:
        return _TakenOver(job, False, None)  # it is sent, or given up: only the job was left over
    now = clock(conn)
    add_attempt(conn, JobAttempt(job.job_id, job.task, "crashed", None, now, None, notification_id=notification_id))
    crash_count = found.crash_count + 1
    if crash_count < CRASHES_ENDURED:
        enqueue(conn, [Job(job.task, job.payload)])
        return _TakenOver(job, False, None)
    error = f"its worker died while sending it, {crash_count} times"
    record_not_sent(conn, notification_id, error, now, is_final=True)
    payload = {"notification_id": notification_id}
    burial = Burial(job.task, payload, error, None, crash_count, notification_id=notification_id)
    dead_letter_id = bury(conn, burial, now)
    # An alert that could not be delivered raises no other alert: it would fare no better.
    if found.kind != "operator_alert":
        lines = [f"Notification {notification_id} ({found.kind}) by {found.channel}", error]
        alert_operators(conn, "A notification could not be delivered", lines, now)
    append_audit(conn, [opened(dead_letter_id, burial)], now)
    return _TakenOver(job, True, None)


def _tell(taken: _TakenOver) -> None:
    """Called after the commit."""
    job, queue = taken.job, QUEUE_OF[taken.job.task]
    metrics.worker_crash_taken_over(queue)
    asked_by: object = job.payload.get("correlation_id")
    ids = {name: str(job.payload[name]) for name in ("lead_id", "notification_id") if name in job.payload}
    with correlation(asked_by if isinstance(asked_by, str) else None, job_id=job.job_id, **ids):
        outcome = "given_up" if taken.is_given_up else "queued"
        log.warning("job of a dead worker taken over", queue=queue, task=job.task, outcome=outcome)
