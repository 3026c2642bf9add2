"""Messages to users: queued with their cause, and what they need when they are sent."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from fairlead.store.connection import Connection
from fairlead.store.ids import new_id
from fairlead.store.jobs.queue import Job, enqueue

NoticeKind = Literal["user_invited", "password_reset"]


def insert_notice(conn: Connection, kind: NoticeKind, user_id: str, correlation_id: str | None, now: datetime) -> None:
    """The user will be told by email. The row holds no token: the link is made when the message is sent."""
    conn.execute(
        """
        insert into notifications (id, kind, channel, user_id, correlation_id, created_at)
        values (%s, %s, 'email', %s, %s, %s)
        """,
        (new_id(), kind, user_id, correlation_id, now),
    )
    enqueue(conn, [Job("dispatch_notifications")])


@dataclass(frozen=True, slots=True)
class NoticedUser:
    """Whom a notification is for, and in which status that user is now."""

    user_id: str
    status: str


def user_of_notice(conn: Connection, notification_id: str) -> NoticedUser | None:
    """The user that the notification is for, None when it is for no user; nothing is locked."""
    row = conn.execute(
        """
        select id::text, status from users
        where id = (select user_id from notifications where id = %s)
        """,
        (notification_id,),
    ).fetchone()
    return None if row is None else NoticedUser(*row)
