"""Offering unsold leads again: as their niche's policy has it, and when what kept them unsold opens."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from fairlead.flows.lead_jobs import lead_jobs
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.store.audit.log import SYSTEM, AuditEvent, append_audit
from fairlead.store.connection import Connection
from fairlead.store.jobs.queue import enqueue
from fairlead.store.leads.rows import clock
from fairlead.store.leads.state import count_reoffer, set_awaiting
from fairlead.store.leads.unsold import UnsoldLead, lock_reopened, lock_unsold, niches_that_reoffer

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


def reopen(maintenance: Maintenance) -> Counter[str]:
    """Leads that limits or schedules kept unsold await a decision again once the first of them opens; how many.

    When that is, the decision wrote on the lead's row: no job has to be kept until then, and none can be lost. Some
    hundreds to a transaction, which locks its leads and audits each. Safe to run any number of times at once. Raises
    `Unavailable`.
    """
    counts: Counter[str] = Counter()
    for _ in range(MOST_CHUNKS):
        count = maintenance.database.run(_reopen_some)
        counts["leads"] += count
        if count < CHUNK_LEADS:
            break
    return counts


def _reopen_some(conn: Connection) -> int:
    leads = lock_reopened(conn, CHUNK_LEADS)
    if leads:
        _offer(conn, leads, "distribution.reopened", lambda _: None)
    return len(leads)


def _reoffer_some(conn: Connection, niche_id: str) -> int:
    leads = lock_unsold(conn, niche_id, CHUNK_LEADS)
    if leads:
        count_reoffer(conn, [lead.lead_id for lead in leads])
        _offer(conn, leads, "distribution.reoffered", lambda lead: {"reoffer_count": lead.reoffer_count + 1})
    return len(leads)


def _offer(
    conn: Connection,
    leads: Sequence[UnsoldLead],
    action: str,
    told: Callable[[UnsoldLead], Mapping[str, object] | None],
) -> None:
    now, lead_ids = clock(conn), [lead.lead_id for lead in leads]
    set_awaiting(conn, lead_ids, None)
    enqueue(conn, lead_jobs(lead_ids, SYSTEM, now))
    append_audit(conn, [AuditEvent(SYSTEM, action, "lead", lead.lead_id, new=told(lead)) for lead in leads], now)
