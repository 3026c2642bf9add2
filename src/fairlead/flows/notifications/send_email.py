"""What `send_email` jobs do: their notifications are sent as emails, or what became of them is on record."""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fairlead.core.entry.mailbox import mailbox_key
from fairlead.core.erasure_terms import NOT_KEPT
from fairlead.core.form_field import is_empty
from fairlead.delivery.email import CORRELATION_HEADER, Email, address_of, mailbox, message_id_of
from fairlead.delivery.mail_transport import MailSession, MailTransport
from fairlead.delivery.outcome import Delivery, NotSent, Sent, safe_line
from fairlead.delivery.template_variables import CONSUMER_KINDS, UNCONFIRMED_KINDS, USER_KINDS
from fairlead.flows.failures.descriptions import failure_text
from fairlead.flows.intake.confirmation import links_to_confirm
from fairlead.flows.intake.own_request import links_when_confirmed
from fairlead.flows.notifications.alerts import alert_operators
from fairlead.flows.notifications.export_link import export_link
from fairlead.flows.notifications.message import Links, WrittenMessage, answer_text, why_not, written_message
from fairlead.flows.notifications.one_time_link import one_time_link
from fairlead.flows.notifications.outcome import Recorded, Tried, record_delivery, tell
from fairlead.settings import Settings, SettingsError
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.rows import clock
from fairlead.store.notifications.facts import MessageFacts, message_facts
from fairlead.store.notifications.rows import (
    ClaimedNotification,
    claim,
    is_sent,
    lock_claimed,
    record_taken,
    record_told,
    skip,
)
from fairlead.telemetry.errors import error_frames, error_kind
from fairlead.telemetry.logs import get_logger
from fairlead.telemetry.traces import span

log = get_logger(__name__)

_SHORTEST_PERSONAL = 4

_LINKS: Mapping[str, Callable[[Connection, ClaimedNotification, str | None, datetime], Links | str]] = {
    "user_invited": one_time_link,
    "password_reset": one_time_link,
    "export_ready": export_link,
    "lead_confirmation": links_to_confirm,
    "lead_confirmed": links_when_confirmed,
}
"""What makes the links that only one message may say, by its kind."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A notification that is to be sent, and all that its message says."""

    claimed: ClaimedNotification
    facts: MessageFacts
    links: Links


@dataclass(frozen=True, slots=True)
class _Attempt:
    """What came of one attempt: the recipients of an alert who took it so far, as marks, beside the delivery."""

    delivery: Delivery
    told: tuple[str, ...] = ()
    failed_version: int | None = None
    problem: str | None = None


