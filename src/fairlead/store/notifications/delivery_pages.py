"""Deliveries, which are notifications and the attempts to send them, page by page; nothing personal but ids."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from fairlead.store.connection import Connection
from fairlead.store.ids import ids_from
from fairlead.store.keyset import Conditions, KeysetPage, KeysetQuery, items_of
from fairlead.store.notifications.lists import ListedNotification
from fairlead.store.typed_rows import all_rows

Place = tuple[datetime, str]
"""When it was made, and its id; the id alone gives the order, by time as the process knew it that made it."""

CLOCKS_APART = timedelta(hours=1)
"""An id is of the clock of the process that made it, a time of the database's: they are taken to differ by no more."""


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which notifications are wanted; None: all. `created_from` is included, `created_before` is not."""

    provider_id: str | None = None
    kind: str | None = None
    channel: str | None = None
    state: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """An attempt on record: one that failed or was cut off, or that came to something after such a one."""

    attempt_id: str
    outcome: str
    started_at: datetime | None
    ended_at: datetime
    error: str | None


_COLUMNS: LiteralString = """
    a.id::text as notification_id, a.kind, a.channel, a.state, a.state = 'queued' and a.enqueued_at is null as is_held,
    a.provider_id::text, a.assignment_id::text, a.subscription_id::text, a.webhook_endpoint_id::text, a.attempts,
    a.replay_count, a.created_at, a.last_attempt_at, a.sent_at, a.last_answer, a.correlation_id, a.detail"""


def delivery_page(
    conn: Connection, wanted: DeliveryFilter, after: Place | None, limit: int
) -> KeysetPage[ListedNotification, Place]:
    """The next notifications, the newest first, after the one that was seen last."""
    index_filter, row_filter = Conditions(), Conditions()
    index_filter.add_given("a.provider_id = %s", wanted.provider_id)
    if wanted.state in ("failed", "skipped") and wanted.provider_id is None:
        index_filter.add("a.state = %s and a.state in ('failed', 'skipped')", wanted.state)
    else:
        row_filter.add_given("a.state = %s", wanted.state)
    row_filter.add_given("a.kind = %s", wanted.kind)
    row_filter.add_given("a.channel = %s", wanted.channel)
    if wanted.created_from is not None:
        index_filter.add("a.id >= %s", ids_from(wanted.created_from, -CLOCKS_APART))
        row_filter.add("a.created_at >= %s", wanted.created_from)
    if wanted.created_before is not None:
        index_filter.add("a.id < %s", ids_from(wanted.created_before, CLOCKS_APART))
        row_filter.add("a.created_at < %s", wanted.created_before)
    return _page(conn, index_filter, row_filter, after, limit)


def endpoint_deliveries(
    conn: Connection, endpoint_id: str, of_provider_id: str | None, after: Place | None, limit: int
) -> KeysetPage[ListedNotification, Place]:
    """The next notifications for a webhook endpoint, the newest first, with how far each has come.

    None for a provider of any; with one, only where the endpoint is its own.
    """
    index_filter, row_filter = Conditions(), Conditions()
    index_filter.add("a.webhook_endpoint_id = %s", endpoint_id)
    row_filter.add_given("a.provider_id = %s", of_provider_id)
    return _page(conn, index_filter, row_filter, after, limit)


def delivery_attempts(conn: Connection, notification_id: str, limit: int = 100) -> list[DeliveryAttempt]:
    """The newest attempts on record to send a notification, the newest first; at most so many."""
    return all_rows(
        conn,
        DeliveryAttempt,
        """
        select id::text as attempt_id, outcome, started_at, ended_at, error from job_attempts
        where notification_id = %s order by ended_at desc, id desc limit %s
        """,
        (notification_id, limit),
    )


def _page(
    conn: Connection, index_filter: Conditions, row_filter: Conditions, after: Place | None, limit: int
) -> KeysetPage[ListedNotification, Place]:
    if after is not None:
        index_filter.add("a.id < %s", after[1])
    keyset = KeysetQuery("notifications", "a.id desc", "a.created_at, a.id::text", index_filter, row_filter)
    return keyset.page(conn, items_of(ListedNotification), _COLUMNS, "", limit)
