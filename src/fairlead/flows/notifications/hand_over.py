"""Handing over many emails at once to one who takes them all, where no mail server is asked."""

from fairlead.flows.notifications.delivery_jobs import delivery_job
from fairlead.flows.notifications.dispatch import BATCH_NOTIFICATIONS
from fairlead.store.connection import Connection, Database
from fairlead.store.jobs.queue import enqueue, waiting_dispatch_jobs, withdraw_jobs
from fairlead.store.leads.rows import clock
from fairlead.store.notifications.rows import hand_out, record_all_taken


def hand_over_emails(database: Database, answer: str) -> int:
    """Every email to a provider that waits to be handed out is sent, and `answer` is what was said to it.

    Nothing leaves: for a marketplace whose time is simulated, or whose providers are made up. What a provider does not
    want is skipped; everything else is handed to jobs, as `dispatch_notifications` does. The jobs that would have
    handed them out are withdrawn. Some hundreds to a transaction; returns how many were sent.
    """
    total = 0
    while True:
        sent_count, seen_count = database.run(lambda conn: _hand_over_some(conn, answer))
        total += sent_count
        if seen_count < BATCH_NOTIFICATIONS:
            return total


def _hand_over_some(conn: Connection, answer: str) -> tuple[int, int]:
    """How many were sent, and how many rows were seen to."""
    # Listed first: what these were enqueued for was committed with them, and is seen by the statements that follow.
    now, job_ids = clock(conn), waiting_dispatch_jobs(conn)
    handed = hand_out(conn, BATCH_NOTIFICATIONS, now)
    sent = frozenset(record_all_taken(conn, [each.notification_id for each in handed.notifications], answer, now))
    left = [each for each in handed.notifications if each.notification_id not in sent]
    if handed.seen_count < BATCH_NOTIFICATIONS:
        withdraw_jobs(conn, job_ids)
    enqueue(conn, [delivery_job(each.notification_id, each.channel, each.correlation_id) for each in left])
    return len(sent), handed.seen_count