class EmailSender:
    """One process's way to run email jobs; several threads may use it at once."""

    def __init__(
        self, database: Database, transport: MailTransport, settings: Settings, links: Links | None = None
    ) -> None:
        self._database = database
        self._transport = transport
        self._mail_from = settings.mail_from
        self._alert_emails = addresses_in(settings.alert_emails)
        self._retry_delay_factor = settings.retry_delay_factor
        self._links = links or Links()
        self._site_url = settings.site_url

    def send(self, notification_id: str, job_id: int) -> Delivery | None:
        """As `send_all` for one; None when nothing was sent."""
        deliveries, _ = self.send_all({notification_id: job_id})
        return deliveries.get(notification_id)

    def send_all(
        self, job_ids: Mapping[str, int], may_go_on: Callable[[], bool] = lambda: True
    ) -> tuple[dict[str, Delivery], list[int]]:
        """Each notification, with its job, is sent, or the failed attempt is on record and the next enqueued, or it is
        given up. Returns what came of each, and the jobs of those that were left because there was no going on.

        Nothing is sent of one that does not wait to be sent, that another running job is sending, and that has no
        recipient. All are claimed in one transaction, and handed over one after the other on one connection to the
        mail server; each is recorded in a transaction of its own as soon as the server has answered for it. None is
        open, and no lock held, while an email is written and handed over. A process that dies leaves to be sent again,
        with the same Message-ID, no more than the one that it had in hand. A mail that is replayed after it had been
        sent is a new message with another one: mail programs hide a repetition, and it was asked for.

        The address is the provider's, the user's or the lead's when it was claimed; alerts go to the operators, to each
        who did not take it yet. Raises `Unavailable`.
        """
        deliveries: dict[str, Delivery] = {}
        left: list[int] = []
        found = self._database.run(lambda conn: self._claim(conn, job_ids))
        with self._transport.session() as session:
            for each in found:
                job_id = job_ids[each.claimed.notification_id]
                if may_go_on():
                    deliveries[each.claimed.notification_id] = self._send(each, job_id, session)
                else:
                    left.append(job_id)
        return deliveries, left

    def _send(self, found: _Found, job_id: int, session: MailSession) -> Delivery:
        claimed, started = found.claimed, time.monotonic()
        with span("send email", notification_id=claimed.notification_id, kind=claimed.kind):
            attempt = self._attempt(found, session)
        tried = Tried(claimed, job_id, attempt.delivery, time.monotonic() - started)
        tell(tried, self._record(tried, attempt))
        return attempt.delivery

    def _claim(self, conn: Connection, job_ids: Mapping[str, int]) -> list[_Found]:
        now = clock(conn)
        claims = claim(conn, job_ids, now)
        facts = message_facts(conn, [each.notification_id for each in claims])
        found: list[_Found] = []
        for claimed in claims:
            of_one = facts[claimed.notification_id]
            links = why_not(claimed.kind, of_one) or self._links_of(conn, claimed, now)
            if isinstance(links, str):
                skip(conn, claimed.notification_id, links)
            else:
                found.append(_Found(claimed, of_one, links))
        return found

    def _links_of(self, conn: Connection, claimed: ClaimedNotification, now: datetime) -> Links | str:
        """What the message may link to; or why it will not be sent."""
        if claimed.kind == "operator_alert" and not self._alert_emails:
            return "no operator's address is set (FAIRLEAD_ALERT_EMAILS)"
        if claimed.kind not in _LINKS:
            return self._links
        own = _LINKS[claimed.kind](conn, claimed, self._site_url, now)
        if isinstance(own, str):
            return own
        return replace(self._links, one_time=own.one_time, request_url=own.request_url)

    def _attempt(self, found: _Found, session: MailSession) -> _Attempt:
        try:
            written = written_message(found.claimed.kind, found.facts, found.links)
            delivery, told = self._deliver(found.claimed, found.facts, written, session)
        except Exception as error:  # a bug of ours in one message: it must not be tried for ever, uncounted
            log.error("email could not be written", error=error_kind(error), frames=error_frames(error))
            return _Attempt(NotSent(safe_line(failure_text(error)), is_permanent=False))
        return _Attempt(delivery, told, written.failed_version, written.problem)

    def _deliver(
        self, claimed: ClaimedNotification, facts: MessageFacts, written: WrittenMessage, session: MailSession
    ) -> tuple[Delivery, tuple[str, ...]]:
        if claimed.kind == "operator_alert":
            return self._alert(claimed, facts, written, session)
        name, address = facts.provider_name, facts.provider_email
        if claimed.kind in USER_KINDS:
            name, address = facts.user_name, facts.user_email
        elif claimed.kind in CONSUMER_KINDS:
            address = facts.contact_email
        if claimed.kind in UNCONFIRMED_KINDS:
            name = None  # it would be a stranger's words, from the operator's domain
        assert address is not None, "all but alerts are for a provider, a user or a consumer"
        recipient = mailbox(name or "", address)
        delivery = session.send(self._email(claimed, recipient, written))
        answer = safe_line(delivery.answer, _personal(facts)) if facts.keeps_answers else NOT_KEPT
        if isinstance(delivery, Sent):
            return Sent(answer), ()
        return NotSent(answer, delivery.is_permanent, delivery.is_gone, delivery.retry_after_seconds), ()

    def _alert(
        self, claimed: ClaimedNotification, facts: MessageFacts, written: WrittenMessage, session: MailSession
    ) -> tuple[Delivery, tuple[str, ...]]:
        """Operators are told one by one: who took it is marked, so that the next attempt does not tell them again."""
        told = [str(mark) for mark in facts.detail.get("told", [])]
        deliveries: list[Delivery] = []
        for address in self._alert_emails:
            mark = hashlib.sha256(f"{claimed.notification_id} {address.lower()}".encode()).hexdigest()[:16]
            if mark not in told:
                deliveries.append(session.send(self._email(claimed, address, written)))
                told += [mark] if isinstance(deliveries[-1], Sent) else []
        return _of_all(deliveries, was_told=bool(told)), tuple(told)

    def _email(self, claimed: ClaimedNotification, recipient: str, written: WrittenMessage) -> Email:
        name = claimed.notification_id
        if claimed.replay_count:
            name += f".{claimed.replay_count}"
        # A client may choose the id of its request.
        is_traceable = claimed.correlation_id is not None and claimed.kind not in UNCONFIRMED_KINDS
        headers = {CORRELATION_HEADER: claimed.correlation_id or ""} if is_traceable else {}
        rendered = written.rendered
        message_id = message_id_of(name, self._mail_from)
        return Email(message_id, recipient, rendered.subject, rendered.html, rendered.text, headers)

    def _record(self, tried: Tried, attempt: _Attempt) -> Recorded:
        """What came of it is on record, unless the notification was another job's to send by then."""
        delivery, is_first = tried.delivery, not tried.claimed.attempts
        if isinstance(delivery, Sent) and is_first and not attempt.told and attempt.failed_version is None:
            notification_id, job_id = tried.claimed.notification_id, tried.job_id
            was_taken = self._database.run_statement(
                lambda conn: record_taken(conn, notification_id, job_id, delivery.answer)
            )
            if was_taken:
                return "now"
            return "already" if self._database.read(lambda conn: is_sent(conn, notification_id)) else "not"
        return "now" if self._database.run(lambda conn: self._record_fully(conn, tried, attempt)) else "not"

    def _record_fully(self, conn: Connection, tried: Tried, attempt: _Attempt) -> bool:
        claimed = tried.claimed
        if not lock_claimed(conn, claimed.notification_id, tried.job_id):
            return False
        now = clock(conn)
        if attempt.told:
            record_told(conn, claimed.notification_id, attempt.told)
        record_delivery(conn, tried, self._retry_delay_factor, now)
        if attempt.failed_version is not None:
            name = f"{claimed.kind} version {attempt.failed_version}"
            lines = [f"Template {name}: {attempt.problem}", "Messages are sent with the default template instead."]
            alert_operators(conn, "A message template cannot be used", lines, now, idempotency_key=f"template {name}")
        return True


