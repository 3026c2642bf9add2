"""What becomes of a notification after an attempt to deliver it: sent, tried again later, or given up."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from fairlead.core.retries import EMAIL_DELAYS_SECONDS, WEBHOOK_DELAYS_SECONDS, delay_seconds
from fairlead.delivery.outcome import Delivery, NotSent, Sent
from fairlead.delivery.template_variables import CONSUMER_KINDS
from fairlead.flows.notifications.alerts import alert_operators
from fairlead.flows.notifications.delivery_jobs import TASK_OF, delivery_job
from fairlead.store.audit.log import AuditEvent, append_audit
from fairlead.store.connection import Connection
from fairlead.store.failures.dead_letters import NewDeadLetter, open_dead_letter, opened
from fairlead.store.jobs.queue import enqueue
from fairlead.store.leads.runs import JobAttempt, add_attempt
from fairlead.store.lookups import provider_names
from fairlead.store.notifications.rows import ClaimedNotification, hold_back, record_not_sent, record_sent
from fairlead.telemetry import metrics
from fairlead.telemetry.logs import correlation, get_logger

log = get_logger(__name__)

_DELAYS_SECONDS = {"email": EMAIL_DELAYS_SECONDS, "webhook": WEBHOOK_DELAYS_SECONDS}


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt to deliver a notification that a job had claimed."""

    claimed: ClaimedNotification
    job_id: int
    delivery: Delivery
    took_seconds: float

    @property
    def attempts(self) -> int:
        """How many there were, this one included."""
        return self.claimed.attempts + 1


def is_final(tried: Tried) -> bool:
    """Whether there will be no further attempt after this one, which failed."""
    assert isinstance(tried.delivery, NotSent)
    delays = _DELAYS_SECONDS[tried.claimed.channel]
    return tried.delivery.is_permanent or delay_seconds(delays, tried.attempts, 0.5) is None


def record_delivery(
    conn: Connection,
    tried: Tried,
    retry_delay_factor: float,
    now: datetime,
    events: Sequence[AuditEvent] = (),
    *,
    is_held_back: bool = False,
) -> None:
    """The attempt is on record with what was answered, and what follows from it is on its way in this transaction.

    Sent, it is over. Not sent, the next attempt is enqueued for after its delay, or for when the receiver asked if that
    is later; with `is_held_back` it waits for its endpoint instead. Where trying again cannot help or the attempts are
    used up, the notification has failed, there is a dead letter, and operators are told, but never that an alert could
    not be delivered to them. That a public lead's address does not exist is neither dead letter nor alert. `events` are
    audited with it. Needs the notification's lock.
    """
    claimed, delivery = tried.claimed, tried.delivery
    notification_id = claimed.notification_id
    if isinstance(delivery, Sent):
        record_sent(conn, notification_id, delivery.answer, now)
        if claimed.attempts:
            _remember(conn, tried, "succeeded", now)
        append_audit(conn, events, now)
        return
    final = is_final(tried)
    record_not_sent(conn, notification_id, delivery.answer, now, is_final=final)
    _remember(conn, tried, "failed", now)
    given_up: list[AuditEvent] = []
    if final:
        given_up = _give_up(conn, tried, delivery, now)
    elif is_held_back:
        hold_back(conn, notification_id)
    else:
        wait_seconds = _wait_seconds(tried, delivery, retry_delay_factor)
        enqueue(conn, [delivery_job(notification_id, claimed.channel, claimed.correlation_id, wait_seconds)])
    append_audit(conn, [*events, *given_up], now)


Recorded = Literal["now", "already", "not"]
"""Whether an attempt is on record: by this call, by one before it, or not, since another job had taken it over.

Before it: the answer to the first call was lost, or another job had sent it meanwhile and recorded that.
"""


def tell(tried: Tried, recorded: Recorded) -> None:
    """The attempt is counted and in the log. Call it after the commit."""
    claimed, delivery = tried.claimed, tried.delivery
    result = "sent" if isinstance(delivery, Sent) else "rejected" if is_final(tried) else "failed"
    metrics.delivered(claimed.channel, result, tried.took_seconds)
    ids = {"notification_id": claimed.notification_id, "provider_id": claimed.provider_id}
    event = "notification delivery"
    if recorded == "already":
        event = "notification delivery on record already"
    elif recorded == "not":
        event = "notification delivery overtaken by another job"
    with correlation(claimed.correlation_id, **ids):
        log.info(event, channel=claimed.channel, kind=claimed.kind, result=result, attempt=tried.attempts)


def _wait_seconds(tried: Tried, delivery: NotSent, retry_delay_factor: float) -> float:
    dice = random.random()  # noqa: S311
    delay = delay_seconds(_DELAYS_SECONDS[tried.claimed.channel], tried.attempts, dice)
    assert delay is not None, "it was not the last attempt"
    return max(delay * retry_delay_factor, delivery.retry_after_seconds or 0)


def _remember(conn: Connection, tried: Tried, outcome: str, now: datetime) -> None:
    claimed = tried.claimed
    error = tried.delivery.answer if isinstance(tried.delivery, NotSent) else None
    started_at = now - timedelta(seconds=tried.took_seconds)
    task = TASK_OF[claimed.channel]
    attempt = JobAttempt(tried.job_id, task, outcome, started_at, now, error, notification_id=claimed.notification_id)
    add_attempt(conn, attempt)


def _give_up(conn: Connection, tried: Tried, delivery: NotSent, now: datetime) -> list[AuditEvent]:
    """There is a dead letter, and operators are told; returns what is to be audited."""
    claimed = tried.claimed
    if claimed.kind in CONSUMER_KINDS and delivery.is_permanent:
        return []  # a mistyped address, which is to be expected: it is on record, and no alarm
    notification_id = claimed.notification_id
    payload = {"notification_id": notification_id}
    task = TASK_OF[claimed.channel]
    letter = NewDeadLetter(task, payload, delivery.answer, None, tried.attempts, notification_id=notification_id)
    dead_letter_id = open_dead_letter(conn, letter, now)
    if claimed.kind != "operator_alert":
        alert_operators(conn, "A notification could not be delivered", _lines(conn, tried, delivery), now)
    return [opened(dead_letter_id, letter)]


def _lines(conn: Connection, tried: Tried, delivery: NotSent) -> Sequence[str]:
    claimed = tried.claimed
    names = provider_names(conn, [claimed.provider_id] if claimed.provider_id else [])
    to_whom = "".join(f" to {name}" for name in names.values())
    return [
        f"Notification {claimed.notification_id} ({claimed.kind}){to_whom} by {claimed.channel}",
        f"Attempts: {tried.attempts}",
        f"Last answer: {delivery.answer}",
    ]
