"""Notifications as rows: queued with their cause, handed to jobs, claimed while they are sent, and how that ended.

A row is the truth about a notification, a job only a hint. One that is claimed by a running job is left alone by every
other, so that nothing is sent twice by our own doing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from fairlead.store.connection import Connection
from fairlead.store.ids import new_id


@dataclass(frozen=True, slots=True)
class ClaimedNotification:
    """A notification that this job may send. `attempts` are those before this one."""

    notification_id: str
    kind: str
    channel: str
    provider_id: str | None
    assignment_id: str | None
    subscription_id: str | None
    webhook_endpoint_id: str | None
    detail: dict[str, Any] | None
    correlation_id: str | None
    attempts: int
    created_at: datetime


def insert_operator_alert(conn: Connection, detail: Mapping[str, object], now: datetime) -> None:
    """An alert waits for the operators; `detail` says what happened, and nothing personal."""
    conn.execute(
        """
        insert into notifications (id, kind, channel, provider_id, detail, created_at)
        values (%s, 'operator_alert', 'email', null, %s, %s)
        """,
        (new_id(), Jsonb(dict(detail)), now),
    )


def hand_out(conn: Connection, limit: int, now: datetime) -> list[tuple[str, str]]:
    """The oldest notifications that no job has yet are marked as handed out; returns their ids and channels.

    Those that a provider does not want become `skipped`; those for an endpoint that is not active are held back.
    Rows that another transaction is handing out are skipped, not waited for.
    """
    rows = conn.execute(
        """
        with chosen as materialized (
            select n.id,
                   coalesce(p.notification_preferences #>> array[n.kind, n.channel], 'true') = 'false' as is_unwanted
            from notifications n
            left join providers p on p.id = n.provider_id
            left join webhook_endpoints e on e.id = n.webhook_endpoint_id
            where n.state = 'queued' and n.enqueued_at is null
              and (e.id is null or (e.state = 'active' and e.deleted_at is null))
            order by n.id limit %s for no key update of n skip locked
        )
        update notifications n
        set enqueued_at = %s, state = case when is_unwanted then 'skipped' else state end
        from chosen where chosen.id = n.id
        returning n.id::text, n.channel, n.state
        """,
        (limit, now),
    ).fetchall()
    return sorted((notification_id, channel) for notification_id, channel, state in rows if state == "queued")


def claim(conn: Connection, notification_id: str, job_id: int, now: datetime) -> ClaimedNotification | None:
    """The notification is this job's to send; None when there is nothing to send, or another running job has it."""
    row = conn.execute(
        """
        update notifications n set claimed_by_job = %s, claimed_at = %s
        where id = %s and state = 'queued' and not exists (
            select from procrastinate_jobs j
            where j.id = n.claimed_by_job and j.id <> %s and j.status = 'doing')
        returning id::text, kind, channel, provider_id::text, assignment_id::text, subscription_id::text,
                  webhook_endpoint_id::text, detail, correlation_id, attempts, created_at
        """,
        (job_id, now, notification_id, job_id),
    ).fetchone()
    return None if row is None else ClaimedNotification(*row)


def lock_claimed(conn: Connection, notification_id: str, job_id: int) -> bool:
    """Whether the notification is still this job's to send, its row locked."""
    row = conn.execute(
        """
        select from notifications where id = %s and claimed_by_job = %s and state = 'queued' for no key update
        """,
        (notification_id, job_id),
    ).fetchone()
    return row is not None


def record_sent(conn: Connection, notification_id: str, answer: str, now: datetime) -> None:
    """The notification is sent, and what the other side said is kept."""
    conn.execute(
        """
        update notifications set state = 'sent', sent_at = %s, attempts = attempts + 1, last_attempt_at = %s,
                                 last_answer = %s, last_error = null, claimed_by_job = null
        where id = %s
        """,
        (now, now, answer, notification_id),
    )


def record_not_sent(conn: Connection, notification_id: str, answer: str, now: datetime, *, is_final: bool) -> None:
    """The attempt failed; with `is_final` the notification has failed, else another attempt will be made."""
    conn.execute(
        """
        update notifications set state = case when %s then 'failed' else state end, attempts = attempts + 1,
                                 last_attempt_at = %s, last_answer = %s, last_error = %s, claimed_by_job = null
        where id = %s
        """,
        (is_final, now, answer, answer, notification_id),
    )


def hold_back(conn: Connection, notification_id: str) -> None:
    """The notification waits until its endpoint is active again."""
    conn.execute(
        "update notifications set enqueued_at = null, claimed_by_job = null where id = %s and state = 'queued'",
        (notification_id,),
    )


def skip(conn: Connection, notification_id: str, why: str) -> None:
    """The notification will not be sent, because nobody is there to be told; `why` is kept."""
    conn.execute(
        "update notifications set state = 'skipped', last_answer = %s, claimed_by_job = null where id = %s",
        (why, notification_id),
    )


def lock_notification(conn: Connection, notification_id: str) -> tuple[str, str] | None:
    """The notification's channel and state, its row locked; None when there is none."""
    row = conn.execute(
        "select channel, state from notifications where id = %s for no key update", (notification_id,)
    ).fetchone()
    return None if row is None else (row[0], row[1])


def queue_again(conn: Connection, notification_ids: Sequence[str], now: datetime) -> None:
    """The notifications, locked before, wait to be sent, once more if they were sent before; all attempts are new."""
    conn.execute(
        """
        update notifications set state = 'queued', sent_at = null, enqueued_at = %s, attempts = 0, last_error = null,
                                 claimed_by_job = null
        where id = any(%s::uuid[])
        """,
        (now, list(notification_ids)),
    )