def addresses_in(text: str) -> tuple[str, ...]:
    """The addresses of the setting `alert_emails`, which separates them by commas: each mailbox once.

    Raises `SettingsError`, one line, where one of them is an address that no mail can be sent to.

    >>> addresses_in(" ann@example.com, ,bob@example.com,Ann@EXAMPLE.com")
    ('ann@example.com', 'bob@example.com')
    """
    found: dict[str, str] = {}
    parts = [part.strip() for part in text.split(",") if part.strip()]
    for number, part in enumerate(parts, start=1):
        address = address_of(part)
        if address is None:
            raise SettingsError(f"FAIRLEAD_ALERT_EMAILS: address {number} is none such as ann@example.com")
        found.setdefault(mailbox_key(address.addr_spec), part)
    return tuple(found.values())


def _of_all(deliveries: Sequence[Delivery], *, was_told: bool) -> Delivery:
    """One answer for several recipients: worth another attempt while one of them may take it yet; sent if any of them
    did.

    No delivery at all means that all recipients were told before.
    """
    failed = [each for each in deliveries if isinstance(each, NotSent)]
    may_be_taken = [each for each in failed if not each.is_permanent]
    if may_be_taken or (failed and not was_told):
        return (may_be_taken or failed)[0]
    if failed:
        return Sent("taken, but refused for some of the operators")
    return Sent(deliveries[0].answer if deliveries else "taken before")


def _personal(facts: MessageFacts) -> list[str]:
    """What a server must not have repeated in the answer that is kept: names, telephone numbers, longer answers."""
    texts = [facts.provider_name, facts.user_name, facts.contact_name, facts.contact_phone]
    answers = [answer_text(value) for value in facts.attributes.values() if not is_empty(value)]
    return [text for text in texts if text] + [text for text in answers if len(text) >= _SHORTEST_PERSONAL]
