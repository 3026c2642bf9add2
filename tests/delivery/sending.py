"""Sending one webhook to a receiver on this machine."""

import json
from datetime import UTC, datetime

from fairlead.delivery.outcome import Delivery, NotSent
from fairlead.delivery.webhook import WebhookRequest, new_webhook_secret, send_webhook
from tests.delivery.receiver import Answer, receiver

BODY = json.dumps({"type": "lead.assigned", "data": {"note": "Hauptstraße 1"}}, ensure_ascii=False).encode()
MESSAGE_ID = "01900000-0000-7000-8000-00000000000a"
SECRET = new_webhook_secret()


def request(url: str, *, body: bytes = BODY, secrets: tuple[str, ...] = (SECRET,)) -> WebhookRequest:
    return WebhookRequest(url, MESSAGE_ID, body, secrets)


def send(url: str, *, body: bytes = BODY, timeout_seconds: float = 5, sent_at: datetime | None = None) -> Delivery:
    now = datetime.now(UTC) if sent_at is None else sent_at
    return send_webhook(request(url, body=body), now, allow_private=True, timeout_seconds=timeout_seconds)


def outcome_of(answer: Answer, *, timeout_seconds: float = 5, reads: bool = True) -> Delivery:
    with receiver(answer, reads=reads) as crm:
        return send(crm.url(), timeout_seconds=timeout_seconds)


def not_sent(answer: str) -> NotSent:
    return NotSent(answer, is_permanent=False)
