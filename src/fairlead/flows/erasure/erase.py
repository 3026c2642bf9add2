"""Erasing the personal data of leads, at any moment, so that what was decided can still be proven.

What goes: answers with the salt of their commitment, contact data, consent, links, fingerprints, words of names, notes,
messages that wait, what was answered to those that were sent, digests of requests, files that may name the person. What
stays is what happened: decisions, prices, money, times, ids. Those who bought the lead are told to erase it, too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from fairlead.core.erasure_terms import ERASED_WORDS, OPERATOR_REASONS, ErasureOrigin, ErasureReason, ErasureScope
from fairlead.core.errors import BadInput, Refused
from fairlead.flows.chunks import ChunkDone, in_chunks, last_of
from fairlead.flows.erasure.person import keys_of_person
from fairlead.flows.exporting.requests import drop_exports_that_may_name
from fairlead.flows.idempotency import IdempotencyKey, run_idempotent
from fairlead.flows.reject_lead import reject_locked
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.exports import requests as exports
from fairlead.store.leads import saved_views
from fairlead.store.leads.erasure import (
    Buyer,
    LockedForErasure,
    buyers_of,
    erase_from_reports,
    erase_traces,
    erase_words,
    insert_erasures,
    lock_for_erasure,
    new_erasure,
    sources_of_these_alone,
    unerased_of_person,
)
from fairlead.store.leads.fingerprints import delete_fingerprints
from fairlead.store.leads.intake import forget_intake
from fairlead.store.leads.review import lock_rejectable
from fairlead.store.leads.rows import clock
from fairlead.store.leads.state import set_answers_erased, set_contact_erased, set_erased
from fairlead.store.lookups import checked_id
from fairlead.store.notifications.erasure import end_messages, erase_answers, lock_messages_about
from fairlead.store.notifications.outbox import Notification, notify

CHUNK_LEADS = 50
"""Of a person with many leads, so many are erased in one transaction."""


@dataclass(frozen=True, slots=True)
class ErasureCause:
    """At whose wish, by whom, and for which reason."""

    actor: Actor
    origin: ErasureOrigin
    reason: ErasureReason


@dataclass(frozen=True, slots=True)
class ErasedLead:
    """A lead that is erased, `was_already` before. So many providers that bought it are told to erase it, too."""

    lead_id: str
    was_already: bool
    was_sold: bool
    told_count: int


@dataclass(frozen=True, slots=True)
class ErasedPerson:
    """The leads of a person that are erased now; none where there was none left."""

    lead_ids: tuple[str, ...] = ()
    told_count: int = 0


def checked_reason(reason: str) -> ErasureReason:
    """The reason. Raises `BadInput` for what is none that may be given."""
    for known in OPERATOR_REASONS:
        if reason == known:
            return known
    raise BadInput([f"reason: should be one of {', '.join(OPERATOR_REASONS)}"])


def erase_lead(
    database: Database, lead_id: str, reason: str, actor: Actor, idempotency_key: IdempotencyKey | None = None
) -> ErasedLead:
    """Nothing personal of the lead is left; one that is not sold is closed and never will be. Doing so again changes
    nothing.

    Those who bought it are told, in the same transaction. Locks the lead: a distribution that has it ends first, and
    one that comes later does not find it. Then its assignments, exports and notifications. Audited; on record in
    `erasures`. Files of exports that may name the person are dropped.

    Raises `BadInput`, and `Refused`: `lead_unknown`, `idempotency_key_reused`.
    """
    checked, cause = checked_id(lead_id, "lead"), ErasureCause(actor, "operator", checked_reason(reason))

    def work(conn: Connection) -> ErasedLead:
        erased = erase_locked(conn, lock_for_erasure(conn, [checked]), cause)
        if not erased:
            raise Refused("lead_unknown", f"there is no lead {checked}")
        return erased[0]

    return database.run(lambda conn: run_idempotent(conn, idempotency_key, ErasedLead, lambda: work(conn)))


def erase_person(database: Database, person: str, reason: str, actor: Actor) -> ErasedPerson:
    """Every lead with this email address or telephone number, however it was written, is erased as `erase_lead` does.

    Fifty to a transaction, each of which locks its leads in ascending order of id, until none is left: also one that
    came in meanwhile, and where others are erasing some of them. Should it end early, doing it again goes on. Raises
    `BadInput`.
    """
    cause = ErasureCause(actor, "operator", checked_reason(reason))
    erased: list[ErasedLead] = []

    def work(conn: Connection, after: str | None) -> tuple[list[str], list[ErasedLead]]:
        keys = keys_of_person(conn, person)
        found = unerased_of_person(conn, keys.emails, keys.phones, after, CHUNK_LEADS)
        return found, erase_locked(conn, lock_for_erasure(conn, found), cause)

    def step(after: str | None) -> ChunkDone[str]:
        found, done = database.run(lambda conn: work(conn, after))
        erased.extend(each for each in done if not each.was_already)
        return ChunkDone(len(done), last_of(found, CHUNK_LEADS))

    in_chunks(step)
    return ErasedPerson(tuple(each.lead_id for each in erased), sum(each.told_count for each in erased))


def erase_locked(conn: Connection, locked: Sequence[LockedForErasure], cause: ErasureCause) -> list[ErasedLead]:
    """The leads, which are locked, are erased whole; those that were before are as they are."""
    now = clock(conn)
    todo = [lead for lead in locked if lead.erased_at is None]
    told, events = _erase_whole(conn, todo, cause, now, _first_came_in(todo, now))
    append_audit(conn, events, now)
    new = {lead.lead_id for lead in todo}
    return [
        ErasedLead(
            lead.lead_id, lead.lead_id not in new, lead.status in ("distributed", "bad"), told.get(lead.lead_id, 0)
        )
        for lead in locked
    ]


def erase_part(
    conn: Connection, locked: Sequence[LockedForErasure], part: Literal["answers", "contact"], cause: ErasureCause
) -> None:
    """The leads, which are locked and never to be sold again, have no answers, or no contact data, any more.

    Of one whose other part was erased before all goes that is left.
    """
    now = clock(conn)
    since = _first_came_in(locked, now)
    whole = [lead for lead in locked if (lead.contact_erased_at if part == "answers" else lead.answers_erased_at)]
    rest = [lead for lead in locked if lead not in whole]
    _, events = _erase_whole(conn, whole, cause, now, since)
    if rest:
        events += _erase_only(conn, rest, part, cause, now, since)
    append_audit(conn, events, now)


def _erase_whole(
    conn: Connection, leads: Sequence[LockedForErasure], cause: ErasureCause, now: datetime, since: datetime
) -> tuple[Mapping[str, int], list[AuditEvent]]:
    """The leads, none of them erased before, are; by lead, how many are told, and what is to be audited."""
    if not leads:
        return {}, []
    buyers = buyers_of(conn, [lead.lead_id for lead in leads])
    events = _close_unsold(conn, leads, cause, now)
    events += _erase(conn, leads, cause, now, since)
    told = _tell_buyers(conn, buyers, cause, now)
    return told, [*events, *(_audited(lead, cause, "lead", told.get(lead.lead_id, 0)) for lead in leads)]


def _erase_only(
    conn: Connection,
    leads: Sequence[LockedForErasure],
    part: Literal["answers", "contact"],
    cause: ErasureCause,
    now: datetime,
    since: datetime,
) -> list[AuditEvent]:
    """This part of the leads is gone; returns what is to be audited."""
    ids = [lead.lead_id for lead in leads]
    if part == "answers":
        set_answers_erased(conn, ids, now)
        delete_fingerprints(conn, ids)
    else:
        set_contact_erased(conn, ids, now)
    events = drop_exports_that_may_name(conn, since)
    if part == "contact":
        _forget_how_they_came_in(conn, ids)
    insert_erasures(
        conn, [new_erasure(conn, lead, part, cause.origin, cause.reason, cause.actor.name, now) for lead in leads]
    )
    return [*events, *(_audited(lead, cause, part, 0) for lead in leads)]


def _first_came_in(leads: Sequence[LockedForErasure], now: datetime) -> datetime:
    """Files that were finished before say nothing of any of the leads."""
    return min((lead.created_at for lead in leads), default=now)


def _forget_how_they_came_in(conn: Connection, lead_ids: Sequence[str]) -> Sequence[str]:
    """Nothing is left of how the leads came in that is personal; returns the messages about them, which are locked.

    A message that is being written at this moment makes its links under its lock: it is waited for, or they would stay.
    """
    messages = lock_messages_about(conn, lead_ids)
    forget_intake(conn, lead_ids)
    return messages


def _by_lead(buyers: Sequence[Buyer]) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for each in buyers:
        counts[each.lead_id] = counts.get(each.lead_id, 0) + 1
    return counts


def _close_unsold(
    conn: Connection, leads: Sequence[LockedForErasure], cause: ErasureCause, now: datetime
) -> list[AuditEvent]:
    """Those that were not sold are rejected, for good: no job asks for them, no dead letter waits."""
    unsold = lock_rejectable(conn, [lead.lead_id for lead in leads])
    return reject_locked(conn, unsold, ERASED_WORDS, cause.actor, now) if unsold else []


def _erase(
    conn: Connection, leads: Sequence[LockedForErasure], cause: ErasureCause, now: datetime, since: datetime
) -> list[AuditEvent]:
    ids = [lead.lead_id for lead in leads]
    own_sources = sources_of_these_alone(conn, ids)
    set_answers_erased(conn, [lead.lead_id for lead in leads if lead.answers_erased_at is None], now)
    set_contact_erased(conn, [lead.lead_id for lead in leads if lead.contact_erased_at is None], now)
    set_erased(conn, ids, now)
    erase_words(conn, ids)
    events = drop_exports_that_may_name(conn, since)
    exports.forget_sources(conn, own_sources, ERASED_WORDS)
    saved_views.forget_sources(conn, own_sources, ERASED_WORDS)
    messages = _forget_how_they_came_in(conn, ids)
    resolved = end_messages(conn, messages, cause.actor.name, now)
    erase_answers(conn, messages)
    erase_traces(conn, ids)
    erase_from_reports(conn, ids, own_sources)
    insert_erasures(
        conn, [new_erasure(conn, lead, "lead", cause.origin, cause.reason, cause.actor.name, now) for lead in leads]
    )
    events += [AuditEvent(cause.actor, "dead_letter.resolved", "dead_letter", each) for each in resolved]
    return events


def _tell_buyers(conn: Connection, buyers: Sequence[Buyer], cause: ErasureCause, now: datetime) -> Mapping[str, int]:
    """By lead, how many are told. What a marketplace no longer keeps by its own rule is no matter of its providers."""
    if cause.origin == "retention":
        return {}
    notices: list[Notification] = []
    for each in buyers:
        told = Notification(
            "lead_erased",
            provider_id=each.provider_id,
            assignment_id=each.assignment_id,
            correlation_id=cause.actor.request_id,
        )
        notices.append(told)
        if each.endpoint_id is not None:
            notices.append(told._replace(channel="webhook", webhook_endpoint_id=each.endpoint_id))
    notify(conn, notices, now)
    return _by_lead(buyers)


def _audited(lead: LockedForErasure, cause: ErasureCause, scope: ErasureScope, told_count: int) -> AuditEvent:
    new = {"scope": scope, "origin": cause.origin, "reason": cause.reason, "told": told_count}
    return AuditEvent(cause.actor, "lead.erased", "lead", lead.lead_id, {"status": lead.status}, new)
