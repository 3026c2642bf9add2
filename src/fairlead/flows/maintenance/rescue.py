"""Rescuing the jobs of workers that died, were killed, or left when their time to finish was over."""

from collections import Counter
from dataclasses import dataclass

from fairlead.core.retries import CRASHES_ENDURED
from fairlead.flows.chunks import ChunkDone, in_chunks, last_of
from fairlead.flows.failures.failed_exports import record_export_crash
from fairlead.flows.failures.failed_runs import record_crash
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.notifications.alerts import alert_operators
from fairlead.store.audit.log import append_audit
from fairlead.store.connection import Connection
from fairlead.store.failures.dead_letters import NewDeadLetter, open_dead_letter, opened
from fairlead.store.jobs.queue import QUEUE_OF
from fairlead.store.jobs.rescue import (
    StalledJob,
    delete_job,
    lock_lead_unless_held,
    lock_stalled,
    requeue,
    stalled_job_ids,
)
from fairlead.store.jobs.workers import bring_heartbeats_back
from fairlead.store.leads.rows import clock, states_of
from fairlead.store.leads.runs import JobAttempt, add_attempt
from fairlead.store.leads.state import isolate_waiting_leads
from fairlead.store.notifications.crashes import lock_under_way
from fairlead.store.notifications.rows import record_not_sent
from fairlead.telemetry import metrics
from fairlead.telemetry.logs import correlation, get_logger

CHUNK_JOBS = 500

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Rescued:
    job: StalledJob
    is_given_up: bool
    niche_id: str | None


def rescue(maintenance: Maintenance) -> Counter[str]:
    """Every job whose worker is gone waits to be done anew, or is given up because it keeps killing workers.

    A worker counts as gone when it gave no sign of life for `heartbeat_timeout_seconds`, and at once when it is not
    registered any more, as after a restart that could not wait for its jobs. One transaction per job, which records the
    crash, replaces the job, and locks the job, then what it is about; one whose lead another transaction holds
    is left for the next time. Safe to run any number of times at once: each job is rescued by one of them. Returns how
    many jobs of each queue were rescued, and how many given up.

    Raises `Unavailable`.
    """
    silent_seconds = maintenance.settings.heartbeat_timeout_seconds
    maintenance.database.run(bring_heartbeats_back)
    isolated_niche_ids: set[str] = set()
    counts: Counter[str] = Counter()

    def step(after: int | None) -> ChunkDone[int]:
        job_ids = maintenance.database.run(lambda conn: stalled_job_ids(conn, silent_seconds, after or 0, CHUNK_JOBS))
        for job_id in job_ids:
            rescued = _rescue(maintenance, job_id, isolated_niche_ids)
            if rescued is not None:
                _tell(rescued)
                counts[QUEUE_OF[rescued.job.task]] += 1
                counts["given_up"] += rescued.is_given_up
                isolated_niche_ids.update([] if rescued.niche_id is None else [rescued.niche_id])
        return ChunkDone(len(job_ids), last_of(job_ids, CHUNK_JOBS))

    in_chunks(step, maintenance.run_time)
    return counts


def _rescue(maintenance: Maintenance, job_id: int, isolated_niche_ids: set[str]) -> _Rescued | None:
    def work(conn: Connection) -> _Rescued | None:
        # The job comes before its lead or notification. Nothing waits for it the other way round: what holds a
        # lead or a notification deletes only jobs that have not begun, and steps over those that others hold.
        job = lock_stalled(conn, job_id, maintenance.settings.heartbeat_timeout_seconds)
        if job is None:
            return None
        if job.task == "distribute_lead" and not lock_lead_unless_held(conn, str(job.payload["lead_id"])):
            return None  # left for the next sweep
        if job.task == "distribute_lead":
            return _lead(conn, job, maintenance.settings.max_leads_per_batch, isolated_niche_ids)
        if job.task in ("send_email", "send_webhook"):
            return _notification(conn, job)
        if job.task == "build_export":
            return _export(conn, job)
        requeue(conn, job)
        return _Rescued(job, False, None)

    return maintenance.database.run(work)


