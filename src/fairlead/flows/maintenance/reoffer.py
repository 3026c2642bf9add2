"""Offering unsold leads again, as their niche's policy has it."""

from collections import Counter

from fairlead.flows.lead_jobs import lead_jobs
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.store.audit.log import SYSTEM, AuditEvent, append_audit
from fairlead.store.connection import Connection
from fairlead.store.jobs.queue import enqueue
from fairlead.store.leads.rows import clock
from fairlead.store.leads.state import count_reoffer, set_awaiting
from fairlead.store.leads.unsold import lock_unsold, niches_that_reoffer

CHUNK_LEADS = 200
MOST_CHUNKS = 10
"""Of one niche at a time: what is due beyond that has its turn in a minute, and no other niche waits for it."""


def reoffer(maintenance: Maintenance) -> Counter[str]:
    """Unsold leads that are due await a decision again, with a job; returns how many.

    Due is a lead whose last decision made no assignment, long enough ago, not too often yet and not too long after its
    approval, by the policy of its niche. Some hundreds to a transaction, which locks its leads and audits each. Safe to
    run any number of times at once: a lead that awaits its decision is not due.

    Raises `Unavailable`.
    """
    counts: Counter[str] = Counter()
    for niche_id in maintenance.database.run(niches_that_reoffer):
        for _ in range(MOST_CHUNKS):

            def work(conn: Connection, niche_id: str = niche_id) -> int:
                return _reoffer_some(conn, niche_id)

            count = maintenance.database.run(work)
            counts["leads"] += count
            if count < CHUNK_LEADS:
                break
    return counts


def _reoffer_some(conn: Connection, niche_id: str) -> int:
    leads = lock_unsold(conn, niche_id, CHUNK_LEADS)
    if leads:
        now, lead_ids = clock(conn), [lead.lead_id for lead in leads]
        set_awaiting(conn, lead_ids, None)
        count_reoffer(conn, lead_ids)
        enqueue(conn, lead_jobs(lead_ids, SYSTEM, now))
        events = [
            AuditEvent(
                SYSTEM, "distribution.reoffered", "lead", lead.lead_id, new={"reoffer_count": lead.reoffer_count + 1}
            )
            for lead in leads
        ]
        append_audit(conn, events, now)
    return len(leads)
