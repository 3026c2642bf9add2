"""What a test of webhooks looks at, and a receiver whose mood changes."""

import socket

from fairlead.delivery.outcome import Delivery
from fairlead.flows.notifications.dispatch import dispatch_notifications
from fairlead.flows.notifications.send_webhook import WebhookSender
from fairlead.store.connection import Database
from tests.delivery.receiver import Answer
from tests.flows.notifications.stage import (
    finish,
    jobs,
    notification,
    query,
    sell_lead,
    settings_for,
    take,
)


class Moody:
    """A receiver's answer that a test can change while it listens."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def __call__(self, connection: socket.socket) -> None:
        self.answer(connection)


def webhooks(database: Database) -> WebhookSender:
    return WebhookSender(database, settings_for())


def endpoint_row(database: Database) -> dict[str, object]:
    return query(database, "select to_jsonb(e) from webhook_endpoints e order by created_at desc")[0][0]


def sell_for_anchor(database: Database) -> str:
    """Another lead for Anchor, dispatched; returns the id of its webhook notification."""
    sell_lead(database)
    dispatch_notifications(database)
    return notification(database, channel="webhook")


def job_of(database: Database, notification_id: str) -> int:
    """The notification's newest job, which a worker is at from now on."""
    waiting = jobs(database, "send_webhook")
    job_id = [job["id"] for job in waiting if job["payload"]["notification_id"] == notification_id][-1]
    take(database, job_id)
    return job_id


def send(database: Database, notification_id: str) -> Delivery | None:
    """The notification's newest job is run."""
    job_id = job_of(database, notification_id)
    outcome = webhooks(database).send(notification_id, job_id)
    finish(database, job_id)
    return outcome
