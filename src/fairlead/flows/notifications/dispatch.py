"""Handing waiting notifications to the jobs that deliver them."""

from fairlead.flows.notifications.delivery_jobs import delivery_job
from fairlead.store.connection import Connection, Database
from fairlead.store.jobs.queue import enqueue
from fairlead.store.leads.rows import clock
from fairlead.store.notifications.rows import HandedOut, hand_out

BATCH_NOTIFICATIONS = 500


def dispatch_notifications(database: Database) -> int:
    """Every notification that waited has a job of its own that delivers it; returns how many were handed out.

    Those that a provider does not want are skipped instead, and those for a paused endpoint go on waiting. Some
    hundreds to a transaction, marked and enqueued in one. Safe to run any number of times at once: each notification
    is handed out by one of them.
    """
    total = 0
    while True:
        handed = database.run(_hand_out_some)
        total += len(handed.notifications)
        if handed.seen_count < BATCH_NOTIFICATIONS:
            return total


def _hand_out_some(conn: Connection) -> HandedOut:
    handed = hand_out(conn, BATCH_NOTIFICATIONS, clock(conn))
    enqueue(
        conn, [delivery_job(each.notification_id, each.channel, each.correlation_id) for each in handed.notifications]
    )
    return handed
