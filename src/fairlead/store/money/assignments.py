"""Assignments as rows: their terms, which never change, and what becomes of them.

Of locks, an assignment's comes after those of its niche, lead and provider. A refund holds the lead's too, so
that under the lead's lock nothing of it is refunded meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from fairlead.store.arrays import array_text
from fairlead.store.connection import Connection
from fairlead.store.reports.changes import assignments_changed
from fairlead.store.row_counts import change_rows
from fairlead.store.typed_rows import all_rows, one_row


@dataclass(frozen=True, slots=True)
class AssignmentTerms:
    """What was sold to whom, for how much. A trigger keeps it from ever changing: it may be read without a lock."""

    assignment_id: str
    lead_id: str
    provider_id: str
    niche_id: str
    price_cents: int


@dataclass(frozen=True, slots=True)
class LockedAssignment:
    """An assignment as its locked row says. The provider's own words are not in its repr: they may be personal."""

    assignment_id: str
    lead_id: str
    provider_id: str
    subscription_id: str
    niche_id: str
    price_cents: int
    status: str
    assigned_at: datetime
    viewed_at: datetime | None
    answered_at: datetime | None
    rejection_reason: str | None = field(repr=False)
    bad_lead_reported_at: datetime | None
    bad_lead_reason: str | None
    bad_lead_decision: str | None

    @property
    def has_open_report(self) -> bool:
        """Whether its provider reported it as bad, and the report is undecided."""
        return self.bad_lead_reported_at is not None and self.bad_lead_decision is None


_COLUMNS = """
    select id::text as assignment_id, lead_id::text, provider_id::text, subscription_id::text, niche_id::text,
           price_cents, status,
           assigned_at, viewed_at,
           answered_at, rejection_reason, bad_lead_reported_at, bad_lead_reason, bad_lead_decision
    from assignments"""


def assignment_terms(conn: Connection, assignment_id: str) -> AssignmentTerms | None:
    """The terms of the assignment; None when there is none. Locks nothing."""
    return one_row(
        conn,
        AssignmentTerms,
        """
        select id::text as assignment_id, lead_id::text, provider_id::text, niche_id::text, price_cents
        from assignments
        where id = %s
        """,
        (assignment_id,),
    )


def unrefunded_of_lead(conn: Connection, lead_id: str) -> list[AssignmentTerms]:
    """The lead's assignments that were not refunded, by id. Final only under the lead's lock."""
    return all_rows(
        conn,
        AssignmentTerms,
        """
        select id::text as assignment_id, lead_id::text, provider_id::text, niche_id::text, price_cents
        from assignments
        where lead_id = %s and status <> 'refunded' order by id
        """,
        (lead_id,),
    )


def lock_assignments(conn: Connection, assignment_ids: Sequence[str]) -> dict[str, LockedAssignment]:
    """The assignments by id, their rows locked in ascending order of id."""
    statement = _COLUMNS + " where id = any(%s::uuid[]) order by id for no key update"
    locked = all_rows(conn, LockedAssignment, statement, (list(assignment_ids),))
    return {assignment.assignment_id: assignment for assignment in locked}


def lock_own_assignment(conn: Connection, provider_id: str, assignment_id: str) -> LockedAssignment | None:
    """The provider's assignment, its row locked; None when there is none, or it is another provider's."""
    return one_row(
        conn,
        LockedAssignment,
        _COLUMNS + " where id = %s and provider_id = %s for no key update",
        (assignment_id, provider_id),
    )


def set_refunded(conn: Connection, assignment_ids: Sequence[str], decided_by: str, memo: str, now: datetime) -> None:
    """The assignments, locked, are refunded; those with an open report of a bad lead have it accepted thereby."""
    change_rows(
        conn,
        "assignments_refunded_were_paid",
        len(assignment_ids),
        """
        update assignments a
        set status = 'refunded', refunded_at = %(now)s,
            bad_lead_decision = case when is_open then 'accepted' else bad_lead_decision end,
            bad_lead_decided_at = case when is_open then %(now)s else bad_lead_decided_at end,
            bad_lead_decided_by = case when is_open then %(by)s else bad_lead_decided_by end,
            bad_lead_memo = case when is_open then %(memo)s else bad_lead_memo end
        from (select id, bad_lead_reported_at is not null and bad_lead_decision is null as is_open
              from assignments where id = any(%(ids)s::uuid[])) report
        where a.id = report.id and a.status <> 'refunded'
        """,
        {"now": now, "by": decided_by, "memo": memo, "ids": list(assignment_ids)},
    )
    assignments_changed(conn, assignment_ids)


def set_viewed(conn: Connection, assignment_ids: Sequence[str], now: datetime) -> None:
    """The assignments, locked and not seen before, were seen by their providers at that time."""
    statement = "update assignments set viewed_at = %s where id = any(%s::uuid[]) and viewed_at is null"
    parameters = (now, array_text(assignment_ids))
    change_rows(conn, "assignments_viewed_were_unseen", len(assignment_ids), statement, parameters)
    assignments_changed(conn, assignment_ids)


class ProviderAnswer(NamedTuple):
    """What a provider says to a lead that it bought: `accepted`, or `rejected` for a reason."""

    assignment_id: str
    status: str
    reason: str | None = None


def set_answered(conn: Connection, answers: Sequence[ProviderAnswer], now: datetime) -> None:
    """The assignments, locked and active before, are accepted, or rejected for a reason."""
    change_rows(
        conn,
        "assignments_answered_were_active",
        len(answers),
        """
        update assignments a set status = answer.status, rejection_reason = answer.reason, answered_at = %s,
                                 viewed_at = coalesce(viewed_at, %s)
        from unnest(%s::uuid[], %s::text[], %s::text[]) as answer (id, status, reason)
        where a.id = answer.id and a.status = 'active'
        """,
        (now, now, *(list(column) for column in zip(*answers, strict=True))),
    )
    assignments_changed(conn, [each.assignment_id for each in answers])
