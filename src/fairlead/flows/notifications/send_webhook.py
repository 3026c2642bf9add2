"""What a `send_webhook` job does: its notification is sent to the provider's endpoint, or why not is on record."""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from fairlead.delivery.outcome import Delivery, NotSent, safe_line
from fairlead.delivery.secret_box import SecretBox, SecretUnreadable, secret_box
from fairlead.delivery.webhook import WebhookRequest, send_webhook
from fairlead.delivery.webhook_body import LeadAssigned, lead_assigned_body, lead_erased_body, lead_withdrawn_body
from fairlead.flows.failures.descriptions import failure_text
from fairlead.flows.notifications.endpoint_health import Health, apply_health, health_after
from fairlead.flows.notifications.message import why_not
from fairlead.flows.notifications.outcome import Tried, record_delivery, tell
from fairlead.settings import Settings
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.notifications.facts import MessageFacts, message_facts
from fairlead.store.notifications.rows import ClaimedNotification, claim, hold_back, lock_claimed, skip
from fairlead.store.notifications.webhook_endpoints import (
    ENDPOINT_REMOVED,
    EndpointRow,
    hold_endpoint_of,
    lock_endpoint,
)
from fairlead.telemetry.errors import error_frames, error_kind
from fairlead.telemetry.logs import get_logger
from fairlead.telemetry.traces import span

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Found:
    claimed: ClaimedNotification
    facts: MessageFacts
    endpoint: EndpointRow


class WebhookSender:
    """One process's way to run webhook jobs; several threads may use it at once.

    Without secret keys it works too, and says so of each delivery: email must not wait for a setting of webhooks.
    Raises `SettingsError` for keys that are malformed.
    """

    def __init__(self, database: Database, settings: Settings, tls: ssl.SSLContext | None = None) -> None:
        self._database = database
        self._box: SecretBox | None = None if settings.encryption_keys is None else secret_box(settings)
        self._settings = settings
        self._tls = tls

    def send(self, notification_id: str, job_id: int) -> Delivery | None:
        """The notification is with the endpoint, or the failed attempt is on record and the next enqueued, or it is
        given up.

        None, and nothing is sent, when it does not wait to be sent, when another running job is sending it, and when
        its endpoint is not active: then it is held back. Claimed in one transaction and recorded in another, which
        locks the endpoint before the notification; neither is open while the receiver is waited for. A process that
        dies in between leaves it to be sent again. Every attempt and every replay carries the notification's id as
        webhook-id, and the same body as long as the lead's data and the endpoint's mapping stay the same.

        Raises `Unavailable`.
        """
        found = self._database.run(lambda conn: self._claim(conn, notification_id, job_id))
        if found is None:
            return None
        started = time.monotonic()
        with span("send webhook", notification_id=notification_id, endpoint_id=found.endpoint.endpoint_id):
            delivery, is_receivers_doing = self._deliver(found)
        tried = Tried(found.claimed, job_id, delivery, time.monotonic() - started)
        was_recorded = self._database.run(lambda conn: self._record(conn, found, tried, is_receivers_doing))
        tell(tried, "now" if was_recorded else "not")
        return delivery

    def _claim(self, conn: Connection, notification_id: str, job_id: int) -> _Found | None:
        # Held, so that a notification cannot be held back just after its endpoint became active and all that waited
        # for that was handed out.
        endpoint = hold_endpoint_of(conn, notification_id)
        claims = claim(conn, {notification_id: job_id}, clock(conn))
        if not claims:
            return None
        if endpoint is None:
            skip(conn, notification_id, ENDPOINT_REMOVED)
            return None
        if endpoint.state != "active":
            hold_back(conn, notification_id)
            return None
        facts = message_facts(conn, [notification_id])[notification_id]
        if (why := why_not(claims[0].kind, facts)) is not None:
            skip(conn, notification_id, why)
            return None
        return _Found(claims[0], facts, endpoint)

    def _deliver(self, found: _Found) -> tuple[Delivery, bool]:
        """What came of it, and whether that says something of the receiver and not of ourselves."""
        endpoint = found.endpoint
        if self._box is None:
            return NotSent("no secret keys are set (FAIRLEAD_ENCRYPTION_KEYS)", is_permanent=False), False
        try:
            sealed = [each for each in (endpoint.secret, endpoint.previous_secret) if each is not None]
            secrets = tuple(self._box.open(each, endpoint.endpoint_id) for each in sealed)
            body = _body(found.claimed.kind, found.facts, endpoint.field_mapping)
            request = WebhookRequest(endpoint.url, found.claimed.notification_id, body, secrets)
            delivery = send_webhook(
                request,
                datetime.now(UTC),
                allow_private=self._settings.webhook_allow_private,
                timeout_seconds=self._settings.webhook_timeout_seconds,
                tls=self._tls,
            )
        except SecretUnreadable as error:
            return NotSent(safe_line(str(error)), is_permanent=False), False
        except Exception as error:  # a bug of ours in one message: it must not be tried for ever, uncounted
            log.error("webhook could not be sent", error=error_kind(error), frames=error_frames(error))
            return NotSent(safe_line(failure_text(error)), is_permanent=False), False
        return delivery, True

    def _record(self, conn: Connection, found: _Found, tried: Tried, is_receivers_doing: bool) -> bool:
        endpoint = lock_endpoint(conn, found.endpoint.endpoint_id)
        if endpoint is None or not lock_claimed(conn, found.claimed.notification_id, tried.job_id):
            return False
        now = clock(conn)
        before = Health.of(endpoint)
        after = before
        if is_receivers_doing:
            after = health_after(before, tried.delivery, self._settings.webhook_pause_after_failures, now)
        is_held_back = after.state != "active"
        # First, because it locks what waits for the endpoint; recording ends with the audit log, whose lock is last.
        events = apply_health(conn, endpoint, after, now)
        record_delivery(conn, tried, self._settings.retry_delay_factor, now, events, is_held_back=is_held_back)
        return True


