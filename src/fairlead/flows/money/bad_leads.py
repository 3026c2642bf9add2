"""Bad leads: a provider reports one and an operator decides; or the lead itself is bad, for all who bought it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fairlead.core.errors import BadInput, Refused
from fairlead.core.lead_actions import LeadAction, allows
from fairlead.flows.idempotency import IdempotencyKey, run_idempotent
from fairlead.flows.memos import checked_memo, checked_words
from fairlead.flows.money.refund import Refunded, Why, give_back, hold_for_refund, hold_niches, hold_recipients
from fairlead.flows.money.report_limits import check_report_limits
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.rows import lock_providers
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.erasure import erased_among
from fairlead.store.leads.rows import clock, lock_lead
from fairlead.store.leads.state import set_bad
from fairlead.store.lookups import checked_id
from fairlead.store.money.assignments import LockedAssignment, lock_assignments, lock_own_assignment, unrefunded_of_lead
from fairlead.store.money.bad_leads import (
    EVERY_REPORT,
    OpenReport,
    ReportFilter,
    ReportTotals,
    open_report_totals,
    open_reports,
    set_report_rejected,
    set_reported,
    window_days,
)
from fairlead.store.money.report_rules import report_rules

WORDS_OF_SHIPPED: dict[str, str] = {
    "unreachable": "the contact could not be reached",
    "wrong_contact": "the contact data is wrong",
    "duplicate": "you had this lead before",
    "not_interested": "the contact did not ask for an offer",
    "outside_filter": "the lead does not fit your filter",
    "spam": "the lead is spam",
    "other": "your report was accepted",
}
"""Of each category that is shipped, what the message about a refund says of it."""

_NOT_TO_BE_MARKED = {
    "rejected": "was rejected: it was not sold and will not be",
    "pending_confirmation": "is not confirmed by its sender yet: reject it",
}

LEAD_IS_BAD = "the lead was marked as bad"
LONGEST_NOTE = 1000
LONGEST_EVIDENCE = 4000


@dataclass(frozen=True, slots=True)
class BadLeadReported:
    """An assignment that its provider reported as bad."""

    assignment_id: str
    reason: str
    reported_at: datetime


@dataclass(frozen=True, slots=True)
class BadLeadDecided:
    """A report that was `accepted`, with the refund, or `rejected`."""

    assignment_id: str
    decision: str
    decided_at: datetime
    refund: Refunded | None = None


@dataclass(frozen=True, slots=True)
class LeadMarkedBad:
    """A lead that is bad, and what was refunded by this call.

    `was_already` says that it had been marked before, and nothing was changed.
    """

    lead_id: str
    was_already: bool
    refunds: tuple[Refunded, ...] = ()


def report_bad_lead(
    database: Database,
    provider_id: str,
    assignment_id: str,
    category: str,
    note: str | None,
    actor: Actor,
    idempotency_key: IdempotencyKey | None = None,
    *,
    evidence: str | None = None,
) -> BadLeadReported:
    """The provider's report waits for a decision: of which active category its lead is, a note that says more, and what
    proves it.

    Once per assignment, for its own assignments only, for so many days after they were made as the niche says, and as
    many of them as the rules of reports allow. The note, of up to 1000 characters, and the evidence, of up to 4000, may
    be personal: they are kept with the assignment and nowhere else. Audited; locks the provider, under which its
    reports are counted, and the assignment.

    Raises `BadInput`, and `Refused`: `assignment_unknown` (also for another provider's), `assignment_refunded`,
    `bad_lead_reported`, `bad_lead_window_over`, `bad_lead_daily_limit`, `bad_lead_share_reached`,
    `idempotency_key_reused`; `lead_erased` for words on one.
    """
    own_id, checked = checked_id(provider_id, "provider"), checked_id(assignment_id, "assignment")
    words, proof = _words(note, "note", LONGEST_NOTE), _words(evidence, "evidence", LONGEST_EVIDENCE)

    def work(conn: Connection) -> BadLeadReported:
        rules = report_rules(conn)
        if category not in rules.active_keys:
            raise BadInput([f"reason: must be one of {', '.join(rules.active_keys)}"])
        lock_providers(conn, [own_id])
        assignment = lock_own_assignment(conn, own_id, checked)
        if assignment is None:
            raise Refused("assignment_unknown", f"there is no assignment {checked}")
        now = clock(conn)
        _check_reportable(assignment, window_days(conn, assignment.niche_id), now)
        if (words is not None or proof is not None) and erased_among(conn, [assignment.lead_id]):
            raise Refused("lead_erased", "the lead was erased: report it without a note and evidence")
        check_report_limits(conn, own_id, rules, now)
        set_reported(conn, checked, category, words, proof, now)
        told = {"reason": category}
        append_audit(conn, [AuditEvent(actor, "bad_lead.reported", "assignment", checked, new=told)], now)
        return BadLeadReported(checked, category, now)

    return database.run(lambda conn: run_idempotent(conn, idempotency_key, BadLeadReported, lambda: work(conn)))


def accept_bad_lead(
    database: Database, assignment_id: str, memo: str, actor: Actor, idempotency_key: IdempotencyKey | None = None
) -> BadLeadDecided:
    """The report was right: the assignment is refunded as `refund_assignment` does, in the same transaction.

    A decision is made once. The memo has 10 to 1000 characters. Audited; locks niches, lead, provider, assignment.

    Raises `BadInput`, and `Refused`: `assignment_unknown`, `bad_lead_not_reported`, `bad_lead_decided`,
    `balance_too_large`, `idempotency_key_reused`.
    """
    checked, words = checked_id(assignment_id, "assignment"), checked_memo(memo)

    def work(conn: Connection, also: Sequence[str]) -> BadLeadDecided:
        held = hold_for_refund(conn, also, checked)
        reason = _open_report(held.assignments[checked])
        now = clock(conn)
        refunds, events = give_back(conn, held, Why(words, actor, _told_of(conn, reason)), now)
        append_audit(conn, [AuditEvent(actor, "bad_lead.accepted", "assignment", checked, memo=words), *events], now)
        return BadLeadDecided(checked, "accepted", now, refunds[0])

    return with_niche_locks(
        database, lambda conn, also: run_idempotent(conn, idempotency_key, BadLeadDecided, lambda: work(conn, also))
    )


def reject_bad_lead(
    database: Database, assignment_id: str, memo: str, actor: Actor, idempotency_key: IdempotencyKey | None = None
) -> BadLeadDecided:
    """The report was not right, for the reason in the memo (10 to 1000 characters). No money moves.

    A decision is made once; the assignment may still be refunded by hand. Audited; locks the assignment.

    Raises `BadInput`, and `Refused`: `assignment_unknown`, `bad_lead_not_reported`, `bad_lead_decided`,
    `idempotency_key_reused`.
    """
    checked, words = checked_id(assignment_id, "assignment"), checked_memo(memo)

    def work(conn: Connection) -> BadLeadDecided:
        assignment = lock_assignments(conn, [checked]).get(checked)
        if assignment is None:
            raise Refused("assignment_unknown", f"there is no assignment {checked}")
        _open_report(assignment)
        now = clock(conn)
        set_report_rejected(conn, checked, actor.name, words, now)
        append_audit(conn, [AuditEvent(actor, "bad_lead.rejected", "assignment", checked, memo=words)], now)
        return BadLeadDecided(checked, "rejected", now)

    return database.run(lambda conn: run_idempotent(conn, idempotency_key, BadLeadDecided, lambda: work(conn)))


def mark_lead_bad(
    database: Database, lead_id: str, memo: str, actor: Actor, idempotency_key: IdempotencyKey | None = None
) -> LeadMarkedBad:
    """The lead is bad: it is not distributed again; every provider that bought it is refunded, unless it was, and told.

    All of that in one transaction, for the reason in the memo (10 to 1000 characters); open reports of it are accepted
    thereby. Assignments stay. Idempotent: a bad lead is left as it is. Audited; locks the niches where subscriptions
    start again, the lead, its recipients ascending by id, their assignments.

    Raises `BadInput`, and `Refused`: `lead_unknown`, `lead_rejected`, `lead_pending_confirmation`, `balance_too_large`,
    `idempotency_key_reused`.
    """
    checked, words = checked_id(lead_id, "lead"), checked_memo(memo)

    def work(conn: Connection, also: Sequence[str]) -> LeadMarkedBad:
        niches = hold_niches(conn, also, unrefunded_of_lead(conn, checked))
        lead = lock_lead(conn, checked)
        if lead is None:
            raise Refused("lead_unknown", f"there is no lead {checked}")
        if lead.status == "bad":
            return LeadMarkedBad(checked, was_already=True)
        if not allows(LeadAction.MARK_BAD, lead.status):
            raise Refused(f"lead_{lead.status}", f"lead {checked} {_NOT_TO_BE_MARKED[lead.status]}")
        held = hold_recipients(conn, niches, unrefunded_of_lead(conn, checked))
        now = clock(conn)
        set_bad(conn, checked)
        refunds, events = give_back(conn, held, Why(words, actor, LEAD_IS_BAD), now)
        marked = AuditEvent(
            actor, "lead.marked_bad", "lead", checked, {"status": lead.status}, {"status": "bad"}, words
        )
        append_audit(conn, [marked, *events], now)
        return LeadMarkedBad(checked, was_already=False, refunds=refunds)

    return with_niche_locks(
        database, lambda conn, also: run_idempotent(conn, idempotency_key, LeadMarkedBad, lambda: work(conn, also))
    )


def list_open_reports(
    database: Database,
    after: tuple[datetime, str] | None = None,
    limit: int = 50,
    wanted: ReportFilter = EVERY_REPORT,
) -> list[OpenReport]:
    """The next reports of those wanted that wait for a decision, in the order that is wanted.

    `after` is the time and assignment id of the last report that was seen. Each page costs the same.
    """
    if after is not None:
        checked_id(after[1], "assignment")
    if wanted.provider_id is not None:
        checked_id(wanted.provider_id, "provider")
    with database.snapshot() as conn:
        return open_reports(conn, wanted, after, limit)


def total_open_reports(database: Database, wanted: ReportFilter = EVERY_REPORT) -> ReportTotals:
    """How many of the reports wanted wait for a decision, and what accepting all of them would refund."""
    if wanted.provider_id is not None:
        checked_id(wanted.provider_id, "provider")
    return database.read(lambda conn: open_report_totals(conn, wanted))


def _words(text: str | None, name: str, longest: int) -> str | None:
    return checked_words(text, name, longest) if text is not None and text.strip() else None


def _check_reportable(assignment: LockedAssignment, days: int, now: datetime) -> None:
    name = f"assignment {assignment.assignment_id}"
    if assignment.bad_lead_reported_at is not None:
        raise Refused("bad_lead_reported", f"{name} was reported before")
    if assignment.status == "refunded":
        raise Refused("assignment_refunded", f"{name} was refunded already")
    if now > assignment.assigned_at + timedelta(days=days):
        raise Refused("bad_lead_window_over", f"{name} could be reported within {days} days only")


def _told_of(conn: Connection, key: str) -> str:
    """What a refund's message says of a report of this category: the operators' word for it, if there is one."""
    category = report_rules(conn).category(key)
    if category is not None and category.label is not None:
        return category.label
    return WORDS_OF_SHIPPED.get(key, key)


def _open_report(assignment: LockedAssignment) -> str:
    """The reason of the assignment's open report. Raises `Refused` when there is none."""
    if assignment.bad_lead_reason is None:
        raise Refused("bad_lead_not_reported", f"assignment {assignment.assignment_id} was not reported as bad")
    if not assignment.has_open_report:
        how = assignment.bad_lead_decision
        raise Refused("bad_lead_decided", f"the report of assignment {assignment.assignment_id} was {how} already")
    return assignment.bad_lead_reason
