"""What a provider does with a lead that it bought: it sees it, accepts it, or rejects it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fairlead.core.errors import Refused
from fairlead.flows.memos import checked_words
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.leads.erasure import erased_among
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id
from fairlead.store.money.assignments import (
    LockedAssignment,
    ProviderAnswer,
    lock_assignments,
    lock_own_assignment,
    set_answered,
    set_viewed,
)

LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Answered:
    """An assignment after its provider saw or answered it. `took_effect` is False when that had been so before."""

    assignment_id: str
    status: str
    viewed_at: datetime | None
    answered_at: datetime | None
    took_effect: bool


def view_assignment(database: Database, provider_id: str, assignment_id: str) -> Answered:
    """`viewed_at` is when the provider saw its assignment for the first time. Idempotent; locks the assignment.

    Not audited: the time is the record, and an inbox is read often.

    Raises `BadInput` (no id) and `Refused`: `assignment_unknown`, also for another provider's.
    """
    own_id, checked = checked_id(provider_id, "provider"), checked_id(assignment_id, "assignment")

    def work(conn: Connection) -> Answered:
        before = _own(conn, own_id, checked)
        if before.viewed_at is not None:
            return Answered(checked, before.status, before.viewed_at, before.answered_at, took_effect=False)
        now = clock(conn)
        set_viewed(conn, [checked], now)
        return Answered(checked, before.status, now, before.answered_at, took_effect=True)

    return database.run(work)


def accept_assignment(database: Database, provider_id: str, assignment_id: str, actor: Actor) -> Answered:
    """The provider's assignment is `accepted`, and counts as seen. Idempotent, audited; locks the assignment.

    Raises `BadInput` (no id) and `Refused`: `assignment_unknown`, also for another provider's; `assignment_rejected`,
    `assignment_refunded`.
    """
    return _answer(database, provider_id, assignment_id, "accepted", None, actor)


def reject_assignment(database: Database, provider_id: str, assignment_id: str, reason: str, actor: Actor) -> Answered:
    """The provider's assignment is `rejected` for a reason of 1 to 500 characters. No money is returned by that.

    The reason may be personal: it is kept with the assignment and nowhere else. Idempotent, audited; locks the
    assignment.

    Raises `BadInput` and `Refused`: `assignment_unknown`, also for another provider's; `assignment_accepted`,
    `assignment_refunded`, `lead_erased`.
    """
    words = checked_words(reason, "reason", LONGEST_REASON)
    return _answer(database, provider_id, assignment_id, "rejected", words, actor)


def _answer(
    database: Database, provider_id: str, assignment_id: str, status: str, reason: str | None, actor: Actor
) -> Answered:
    own_id, checked = checked_id(provider_id, "provider"), checked_id(assignment_id, "assignment")

    def work(conn: Connection) -> Answered:
        before = _own(conn, own_id, checked)
        if before.status == status:
            return Answered(checked, status, before.viewed_at, before.answered_at, took_effect=False)
        if before.status != "active":
            raise Refused(f"assignment_{before.status}", f"assignment {checked} is {before.status} already")
        if reason is not None and erased_among(conn, [before.lead_id]):
            raise Refused("lead_erased", f"the lead of assignment {checked} was erased: nothing is written about it")
        now = clock(conn)
        _record_answers(conn, [ProviderAnswer(checked, status, reason)], actor, now)
        return Answered(checked, status, before.viewed_at or now, now, took_effect=True)

    return database.run(work)


def answer_assignments(
    database: Database, viewed_ids: Sequence[str], answers: Sequence[ProviderAnswer], actor: Actor
) -> int:
    """What providers did by now with their leads, many at once: which they saw, and what they said to others.

    One transaction, audited as each answer alone would be. What was seen, answered or refunded before stays as it is;
    returns how many assignments changed. Each is in one of the two lists at most. For a program that acts for the
    providers: whose they are is not asked. Locks the assignments, ascending by id. Raises `BadInput` (no reason of 1 to
    500 characters where one is rejected). Nothing is written about a lead that was erased.
    """
    said = [
        each._replace(reason=checked_words(each.reason or "", "reason", LONGEST_REASON) if _is_no(each) else None)
        for each in answers
    ]

    def work(conn: Connection) -> int:
        locked = lock_assignments(conn, [*viewed_ids, *(each.assignment_id for each in said)])
        unseen = [each for each in viewed_ids if each in locked and locked[each].viewed_at is None]
        asked = ((each, locked.get(each.assignment_id)) for each in said)
        open_answers = [each for each, before in asked if before is not None and before.status == "active"]
        erased = erased_among(conn, [before.lead_id for before in locked.values()])
        open_answers = [
            each for each in open_answers if each.reason is None or locked[each.assignment_id].lead_id not in erased
        ]
        now = clock(conn)
        if unseen:
            set_viewed(conn, unseen, now)
        if open_answers:
            _record_answers(conn, open_answers, actor, now)
        return len(unseen) + len(open_answers)

    return database.run(work)


def _is_no(answer: ProviderAnswer) -> bool:
    return answer.status == "rejected"


def _record_answers(conn: Connection, answers: Sequence[ProviderAnswer], actor: Actor, now: datetime) -> None:
    """The answers to assignments that are locked and active, in their rows and in the audit log."""
    set_answered(conn, answers, now)
    events = [
        AuditEvent(
            actor,
            f"assignment.{each.status}",
            "assignment",
            each.assignment_id,
            {"status": "active"},
            {"status": each.status},
        )
        for each in answers
    ]
    append_audit(conn, events, now)


def _own(conn: Connection, provider_id: str, assignment_id: str) -> LockedAssignment:
    assignment = lock_own_assignment(conn, provider_id, assignment_id)
    if assignment is None:
        raise Refused("assignment_unknown", f"there is no assignment {assignment_id}")
    return assignment
