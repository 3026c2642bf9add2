"""Erasing personal data that was kept for as long as its niche says."""

from collections import Counter
from datetime import datetime, timedelta

from fairlead.core.retention import RETENTION_RULES, RetentionRule
from fairlead.flows.chunks import ChunkDone, in_chunks, last_of
from fairlead.flows.erasure.erase import ErasureCause, erase_locked, erase_part
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.store.audit.log import SYSTEM
from fairlead.store.connection import Connection
from fairlead.store.leads.erasure import lock_for_erasure
from fairlead.store.leads.retention import (
    RetainingNiche,
    deliveries_seen_to,
    due_leads,
    next_of_deliveries,
    policies,
    still_due,
)
from fairlead.store.leads.rows import clock
from fairlead.store.notifications.erasure import erase_answers, lock_messages_about

CHUNK_LEADS = 100
BY_RETENTION = ErasureCause(SYSTEM, "retention", "retention")

Place = tuple[datetime, str]


def retain(maintenance: Maintenance) -> Counter[str]:
    """Of leads that are past their niche's days what is to go is gone; returns how many leads, by rule.

    A hundred to a transaction, which locks its leads in ascending order of id and looks at them again: one that was
    sold or rejected meanwhile is left for its own rule. What is gone is found by no rule again, so that a run that was
    stopped, or whose time was over, is made up for by the next. Audited, each lead by itself. Raises `Unavailable`.
    """
    counts: Counter[str] = Counter()
    for niche in maintenance.database.read(policies):
        for rule in RETENTION_RULES:
            counts[rule] += _apply(maintenance, niche, rule)
        counts["deliveries"] += _apply_to_deliveries(maintenance, niche)
    return counts


def _apply(maintenance: Maintenance, niche: RetainingNiche, rule: RetentionRule) -> int:
    def work(conn: Connection, after: Place | None) -> ChunkDone[Place]:
        before = niche.policy.cutoff(rule, clock(conn))
        found = [] if before is None else due_leads(conn, niche.niche_id, rule, before, after, CHUNK_LEADS)
        locked = lock_for_erasure(conn, [lead_id for _, lead_id in found])
        due = frozenset(still_due(conn, [lead.lead_id for lead in locked], rule))
        leads = [lead for lead in locked if lead.lead_id in due]
        if rule in ("rejected", "unsold"):
            erase_locked(conn, leads, BY_RETENTION)
        else:
            erase_part(conn, leads, rule, BY_RETENTION)
        return ChunkDone(len(leads), last_of(found, CHUNK_LEADS))

    return in_chunks(lambda after: maintenance.database.run(lambda conn: work(conn, after)), maintenance.run_time)


def _apply_to_deliveries(maintenance: Maintenance, niche: RetainingNiche) -> int:
    days = niche.policy.deliveries_days
    if days is None:
        return 0

    def work(conn: Connection, after: Place | None) -> ChunkDone[Place]:
        before = clock(conn) - timedelta(days=days)
        found = next_of_deliveries(conn, niche.niche_id, before, after, CHUNK_LEADS)
        erase_answers(conn, lock_messages_about(conn, [lead_id for _, lead_id in found]))
        last = last_of(found, CHUNK_LEADS)
        # Not past that moment yet: more leads may have come in at it, as those of one file do.
        deliveries_seen_to(conn, niche.niche_id, before if last is None else last[0])
        return ChunkDone(len(found), last)

    return in_chunks(lambda after: maintenance.database.run(lambda conn: work(conn, after)), maintenance.run_time)
