"""Notifications whose worker died while it was sending them."""

from dataclasses import dataclass

from fairlead.store.connection import Connection


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A notification that waits to be sent, and how often a worker died at it since it was handed out."""

    kind: str
    channel: str
    crash_count: int


def lock_under_way(conn: Connection, notification_id: str) -> UnderWay | None:
    """The notification, its row locked, if it waits to be sent; else None.

    Crashes from before it was handed out, as by an operator who retried it, count no more.
    """
    row = conn.execute(
        "select kind, channel from notifications where id = %s and state = 'queued' for no key update",
        (notification_id,),
    ).fetchone()
    if row is None:
        return None
    crashes = conn.execute(
        """
        select count(*) from job_attempts a join notifications n on n.id = a.notification_id
        where a.notification_id = %s and a.outcome = 'crashed' and a.ended_at >= coalesce(n.enqueued_at, a.ended_at)
        """,
        (notification_id,),
    ).fetchall()
    return UnderWay(row[0], row[1], crashes[0][0])
