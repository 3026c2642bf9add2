"""Taking in one lead from outside: from a partner with a key, or from the public, confirmed by email."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fairlead.core.entry.contact import CheckedDetails
from fairlead.core.entry.mailbox import canonical_mailbox
from fairlead.core.errors import Refused
from fairlead.flows.access.principal import Client
from fairlead.flows.access.throttle import (
    CONFIRMATION_OF_MAILBOX,
    is_let_through,
)
from fairlead.flows.idempotency import IdempotencyKey, run_idempotent
from fairlead.flows.intake.duplicates import Repetition, compare
from fairlead.flows.intake.lead import IntakeLead, LeadDuplicate, TakenIn, Via, checked_lead
from fairlead.flows.lead_jobs import lead_jobs
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id, new_salt
from fairlead.store.jobs.queue import enqueue
from fairlead.store.leads.intake import (
    Consent,
    Intake,
    IntakeNiche,
    insert_consent,
    insert_intake,
    intake_niche,
)
from fairlead.store.leads.rows import NewLead, clock, insert_leads
from fairlead.store.notifications.outbox import Notification, notify

CONFIRMATION_LASTS = timedelta(days=7)
TOO_MANY_CONFIRMATIONS = "there were too many messages to this address"


@dataclass(frozen=True, slots=True)
class _Sent:
    """A lead that a client sends, under the id and salt that it will have: chosen once, however often it is tried."""

    lead_id: str
    salt: bytes
    lead: IntakeLead
    via: Via
    actor: Actor
    client: Client


def public_sender(client: Client) -> Actor:
    """The client that sends a lead without a key."""
    return Actor("anonymous", "system", client.request_id)


def take_in_lead(
    database: Database,
    lead: IntakeLead,
    via: Via,
    actor: Actor,
    client: Client,
    idempotency_key: IdempotencyKey | None = None,
) -> TakenIn:
    """The lead is there, with its consent: pending approval, or approved where a key's leads are as they come.

    A public one is pending confirmation: its consumer is asked by email, and until it is confirmed no other lead is
    held against it, nor it against others. Its answer is the same whatever else there is, so that it does not disclose
    who asked for something before. One that came with a key and repeats an earlier lead by the niche's rule is refused,
    or flagged, and a flagged one is never approved as it comes.

    `actor` is the key's, or `public_sender`. Public requests have been counted by their network, before they were read;
    a message too many to one mailbox is `skipped`. A consent that the sender's clock has in the future is of now,
    and the audit log says how far ahead it was. One transaction; takes the idempotency key, then the lead's
    fingerprints in ascending order. Recognised by `once`. Audited, without anything personal.

    Raises `BadInput`, naming each field; `LeadDuplicate` (`lead_duplicate`); and `Refused`:
    `niche_unknown`, also for a niche that takes in nothing from the public, `niche_inactive`, `idempotency_key_reused`.
    """
    sent = _Sent(new_id(database), new_salt(), lead, via, actor, client)
    work: Callable[[Connection, _Sent], TakenIn] = _take_in_public if via == "public" else _take_in_with_key

    return database.run(lambda conn: run_idempotent(conn, idempotency_key, TakenIn, lambda: work(conn, sent)))


def _take_in_with_key(conn: Connection, sent: _Sent) -> TakenIn:
    niche, attributes, details = _niche(conn, sent)
    compared = compare(conn, niche, sent.lead_id, details.values, attributes)
    repetition = compared.repetition
    earlier = None if repetition is None else repetition.as_told_to(sent.actor.name)
    if earlier is not None and repetition is not None and repetition.is_refused:
        raise LeadDuplicate(earlier)
    now = clock(conn)
    is_approved = niche.policy.approves and repetition is None
    status = "approved" if is_approved else "pending_approval"
    approved_by = sent.actor.name if is_approved else None
    _store(conn, niche, sent, (attributes, details), now, approved_by=approved_by, repetition=repetition)
    compared.remember(conn, now)
    _audit(conn, niche, sent, status, repetition, now)
    return TakenIn(sent.lead_id, status, earlier)


def _take_in_public(conn: Connection, sent: _Sent) -> TakenIn:
    (niche, attributes, details), now = _niche(conn, sent), clock(conn)
    _store(conn, niche, sent, (attributes, details), now)
    owner = canonical_mailbox(details.values["contact_email"]).owner_key
    is_asked = is_let_through(conn, CONFIRMATION_OF_MAILBOX, owner)
    # The row holds neither address nor link: both come when the message is written.
    confirmation = Notification(
        "lead_confirmation",
        lead_id=sent.lead_id,
        correlation_id=sent.client.request_id,
        skip_because=None if is_asked else TOO_MANY_CONFIRMATIONS,
    )
    notify(conn, [confirmation], now)
    _audit(conn, niche, sent, "pending_confirmation", None, now)
    return TakenIn(sent.lead_id, "pending_confirmation")


def _niche(conn: Connection, sent: _Sent) -> tuple[IntakeNiche, dict[str, object], CheckedDetails]:
    """The niche that the lead is for, and the lead's answers and details as they are stored there."""
    slug = sent.lead.niche_slug
    niche = intake_niche(conn, slug)
    if niche is None or (sent.via == "public" and not niche.policy.is_public):
        raise niche_unknown(slug)
    if not niche.is_active:
        raise niche_inactive(slug)
    return niche, *checked_lead(sent.lead, niche, sent.via)


