"""Telling operators that something needs a person."""

from collections.abc import Sequence
from datetime import datetime

from fairlead.core.canonical import timestamp_text
from fairlead.store.connection import Connection
from fairlead.store.notifications.outbox import Notification, notify


def alert_operators(
    conn: Connection, title: str, lines: Sequence[str], now: datetime, *, idempotency_key: str | None = None
) -> None:
    """Operators will be told, once the caller's transaction commits. Title and lines hold nothing personal.

    `once` names what the alert is raised for: a second with the same name is not raised, ever.
    """
    detail = {"title": title, "lines": list(lines), "happened_at": timestamp_text(now)}
    if idempotency_key is not None:
        detail["once"] = idempotency_key
    notify(conn, [Notification("operator_alert", detail=detail)], now)
