"""Orphans: leads and notifications that wait although no job will do anything about it."""

from fairlead.store.connection import Connection
from fairlead.store.notifications.rows import QueuedNotification
from fairlead.store.simulated_clock import simulated_now
from fairlead.store.typed_rows import all_rows


def leads_without_job(conn: Connection, limit: int) -> list[str]:
    """Leads of active niches that await a decision although no job, waiting or running, asks for it; oldest first."""
    rows = conn.execute(
        """
        select l.id::text from leads l join niches n on n.id = l.niche_id
        where l.awaits_decision and n.is_active and not exists (
            select from jobs j where j.task = 'distribute_lead'
            and j.payload ->> 'lead_id' = l.id::text)
        order by l.approved_at, l.id limit %s
        """,
        (limit,),
    ).fetchall()
    return [row[0] for row in rows]


def deliveries_without_job(conn: Connection, limit: int) -> list[QueuedNotification]:
    """Notifications that were handed to a delivery job which is gone, although they are not delivered; oldest first."""
    return all_rows(
        conn,
        QueuedNotification,
        """
        select n.id::text as notification_id, n.channel, n.correlation_id from notifications n
        where n.state = 'queued' and n.enqueued_at < coalesce(%s::timestamptz, clock_timestamp()) - interval '1 minute'
          and not exists (
            select from jobs j where j.task in ('send_email', 'send_webhook')
            and j.payload ->> 'notification_id' = n.id::text)
        order by n.enqueued_at, n.id limit %s
        """,
        (simulated_now(conn), limit),
    )


def lacks_dispatch(conn: Connection) -> bool:
    """Whether notifications wait to be handed out and no job waits to do that. Those of paused endpoints do not count.

    A dispatch that is running may have looked before the newest of them was committed, so it does not count either.
    """
    rows = conn.execute(
        """
        select exists (
            select from notifications n left join webhook_endpoints e on e.id = n.webhook_endpoint_id
            where n.state = 'queued' and n.enqueued_at is null
              and (e.id is null or e.state = 'active' or e.deleted_at is not null)
        ) and not exists (
            select from jobs where queue = 'dispatch' and state = 'waiting')
        """
    ).fetchall()
    return rows[0][0]
