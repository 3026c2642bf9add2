"""Notifications as rows: handed to jobs, claimed while they are sent, and how that ended.

A row is the truth about a notification, a job only a hint. One that is claimed by a running job is left alone by every
other, so that nothing is sent twice by our own doing. Of locks, an endpoint's comes before those of its notifications.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, LiteralString

from psycopg.types.json import Jsonb

from fairlead.store.arrays import array_text
from fairlead.store.connection import Connection
from fairlead.store.simulated_clock import simulated_now
from fairlead.store.typed_rows import all_rows, named_rows, one_row, part_of


@dataclass(frozen=True, slots=True)
class QueuedNotification:
    """A notification that a job is to deliver."""

    notification_id: str
    channel: str
    correlation_id: str | None


@dataclass(frozen=True, slots=True)
class HandedOut:
    """What was handed out, and how many rows were seen to in all: some only turned out to be unwanted."""

    notifications: tuple[QueuedNotification, ...]
    seen_count: int


@dataclass(frozen=True, slots=True)
class ClaimedNotification:
    """A notification that this job may send. `attempts` are those before this one.

    `replay_count` says how often it was sent again on purpose after it had been sent.
    """

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
    replay_count: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LockedNotification:
    """A notification whose row is locked. `endpoint_is_gone`: it was for a webhook endpoint that has been removed."""

    notification_id: str
    channel: str
    state: str
    correlation_id: str | None
    endpoint_is_gone: bool


def told_to_have_stopped(conn: Connection, subscription_ids: Collection[str], now: datetime) -> frozenset[str]:
    """Those of the subscriptions of whose funds the provider was last told, before now, that they have run out."""
    if not subscription_ids:
        return frozenset()
    rows = conn.execute(
        """
        select of_one.id::text from unnest(%s::uuid[]) as of_one (id)
        where (select max(created_at) from notifications
               where subscription_id = of_one.id and kind = 'subscription_deactivated' and created_at < %s)
              > coalesce((select max(created_at) from notifications
                          where subscription_id = of_one.id and kind = 'subscription_reactivated'
                            and created_at < %s), '-infinity')
        """,
        (array_text(sorted(subscription_ids)), now, now),
    ).fetchall()
    return frozenset(row[0] for row in rows)


def hand_out(conn: Connection, limit: int, now: datetime) -> HandedOut:
    """The oldest notifications that no job has yet, at most so many, are marked as handed out.

    Those that a provider does not want, and those for an endpoint that was removed, become `skipped` instead; those
    for an endpoint that is not active are held back. Rows that another transaction is handing out are left to it, not
    waited for: seeing fewer than `limit` means that nothing is left.
    """
    rows = named_rows(
        conn,
        """
        with chosen as materialized (
            select n.id,
                   case when e.deleted_at is not null then 'the webhook endpoint was removed'
                        when p.notification_preferences #>> array[n.kind, n.channel] = 'false'
                        then 'the provider does not want to be told' end as why_not
            from notifications n
            left join providers p on p.id = n.provider_id
            left join webhook_endpoints e on e.id = n.webhook_endpoint_id
            where n.state = 'queued' and n.enqueued_at is null
              and (e.id is null or e.state = 'active' or e.deleted_at is not null)
            order by n.id limit %s for no key update of n skip locked
        )
        update notifications n
        set enqueued_at = %s, state = case when why_not is null then state else 'skipped' end, last_answer = why_not
        from chosen where chosen.id = n.id
        returning n.id::text as notification_id, n.channel, n.correlation_id, n.state
        """,
        (limit, now),
    )
    wanted = sorted((row for row in rows if row["state"] == "queued"), key=itemgetter("notification_id"))
    return HandedOut(tuple(part_of(QueuedNotification, row) for row in wanted), len(rows))


def claim(conn: Connection, job_ids: Mapping[str, int], now: datetime) -> list[ClaimedNotification]:
    """Those of the notifications, by id, that wait to be sent are these jobs' to send, in ascending order of id.

    Left out are those that another running job has. The rows are locked in a statement of its own: only a statement
    that begins after that sees whether the job that claimed one last is still running.
    """
    ids = array_text(sorted(job_ids))
    conn.execute("select from notifications where id = any(%s::uuid[]) order by id for no key update", (ids,))
    claimed = all_rows(
        conn,
        ClaimedNotification,
        """
        update notifications n set claimed_by_job = job.id, claimed_at = %s
        from unnest(%s::uuid[], %s::bigint[]) as job (notification_id, id)
        where n.id = job.notification_id and n.state = 'queued' and not exists (
            select from jobs j where j.id = n.claimed_by_job and j.id <> job.id and j.state = 'running')
        returning n.id::text as notification_id, kind, channel, provider_id::text, assignment_id::text,
                  subscription_id::text, webhook_endpoint_id::text, detail, correlation_id, attempts, replay_count,
                  created_at
        """,
        (now, ids, [job_ids[each] for each in sorted(job_ids)]),
    )
    return sorted(claimed, key=_notification_id)


def record_taken(conn: Connection, notification_id: str, job_id: int, answer: str) -> bool:
    """The notification is sent at its first attempt, if it is still this job's to send; returns whether it was.

    One statement, which locks the row.
    """
    now = simulated_now(conn)
    moment: LiteralString = "statement_timestamp()" if now is None else "%(now)s"
    done = conn.execute(
        f"""
        update notifications set state = 'sent', sent_at = {moment}, attempts = attempts + 1,
                                 last_attempt_at = {moment}, last_answer = %(answer)s, last_error = null,
                                 claimed_by_job = null
        where id = %(id)s and claimed_by_job = %(job)s and state = 'queued'
        """,  # noqa: S608 - one of two constants
        {"now": now, "answer": answer, "id": notification_id, "job": job_id},
    )
    return done.rowcount == 1


def is_sent(conn: Connection, notification_id: str) -> bool:
    """Whether the notification is on record as sent. Locks nothing."""
    found = conn.execute("select from notifications where id = %s and state = 'sent'", (notification_id,))
    return found.rowcount == 1


def record_all_taken(conn: Connection, notification_ids: Sequence[str], answer: str, now: datetime) -> list[str]:
    """Those of the notifications that are emails to providers and wait to be sent are sent; returns their ids.

    They were handed out in this transaction, so that no job has them.
    """
    rows = conn.execute(
        """
        update notifications set state = 'sent', sent_at = %s, attempts = attempts + 1, last_attempt_at = %s,
                                 last_answer = %s, last_error = null
        where id = any(%s::uuid[]) and state = 'queued' and channel = 'email' and provider_id is not null
        returning id::text
        """,
        (now, now, answer, array_text(notification_ids)),
    ).fetchall()
    return [row[0] for row in rows]


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


def record_told(conn: Connection, notification_id: str, told: Sequence[str]) -> None:
    """These marks stand for recipients of an alert that took it: the next attempt leaves them out. Needs its lock."""
    conn.execute(
        "update notifications set detail = jsonb_set(detail, '{told}', %s) where id = %s",
        (Jsonb(list(told)), notification_id),
    )


def hold_back(conn: Connection, notification_id: str) -> None:
    """The notification waits until its endpoint is active again."""
    conn.execute(
        "update notifications set enqueued_at = null, claimed_by_job = null where id = %s and state = 'queued'",
        (notification_id,),
    )


def skip(conn: Connection, notification_id: str, why: str) -> None:
    """The notification will not be sent, for want of a recipient; `why` is kept."""
    conn.execute(
        """
        update notifications set state = 'skipped', last_answer = %s, claimed_by_job = null
        where id = %s and state = 'queued'
        """,
        (why, notification_id),
    )


def lock_notification(conn: Connection, notification_id: str) -> LockedNotification | None:
    """The notification, its row locked; None when there is none."""
    return one_row(
        conn,
        LockedNotification,
        """
        select n.id::text as notification_id, n.channel, n.state, n.correlation_id,
               e.deleted_at is not null as endpoint_is_gone
        from notifications n left join webhook_endpoints e on e.id = n.webhook_endpoint_id
        where n.id = %s for no key update of n
        """,
        (notification_id,),
    )


def queue_again(conn: Connection, notification_ids: Sequence[str], enqueued_at: datetime | None) -> None:
    """The notifications, locked before, wait to be sent, once more if they were sent before; all attempts are new.

    With `enqueued_at` the caller enqueues their jobs; with None they wait to be handed out.
    """
    conn.execute(
        """
        update notifications set state = 'queued', sent_at = null, enqueued_at = %s, attempts = 0, last_error = null,
                                 claimed_by_job = null, replay_count = replay_count + (state = 'sent')::integer,
                                 detail = detail - 'told'
        where id = any(%s::uuid[])
        """,
        (enqueued_at, array_text(notification_ids)),
    )


def resolve_letters_of(conn: Connection, notification_ids: Sequence[str], resolved_by: str, now: datetime) -> int:
    """Open dead letters of these notifications, locked before, are resolved as `retried`; returns how many."""
    done = conn.execute(
        """
        update dead_letters set resolved_at = %s, resolved_by = %s, resolution = 'retried'
        where notification_id = any(%s::uuid[]) and resolved_at is null
        """,
        (now, resolved_by, array_text(notification_ids)),
    )
    return done.rowcount


def _notification_id(each: ClaimedNotification) -> str:
    return each.notification_id
