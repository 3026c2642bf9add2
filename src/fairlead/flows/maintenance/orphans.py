"""Requeueing orphans: whatever the rows say still waits has a job, however its job was lost."""

from collections import Counter

from fairlead.flows.chunks import ChunkDone, in_chunks, last_of
from fairlead.flows.exporting.requests import export_job
from fairlead.flows.lead_jobs import lead_jobs
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.notifications.delivery_jobs import delivery_job
from fairlead.store.audit.log import SYSTEM
from fairlead.store.connection import Connection
from fairlead.store.exports.requests import exports_without_job
from fairlead.store.jobs.fetching import bring_forward
from fairlead.store.jobs.orphans import deliveries_without_job, lacks_dispatch, leads_without_job
from fairlead.store.jobs.queue import Job, enqueue
from fairlead.store.leads.rows import clock

CHUNK_JOBS = 500
MOST_CHUNKS = 200
"""A turn ends after so many: what is left has its turn in five minutes."""


def requeue_orphans(maintenance: Maintenance) -> Counter[str]:
    """Leads that await a decision, notifications that wait to be sent, and exports under way each have a job; returns
    how many got one.

    Jobs that were put off before the clock was set back wait no longer than they should: a task that was begun in what
    is the future now is due at once. Leads of inactive niches and notifications of paused endpoints go on waiting:
    when those are active again, this is what gets them going. Some hundreds to a transaction, nothing is waited for.
    Idempotent, and safe to run at once: a job too many finds nothing to do. Raises `Unavailable`.
    """
    counts: Counter[str] = Counter()
    for requeue_some in (_leads, _deliveries, _exports):
        for _ in range(MOST_CHUNKS):
            count = maintenance.database.run(requeue_some)
            counts[requeue_some.__name__.removeprefix("_")] += count
            if count < CHUNK_JOBS:
                break
    counts["rescheduled"] = in_chunks(
        lambda after: maintenance.database.run(lambda conn: _reschedule(conn, after)), maintenance.run_time
    )
    counts["dispatches"] += maintenance.database.run(_dispatch)
    return counts


def _leads(conn: Connection) -> int:
    lead_ids = leads_without_job(conn, CHUNK_JOBS)
    enqueue(conn, lead_jobs(lead_ids, SYSTEM, clock(conn)))
    return len(lead_ids)


def _deliveries(conn: Connection) -> int:
    lost = deliveries_without_job(conn, CHUNK_JOBS)
    enqueue(conn, [delivery_job(each.notification_id, each.channel, each.correlation_id) for each in lost])
    return len(lost)


def _exports(conn: Connection) -> int:
    export_ids = exports_without_job(conn, CHUNK_JOBS)
    enqueue(conn, [export_job(each) for each in export_ids])
    return len(export_ids)


def _reschedule(conn: Connection, after: int | None) -> ChunkDone[int]:
    job_ids = bring_forward(conn, after, CHUNK_JOBS)
    return ChunkDone(len(job_ids), last_of(job_ids, CHUNK_JOBS))


def _dispatch(conn: Connection) -> bool:
    is_needed = lacks_dispatch(conn)
    if is_needed:
        enqueue(conn, [Job("dispatch_notifications")])
    return is_needed
