"""The outbox: the one way in which a notification comes into being, in the transaction of what it tells of."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, LiteralString, NamedTuple

from fairlead.store.arrays import quoted_array_text
from fairlead.store.connection import Connection
from fairlead.store.ids import new_id
from fairlead.store.jobs.queue import Job, enqueue

Kind = Literal[
    "lead_assigned",
    "refund_issued",
    "subscription_deactivated",
    "subscription_reactivated",
    "filter_invalidated",
    "price_limit_passed",
    "low_balance",
    "auto_top_up_failed",
    "balance_topped_up",
    "operator_alert",
    "user_invited",
    "password_reset",
    "export_ready",
    "lead_confirmation",
    "lead_confirmed",
    "lead_withdrawn",
    "lead_erased",
]


class Notification(NamedTuple):
    """What is to be told, to whom, and of what; a tuple, because a batch of decisions makes hundreds.

    `detail` holds nothing personal. An operators' alert whose `detail` has a member `once` is written once, ever, for
    that value. With `skip_because` the notification is on record, and is not sent for that reason.
    """

    kind: Kind
    channel: Literal["email", "webhook"] = "email"
    provider_id: str | None = None
    user_id: str | None = None
    lead_id: str | None = None
    assignment_id: str | None = None
    subscription_id: str | None = None
    webhook_endpoint_id: str | None = None
    correlation_id: str | None = None
    detail: Mapping[str, object] | None = None
    skip_because: str | None = None


def notify(conn: Connection, notifications: Sequence[Notification], now: datetime) -> None:
    """The notifications wait to be sent, and a job is enqueued that hands them out once the transaction commits."""
    if not notifications:
        return
    columns = _columns(conn, notifications)
    names = ", ".join(columns)
    arrays = ", ".join(f"%s::{type_name}[]" for type_name, _ in columns.values())
    once = ""
    if any(each.kind == "operator_alert" for each in notifications):
        once = "on conflict ((detail ->> 'once')) where kind = 'operator_alert' do nothing"
    # Only the columns that say something are named: a provider's own session may write no others.
    inserted = conn.execute(
        f"""
        insert into notifications ({names}, created_at)
        select {names}, %s from unnest({arrays}) as notification ({names})
        {once}
        """,  # noqa: S608 - names of columns and types, all of them from here
        (now, *(array for _, array in columns.values())),
    )
    if (once and inserted.rowcount == 0) or all(each.skip_because is not None for each in notifications):
        return
    # One job for all of them, which fans out to one per notification: enqueueing signals, and a signal at commit makes
    # commits wait for one another.
    enqueue(conn, [Job("dispatch_notifications")])


_TYPES: Mapping[LiteralString, LiteralString] = {
    "provider_id": "uuid",
    "user_id": "uuid",
    "lead_id": "uuid",
    "assignment_id": "uuid",
    "subscription_id": "uuid",
    "webhook_endpoint_id": "uuid",
    "correlation_id": "text",
}
"""The columns that not every notification has, but for those that are made from others."""


def _columns(conn: Connection, notifications: Sequence[Notification]) -> dict[LiteralString, tuple[LiteralString, str]]:
    """By the name of each column that has a value: the type of its elements, and its array."""
    said = dict(zip(Notification._fields, zip(*notifications, strict=True), strict=True))
    columns: dict[LiteralString, tuple[LiteralString, str]] = {
        "id": ("uuid", quoted_array_text(new_id(conn) for _ in notifications)),
        "kind": ("text", quoted_array_text(said["kind"])),
        "channel": ("text", quoted_array_text(said["channel"])),
    }
    for name, type_name in _TYPES.items():
        if said[name].count(None) < len(notifications):
            columns[name] = (type_name, quoted_array_text(said[name]))
    if any(each.detail is not None for each in notifications):
        details = (None if each.detail is None else json.dumps(each.detail) for each in notifications)
        columns["detail"] = ("jsonb", quoted_array_text(details))
    if any(each.skip_because is not None for each in notifications):
        states = ("queued" if each.skip_because is None else "skipped" for each in notifications)
        columns["state"] = ("text", quoted_array_text(states))
        columns["last_answer"] = ("text", quoted_array_text(said["skip_because"]))
    return columns
