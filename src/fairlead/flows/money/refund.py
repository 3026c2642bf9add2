"""Giving back what was paid for an assignment: in full, once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fairlead.core.errors import Refused
from fairlead.core.ledger import LedgerEntryKind, Posting, post
from fairlead.flows.funding import Move, lock_niches_moved_by, move_money, reactivated_ids
from fairlead.flows.idempotency import IdempotencyKey, run_idempotent
from fairlead.flows.memos import checked_memo
from fairlead.flows.money.returns import niche_ids_of_returns, record_returns, returns_of
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.rows import ProviderRow, lock_providers
from fairlead.store.connection import Connection, Database
from fairlead.store.journal import LockedNiche
from fairlead.store.leads.rows import clock, lock_lead
from fairlead.store.lookups import checked_id, marketplace_currency
from fairlead.store.money.assignments import (
    AssignmentTerms,
    LockedAssignment,
    assignment_terms,
    lock_assignments,
    set_refunded,
)
from fairlead.store.money.ledger import LedgerEntry
from fairlead.store.notifications.outbox import Notification, notify


@dataclass(frozen=True, slots=True)
class Refunded:
    """A refund, its place in the provider's ledger, and the balance that it led to (amounts in cents of `currency`).

    `reactivated_subscription_ids` are those that this call brought back (R9).
    """

    assignment_id: str
    lead_id: str
    provider_id: str
    amount_cents: int
    currency: str
    ledger_seq: int
    balance_after_cents: int
    reactivated_subscription_ids: tuple[str, ...] = ()


def refund_assignment(
    database: Database, assignment_id: str, memo: str, actor: Actor, idempotency_key: IdempotencyKey | None = None
) -> Refunded:
    """The full price of the assignment is on its provider's balance again, and the assignment is `refunded`. Once.

    An open report of a bad lead is accepted thereby. Subscriptions that can be paid for now are active again, and the
    provider is told of both (R9), without the memo, which is free text: it stays in the books. One transaction,
    audited; locks the niches of those subscriptions, the lead, the provider, the assignment. Recognised by `once` when
    it is sent again.

    Raises `BadInput` (no id, or no memo of 10 to 1000 characters) and `Refused`: `assignment_unknown`,
    `assignment_refunded`, `balance_too_large`, `idempotency_key_reused`.
    """
    checked, reason = checked_id(assignment_id, "assignment"), checked_memo(memo)

    def work(conn: Connection, also: Sequence[str]) -> Refunded:
        held = hold_for_refund(conn, also, checked)
        if held.assignments[checked].status == "refunded":
            raise Refused("assignment_refunded", f"assignment {checked} was refunded already")
        now = clock(conn)
        refunds, events = give_back(conn, held, Why(reason, actor), now)
        append_audit(conn, events, now)
        return refunds[0]

    return with_niche_locks(
        database, lambda conn, also: run_idempotent(conn, idempotency_key, Refunded, lambda: work(conn, also))
    )


# For every verb that refunds, within its own transaction -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LockedForRefund:
    """What a refund concerns, all of it locked, each by its id."""

    niches: Mapping[str, LockedNiche]
    providers: Mapping[str, ProviderRow]
    assignments: Mapping[str, LockedAssignment]


@dataclass(frozen=True, slots=True)
class Why:
    """Why money is given back, and by whom. `told` is what the provider's message says of it; nothing personal."""

    memo: str
    actor: Actor
    told: str | None = None


def hold_for_refund(conn: Connection, also: Sequence[str], assignment_id: str) -> LockedForRefund:
    """The assignment and all that its refund concerns are locked. Raises `Refused`: `assignment_unknown`."""
    terms = assignment_terms(conn, assignment_id)
    if terms is None:
        raise Refused("assignment_unknown", f"there is no assignment {assignment_id}")
    niches = hold_niches(conn, also, [terms])
    lock_lead(conn, terms.lead_id)
    return hold_recipients(conn, niches, [terms])


def hold_niches(conn: Connection, also: Sequence[str], terms: Sequence[AssignmentTerms]) -> Mapping[str, LockedNiche]:
    """Locked are the niches where refunds of these assignments, one per provider, start a subscription or give back."""
    changes_cents = {each.provider_id: each.price_cents for each in terms}
    return lock_niches_moved_by(conn, changes_cents, [*also, *niche_ids_of_returns(conn, terms)])


def hold_recipients(
    conn: Connection, niches: Mapping[str, LockedNiche], terms: Sequence[AssignmentTerms]
) -> LockedForRefund:
    """The assignments of one lead and their providers are locked too. Needs the locks of the niches and the lead."""
    providers = lock_providers(conn, [each.provider_id for each in terms])
    return LockedForRefund(niches, providers, lock_assignments(conn, [each.assignment_id for each in terms]))


def give_back(
    conn: Connection, held: LockedForRefund, why: Why, now: datetime
) -> tuple[tuple[Refunded, ...], list[AuditEvent]]:
    """All assignments held, none of them refunded before, are refunded, and their providers will be told.

    What the niches' policies say is given back, too. Returns the refunds by assignment id, and what the audit log has
    to say. Raises `LockSetChanged` when a subscription would start, or something is given back, in a niche that is not
    locked, and `Refused`: `balance_too_large`.
    """
    assignments = list(held.assignments.values())
    if not assignments:
        return (), []
    postings: dict[str, Posting] = {}
    for each in assignments:
        balance = held.providers[each.provider_id].balance
        postings[each.assignment_id], _ = post(balance, LedgerEntryKind.REFUND, each.price_cents)
    entries = [
        LedgerEntry(each.provider_id, postings[each.assignment_id], each.assignment_id, memo=why.memo)
        for each in assignments
    ]
    set_refunded(conn, list(held.assignments), why.actor.name, why.memo, now)
    returns = returns_of(conn, held.niches, assignments)
    record_returns(conn, held.niches, returns)
    moves = move_money(conn, held.niches, held.providers, entries, why.actor.name, now, returns.contents)
    notify(conn, [_notification(each, why) for each in assignments], now)
    currency = marketplace_currency(conn)
    refunds = tuple(_refunded(each, postings[each.assignment_id], currency, moves) for each in assignments)
    return refunds, [_event(each, refund, why) for each, refund in zip(assignments, refunds, strict=True)]


def _refunded(assignment: LockedAssignment, posting: Posting, currency: str, moves: Sequence[Move]) -> Refunded:
    own = [move for move in moves if move[1].subscription.provider_id == assignment.provider_id]
    return Refunded(
        assignment.assignment_id,
        assignment.lead_id,
        assignment.provider_id,
        posting.amount_cents,
        currency,
        posting.seq,
        posting.balance_after_cents,
        reactivated_ids(own),
    )


def _notification(assignment: LockedAssignment, why: Why) -> Notification:
    return Notification(
        "refund_issued",
        provider_id=assignment.provider_id,
        assignment_id=assignment.assignment_id,
        correlation_id=why.actor.request_id,
        detail=None if why.told is None else {"reason": why.told},
    )


def _event(before: LockedAssignment, refund: Refunded, why: Why) -> AuditEvent:
    old: dict[str, object] = {"status": before.status}
    new: dict[str, object] = {
        "status": "refunded",
        "provider_id": refund.provider_id,
        "amount_cents": refund.amount_cents,
        "balance_after_cents": refund.balance_after_cents,
        "ledger_seq": refund.ledger_seq,
    }
    if before.has_open_report:
        new["bad_lead_decision"] = "accepted"
    return AuditEvent(why.actor, "assignment.refunded", "assignment", refund.assignment_id, old, new, why.memo)
