"""Notifications as a person looks at them: nothing personal but whom they are for, by id."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows, one_row

NOTIFICATION_STATES = ("queued", "sent", "failed", "skipped")


@dataclass(frozen=True, slots=True)
class ListedNotification:
    """A notification and how far it has come. `is_held`: it waits, and no job has it."""

    notification_id: str
    kind: str
    channel: str
    state: str
    is_held: bool
    provider_id: str | None
    assignment_id: str | None
    subscription_id: str | None
    webhook_endpoint_id: str | None
    attempts: int
    replay_count: int
    created_at: datetime
    last_attempt_at: datetime | None
    sent_at: datetime | None
    last_answer: str | None
    correlation_id: str | None
    detail: dict[str, Any] | None


_COLUMNS = """
    select id::text as notification_id, kind, channel, state, state = 'queued' and enqueued_at is null as is_held,
           provider_id::text,
           assignment_id::text, subscription_id::text, webhook_endpoint_id::text, attempts, replay_count, created_at,
           last_attempt_at, sent_at, last_answer, correlation_id, detail
    from notifications"""


def list_notifications(
    conn: Connection, *, state: str | None, channel: str | None, provider_id: str | None, limit: int
) -> list[ListedNotification]:
    """The newest notifications (of that state, channel and provider), newest first."""
    return all_rows(
        conn,
        ListedNotification,
        _COLUMNS
        + """
        where (%(state)s::text is null or state = %(state)s) and (%(channel)s::text is null or channel = %(channel)s)
          and (%(provider)s::uuid is null or provider_id = %(provider)s::uuid)
        order by id desc limit %(limit)s
        """,
        {"state": state, "channel": channel, "provider": provider_id, "limit": limit},
    )


def listed_notification(conn: Connection, notification_id: str) -> ListedNotification | None:
    """The notification with this id, None when there is none."""
    return one_row(conn, ListedNotification, _COLUMNS + " where id = %s", (notification_id,))