def niche_unknown(slug: str) -> Refused:
    """For a niche that is not there, or that the sender may not know of."""
    return Refused("niche_unknown", f"there is no niche {slug[:64]!r}")


def niche_inactive(slug: str) -> Refused:
    """For a niche that is switched off."""
    return Refused("niche_inactive", f"the niche {slug!r} takes in no leads at present")


def _store(
    conn: Connection,
    niche: IntakeNiche,
    sent: _Sent,
    checked: tuple[dict[str, object], CheckedDetails],
    now: datetime,
    *,
    approved_by: str | None = None,
    repetition: Repetition | None = None,
) -> None:
    """The lead is stored with its job, how it came in, and its consent."""
    is_public = sent.via == "public"
    attributes, details = checked
    lead = NewLead.of(sent.lead_id, json.dumps(attributes), sent.salt, details)
    request_id = sent.client.request_id
    inserted = insert_leads(conn, niche.niche_id, [lead], now, approved_by, request_id, is_confirmed=not is_public)
    enqueue(conn, lead_jobs(inserted.awaiting_ids, sent.actor, now))
    intake = Intake(sent.lead_id, sent.via, sent.actor.name, now, now + CONFIRMATION_LASTS if is_public else None)
    intake = replace(intake, language=sent.lead.language)
    if repetition is not None:
        intake = replace(intake, duplicate_of=repetition.found.lead_id, duplicate_fields=repetition.matched_fields)
    insert_intake(conn, intake)
    if (consent := _consent(sent, now)) is not None:
        insert_consent(conn, sent.lead_id, consent)


def _consent(sent: _Sent, now: datetime) -> Consent | None:
    given, client = sent.lead.consent, sent.client
    if given is None:
        return None
    ip, user_agent = (client.ip[:45], client.user_agent[:500]) if sent.via == "public" else (given.ip, given.user_agent)
    return Consent(
        given.text,
        # Clocks of telephones run fast, and no consent is given later than now.
        min(given.consented_at or now, now),
        given.source_url,
        ip or None,
        user_agent or None,
        given.certificate_url,
        now,
    )


def _audit(
    conn: Connection, niche: IntakeNiche, sent: _Sent, status: str, repetition: Repetition | None, now: datetime
) -> None:
    new: dict[str, object] = {"status": status, "niche_id": niche.niche_id, "via": sent.via}
    if repetition is not None:
        new["duplicate_of"] = repetition.found.lead_id
    given = None if sent.lead.consent is None else sent.lead.consent.consented_at
    if given is not None and given >= now + timedelta(seconds=1):
        new["consent_ahead_seconds"] = (given - now) // timedelta(seconds=1)
    append_audit(conn, [AuditEvent(sent.actor, "lead.taken_in", "lead", sent.lead_id, new=new)], now)
