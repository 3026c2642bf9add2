"""Sending notifications again: one that failed or was sent, or all that an endpoint missed."""

from dataclasses import dataclass
from datetime import datetime

from fairlead.core.canonical import timestamp_text
from fairlead.core.errors import BadInput, Refused
from fairlead.flows.chunks import ChunkDone, in_chunks, last_of
from fairlead.flows.idempotency import IdempotencyKey, run_idempotent
from fairlead.flows.notifications.delivery_jobs import delivery_job
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.jobs.queue import Job, enqueue
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id
from fairlead.store.notifications.endpoint_pages import watched_endpoint
from fairlead.store.notifications.rows import LockedNotification, lock_notification, queue_again, resolve_letters_of
from fairlead.store.notifications.webhook_endpoints import count_replayable, lock_endpoint, lock_replayable

BATCH_NOTIFICATIONS = 500


@dataclass(frozen=True, slots=True)
class Replayed:
    """A notification that waits to be sent. `took_effect`: it did not wait before this call."""

    notification_id: str
    channel: str
    state_before: str
    took_effect: bool


def requeue_notification(conn: Connection, notification_id: str, now: datetime) -> bool:
    """The notification waits to be sent again, all its attempts anew, and its job is enqueued in this transaction.

    Locks the notification. False, and nothing is done, where there is none, where it waits already, and where the
    webhook endpoint that it is for was removed.
    """
    locked = lock_notification(conn, notification_id)
    if locked is None or locked.state == "queued" or locked.endpoint_is_gone:
        return False
    _requeue(conn, locked, now)
    return True


def replay_notification(
    database: Database, notification_id: str, actor: Actor, idempotency_key: IdempotencyKey | None = None
) -> Replayed:
    """The notification waits to be sent again, whatever the provider's preferences; its dead letter is `retried`.

    A mail that had been sent is a new message, with another Message-ID; a webhook keeps its id, by which receivers
    know it. Audited. Locks the notification. Asking for one that waits already changes nothing; with `once`, the same
    request sends nothing again once it was sent, either.

    Raises `BadInput` for what is no id, and `Refused`: `notification_unknown`, `webhook_endpoint_removed`.
    """
    checked = checked_id(notification_id, "notification")

    def replay(conn: Connection) -> Replayed:
        locked = lock_notification(conn, checked)
        if locked is None:
            raise Refused("notification_unknown", f"there is no notification {checked}")
        if locked.endpoint_is_gone:
            raise Refused("webhook_endpoint_removed", "the webhook endpoint that it was for has been removed")
        if locked.state == "queued":
            return Replayed(checked, locked.channel, locked.state, took_effect=False)
        now = clock(conn)
        _requeue(conn, locked, now)
        resolve_letters_of(conn, [checked], actor.name, now)
        old = {"state": locked.state, "channel": locked.channel}
        append_audit(conn, [AuditEvent(actor, "notification.replayed", "notification", checked, old=old)], now)
        return Replayed(checked, locked.channel, locked.state, took_effect=True)

    return database.run(lambda conn: run_idempotent(conn, idempotency_key, Replayed, lambda: replay(conn)))


def replayable_count(
    database: Database,
    endpoint_id: str,
    created_from: datetime,
    created_before: datetime | None = None,
    *,
    only_failed: bool = False,
) -> int:
    """How many notifications `replay_endpoint` would send again now.

    Raises `BadInput` for what is no id or a time without a zone, `Refused`: `webhook_endpoint_unknown`.
    """
    checked = _checked(endpoint_id, created_from, created_before)

    def work(conn: Connection) -> int:
        if watched_endpoint(conn, checked) is None:
            raise _unknown(checked)
        return count_replayable(conn, checked, created_from, created_before or clock(conn), only_failed=only_failed)

    return database.read(work)


def replay_endpoint(
    database: Database,
    endpoint_id: str,
    created_from: datetime,
    actor: Actor,
    *,
    created_before: datetime | None = None,
    only_failed: bool = False,
) -> int:
    """What was created in the span, and was delivered to the endpoint or failed, is to be sent again; says how many.

    With `only_failed`, only what failed. Dead letters of those are `retried`. Some hundreds to a transaction, audited
    each, or all in one that is open already; locks the endpoint, then the notifications in ascending order of id. Each
    call sends everything again: receivers know it by its webhook-id. What waits already is left alone. With the
    endpoint paused, all of it is held back until that is over, and what the provider does not want any more is skipped.

    Raises `BadInput` for what is no id or a time without a zone, `Refused`: `webhook_endpoint_unknown`.
    """
    checked = _checked(endpoint_id, created_from, created_before)
    # After the audit log nothing else is locked, so within one transaction it has to be all of them.
    most = None if database.is_joined else BATCH_NOTIFICATIONS

    def work(conn: Connection, after: str | None) -> ChunkDone[str]:
        if lock_endpoint(conn, checked) is None:
            raise _unknown(checked)
        ids = lock_replayable(conn, checked, created_from, until, after, most, only_failed=only_failed)
        if not ids:
            return ChunkDone(0, None)
        now = clock(conn)
        queue_again(conn, ids, None)
        resolve_letters_of(conn, ids, actor.name, now)
        enqueue(conn, [Job("dispatch_notifications")])
        new = {"created_from": timestamp_text(created_from), "count": len(ids)}
        new |= {} if created_before is None else {"created_before": timestamp_text(created_before)}
        new |= {"only_failed": True} if only_failed else {}
        append_audit(conn, [AuditEvent(actor, "webhook_endpoint.replayed", "webhook_endpoint", checked, new=new)], now)
        return ChunkDone(len(ids), None if most is None else last_of(ids, most))

    # What is only created while this runs is not asked for.
    until = created_before or database.run(clock)
    return in_chunks(lambda after: database.run(lambda conn: work(conn, after)))


def _checked(endpoint_id: str, created_from: datetime, created_before: datetime | None) -> str:
    for name, moment in (("created_from", created_from), ("created_before", created_before)):
        if moment is not None and moment.tzinfo is None:
            raise BadInput([f"{name}: must say its time zone, such as 2026-03-01T14:00:00Z"])
    return checked_id(endpoint_id, "webhook endpoint")


def _unknown(endpoint_id: str) -> Refused:
    return Refused("webhook_endpoint_unknown", f"there is no webhook endpoint {endpoint_id}")


def _requeue(conn: Connection, locked: LockedNotification, now: datetime) -> None:
    queue_again(conn, [locked.notification_id], now)
    enqueue(conn, [delivery_job(locked.notification_id, locked.channel, locked.correlation_id)])
