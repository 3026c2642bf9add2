"""Deleting the files of exports whose time is over: they hold copies of personal data."""

from collections import Counter
from datetime import datetime

from fairlead.flows.chunks import ChunkDone, in_chunks, last_of
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.store.connection import Connection
from fairlead.store.exports.requests import end_export, expired_exports
from fairlead.store.leads.rows import clock

CHUNK_EXPORTS = 10
"""Each may be a thousand pieces."""

Place = tuple[datetime, str]


def expire_exports(maintenance: Maintenance) -> Counter[str]:
    """No file is kept beyond its time; returns how many exports expired. Idempotent. Raises `Unavailable`.

    Some to a transaction, which locks them; one that is being fetched or deleted is left for the next time.
    """
    expired = in_chunks(lambda after: maintenance.database.run(lambda conn: _some(conn, after)), maintenance.run_time)
    return Counter(expired=expired)


def _some(conn: Connection, after: Place | None) -> ChunkDone[Place]:
    now = clock(conn)
    found = expired_exports(conn, now, after, CHUNK_EXPORTS)
    for _, export_id in found:
        end_export(conn, export_id, "expired", now)
    return ChunkDone(len(found), last_of(found, CHUNK_EXPORTS))
