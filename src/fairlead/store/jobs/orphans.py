"""Orphans: notifications that wait although no job will do anything about it."""

from fairlead.store.connection import Connection
from fairlead.store.jobs.queue import notifications_without_job
from fairlead.store.notifications.rows import QueuedNotification
from fairlead.store.typed_rows import all_rows


def deliveries_without_job(conn: Connection, limit: int) -> list[QueuedNotification]:
    """Notifications that were handed to a delivery job which is gone, although they are not delivered; oldest first."""
    return all_rows(
        conn,
        QueuedNotification,
        """
        select n.id::text as notification_id, n.channel, n.correlation_id
        from unnest(%s::uuid[]) with ordinality as lost (id, place)
        join notifications n on n.id = lost.id order by place
        """,
        (notifications_without_job(conn, limit),),
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
