"""Telling operators that something needs a person."""

from collections.abc import Sequence
from datetime import datetime

from fairlead.core.canonical import timestamp_text
from fairlead.store.connection import Connection
from fairlead.store.jobs.queue import Job, enqueue
from fairlead.store.notifications import insert_operator_alert


def alert_operators(conn: Connection, title: str, lines: Sequence[str], now: datetime) -> None:
    """Operators will be told, once the caller's transaction commits. Title and lines hold nothing personal."""
    detail = {"title": title, "lines": list(lines), "happened_at": timestamp_text(now)}
    insert_operator_alert(conn, detail, now)
    enqueue(conn, [Job("dispatch_notifications")])