def _body(kind: str, facts: MessageFacts, field_mapping: Mapping[str, str] | None) -> bytes:
    if kind == "lead_assigned":
        return lead_assigned_body(_lead_assigned(facts), field_mapping)
    if kind == "lead_withdrawn":
        assert facts.withdrawn_at is not None, "it is told in the transaction that withdraws the lead"
        return lead_withdrawn_body(_lead_assigned(facts), facts.withdrawn_at, field_mapping)
    assert kind == "lead_erased", f"{kind} is not told by webhook"
    assert facts.assignment_id is not None, "its cause is an assignment"
    assert facts.lead_id is not None
    assert facts.provider_id is not None
    assert facts.erased_at is not None
    return lead_erased_body(facts.assignment_id, facts.lead_id, facts.provider_id, facts.erased_at)


def _lead_assigned(facts: MessageFacts) -> LeadAssigned:
    assert facts.assignment_id is not None, "only assignments are told by webhook"
    assert facts.lead_id is not None
    assert facts.provider_id is not None
    assert facts.niche_slug is not None
    assert facts.niche_name is not None
    assert facts.level_name is not None
    assert facts.price_cents is not None
    assert facts.assigned_at is not None
    return LeadAssigned(
        assignment_id=facts.assignment_id,
        lead_id=facts.lead_id,
        provider_id=facts.provider_id,
        niche_slug=facts.niche_slug,
        niche_name=facts.niche_name,
        level_name=facts.level_name,
        price_cents=facts.price_cents,
        currency=facts.currency,
        assigned_at=facts.assigned_at,
        attributes=facts.attributes,
        contact_name=facts.contact_name,
        contact_email=facts.contact_email,
        contact_phone=facts.contact_phone,
        utm_source=facts.utm_source,
        utm_medium=facts.utm_medium,
        utm_campaign=facts.utm_campaign,
        referrer=facts.referrer,
    )
