"""What messages to users need when they are sent."""

from dataclasses import dataclass

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import one_row


@dataclass(frozen=True, slots=True)
class NoticedUser:
    """Whom a notification is for, and in which status that user is now."""

    user_id: str
    status: str


def user_of_notice(conn: Connection, notification_id: str) -> NoticedUser | None:
    """The user that the notification is for, None when it is for no user; nothing is locked."""
    return one_row(
        conn,
        NoticedUser,
        """
        select id::text as user_id, status from users
        where id = (select user_id from notifications where id = %s)
        """,
        (notification_id,),
    )