def _lead(conn: Connection, job: StalledJob, batch_limit: int, isolated_niche_ids: set[str]) -> _Rescued:
    lead_id = str(job.payload["lead_id"])
    events = record_crash(conn, lead_id, job.job_id)
    lead = states_of(conn, [lead_id]).get(lead_id)
    niche_id = lead.niche_id if lead is not None else None
    if niche_id is not None and niche_id not in isolated_niche_ids:
        # The worker was deciding this lead together with others that waited, any of which may be what killed it.
        isolate_waiting_leads(conn, niche_id, batch_limit)
    if events:
        delete_job(conn, job.job_id)
    else:
        requeue(conn, job)
    append_audit(conn, events, clock(conn))
    return _Rescued(job, bool(events), niche_id)


def _export(conn: Connection, job: StalledJob) -> _Rescued:
    """Its lane builds one at a time: the crash is counted against it, and the third is the last."""
    delete_job(conn, job.job_id)  # first, because the record may end with the audit log, whose lock is the last
    is_given_up = record_export_crash(conn, str(job.payload["export_id"]))
    if is_given_up is False:
        requeue(conn, job)
    return _Rescued(job, is_given_up is True, None)


def _notification(conn: Connection, job: StalledJob) -> _Rescued:
    """A crash among others is held against none of them: each is sent alone from now on, by one thread of a worker.

    It is on record all the same, as `interrupted`: the mail server may have taken the one that the worker had in hand.
    One at which a worker died alone has the crash counted against it; the third since it was handed out is the last.
    """
    notification_id = str(job.payload["notification_id"])
    found = lock_under_way(conn, notification_id)
    if found is None:
        delete_job(conn, job.job_id)
        return _Rescued(job, False, None)  # it is sent, or given up: only the job was left over
    outcome = "crashed" if job.is_isolated else "interrupted"
    attempt = JobAttempt(job.job_id, job.task, outcome, None, clock(conn), None, notification_id=notification_id)
    add_attempt(conn, attempt)
    crash_count = found.crash_count + job.is_isolated
    if crash_count < CRASHES_ENDURED:
        requeue(conn, job, is_isolated=True)
        return _Rescued(job, False, None)
    delete_job(conn, job.job_id)
    _give_up(conn, job, notification_id, found.kind, crash_count)
    return _Rescued(job, True, None)


def _give_up(conn: Connection, job: StalledJob, notification_id: str, kind: str, crash_count: int) -> None:
    now = clock(conn)
    error = f"its worker died while sending it, {crash_count} times"
    record_not_sent(conn, notification_id, error, now, is_final=True)
    payload = {"notification_id": notification_id}
    letter = NewDeadLetter(job.task, payload, error, None, crash_count, notification_id=notification_id)
    dead_letter_id = open_dead_letter(conn, letter, now)
    # An alert that could not be delivered raises no other alert: it would fare no better.
    if kind != "operator_alert":
        lines = [f"Notification {notification_id} ({kind}) by {QUEUE_OF[job.task]}", error]
        alert_operators(conn, "A notification could not be delivered", lines, now)
    append_audit(conn, [opened(dead_letter_id, letter)], now)


def _tell(rescued: _Rescued) -> None:
    """Called after the commit."""
    job, queue = rescued.job, QUEUE_OF[rescued.job.task]
    metrics.job_rescued(queue)
    asked_by: object = job.payload.get("correlation_id")
    ids = {name: str(job.payload[name]) for name in ("lead_id", "notification_id", "export_id") if name in job.payload}
    with correlation(asked_by if isinstance(asked_by, str) else None, job_id=job.job_id, **ids):
        outcome = "given_up" if rescued.is_given_up else "queued"
        log.warning("job of a dead worker rescued", queue=queue, task=job.task, outcome=outcome)
