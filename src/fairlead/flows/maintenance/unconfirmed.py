"""Giving up public leads that were not confirmed in time."""

from collections import Counter
from datetime import datetime, timedelta

from fairlead.flows.chunks import ChunkDone, in_chunks, last_of
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.store.audit.log import SYSTEM, AuditEvent, append_audit
from fairlead.store.connection import Connection
from fairlead.store.leads.confirmations import delete_confirmation_tokens, lock_unconfirmed
from fairlead.store.leads.consumer_links import delete_consumer_links
from fairlead.store.leads.rows import clock
from fairlead.store.leads.state import set_rejected

CHUNK_LEADS = 200
LINKS_KEPT = timedelta(days=30)
REASON = "it was not confirmed in time"

Place = tuple[datetime, str]


def reject_unconfirmed(maintenance: Maintenance) -> Counter[str]:
    """Public leads that were not confirmed within their seven days are rejected; returns how many.

    Gone are links that ran out more than 30 days ago. Some hundreds to a transaction, which locks its leads and audits
    each. Safe to run any number of times at once. Raises `Unavailable`.
    """
    counts: Counter[str] = Counter()
    counts["leads"] = in_chunks(
        lambda after: maintenance.database.run(lambda conn: _reject_some(conn, after)), maintenance.run_time
    )
    counts["links"] = maintenance.database.run(_delete_links)
    return counts


def _delete_links(conn: Connection) -> int:
    before = clock(conn) - LINKS_KEPT
    return delete_confirmation_tokens(conn, before) + delete_consumer_links(conn, before)


def _reject_some(conn: Connection, after: Place | None) -> ChunkDone[Place]:
    found = lock_unconfirmed(conn, after, CHUNK_LEADS)
    lead_ids = [lead_id for _, lead_id in found]
    if lead_ids:
        now = clock(conn)
        set_rejected(conn, lead_ids, REASON, SYSTEM.name, now, None)
        old, new = {"status": "pending_confirmation"}, {"status": "rejected"}
        append_audit(conn, [AuditEvent(SYSTEM, "lead.rejected", "lead", each, old, new) for each in lead_ids], now)
    return ChunkDone(len(found), last_of(found, CHUNK_LEADS))
