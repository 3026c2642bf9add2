"""Deleting the files of exports whose time is over: they hold copies of personal data."""

from collections import Counter

from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.store.connection import Connection
from fairlead.store.exports.requests import end_export, expired_export_ids
from fairlead.store.leads.rows import clock

CHUNK_EXPORTS = 10
"""Each may be a thousand pieces."""


def expire_exports(maintenance: Maintenance) -> Counter[str]:
    """No file is kept beyond its time; returns how many exports expired. Idempotent. Raises `Unavailable`.

    Some to a transaction, which locks them; one that is being fetched or deleted is left for the next time.
    """
    counts: Counter[str] = Counter()
    while count := maintenance.database.run(_some):
        counts["expired"] += count
    return counts


def _some(conn: Connection) -> int:
    now = clock(conn)
    export_ids = expired_export_ids(conn, now, CHUNK_EXPORTS)
    for export_id in export_ids:
        end_export(conn, export_id, "expired", now)
    return len(export_ids)
