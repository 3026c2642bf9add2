"""Forgetting what was only kept for a while."""

from collections import Counter
from datetime import datetime, timedelta

from fairlead.flows.chunks import ChunkDone, in_chunks, last_of
from fairlead.flows.live.feed import forget_old_entries
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.store.access.one_time_tokens import delete_old_tokens
from fairlead.store.access.rate_buckets import delete_full_buckets
from fairlead.store.access.sessions import delete_old_sessions
from fairlead.store.committed_calls import delete_calls
from fairlead.store.connection import Connection
from fairlead.store.exports.requests import delete_old_exports
from fairlead.store.failures.dead_letters import delete_resolved
from fairlead.store.idempotency import delete_keys
from fairlead.store.jobs.workers import delete_silent_workers
from fairlead.store.leads.rows import clock
from fairlead.store.leads.runs import delete_attempts

KEPT = timedelta(days=30)
WORKERS_KEPT = timedelta(days=1)
KEYS_KEPT = timedelta(days=1)
CALLS_KEPT = timedelta(hours=1)
"""A call that is not over by then has given up long ago."""
CHUNK_ATTEMPTS = 10_000


Place = tuple[datetime, str]


def clean_up(maintenance: Maintenance) -> Counter[str]:
    """Gone are dead letters resolved, and runs of jobs ended, more than 30 days ago; returns how many of each.

    Runs of what has an open dead letter are kept, and so is every open dead letter. Gone too are exports without a file
    that were requested more than 30 days ago, registrations
    of workers that have been silent for a day, idempotency keys of more than a day ago, sessions and one-time tokens
    that ran out more than 30 days ago, windows of limits that were over a week ago, rate limits that are back at full,
    and what the live feed keeps of more than 7 days ago. Raises `Unavailable`.
    """
    database, counts = maintenance.database, Counter[str]()
    counts["dead_letters"] = database.run(lambda conn: delete_resolved(conn, clock(conn) - KEPT))
    counts["attempts"] = in_chunks(
        lambda after: database.run(lambda conn: _attempts(conn, after)), maintenance.run_time
    )
    counts["exports"] = database.run(lambda conn: delete_old_exports(conn, clock(conn) - KEPT))
    counts["keys"] = database.run(lambda conn: delete_keys(conn, clock(conn) - KEYS_KEPT))
    counts["sessions"] = database.run(lambda conn: delete_old_sessions(conn, clock(conn) - KEPT))
    counts["tokens"] = database.run(lambda conn: delete_old_tokens(conn, clock(conn) - KEPT))
    counts["buckets"] = database.run(lambda conn: delete_full_buckets(conn, clock(conn)))
    counts["live_entries"] = forget_old_entries(database, maintenance.run_time)
    counts["workers"] = database.run(lambda conn: delete_silent_workers(conn, WORKERS_KEPT.total_seconds()))
    return counts


def forget_calls(maintenance: Maintenance) -> Counter[str]:
    """Gone are the ids of calls that began more than an hour ago; no caller asks for them. Raises `Unavailable`."""
    maintenance.database.run(lambda conn: delete_calls(conn, clock(conn) - CALLS_KEPT))
    return Counter()


def _attempts(conn: Connection, after: Place | None) -> ChunkDone[Place]:
    deleted = delete_attempts(conn, clock(conn) - KEPT, after, CHUNK_ATTEMPTS)
    return ChunkDone(len(deleted), last_of(deleted, CHUNK_ATTEMPTS))
