"""Reports of bad leads, which are columns of the assignments that they are about, and leads that are marked as bad."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import LiteralString

from fairlead.store.connection import Connection
from fairlead.store.keyset import Conditions
from fairlead.store.lookups import marketplace_currency
from fairlead.store.reports.changes import assignments_changed
from fairlead.store.row_counts import change_rows
from fairlead.store.typed_rows import all_rows


@dataclass(frozen=True, slots=True)
class OpenReport:
    """A report that waits for a decision, and what it is about. What the provider wrote may be personal."""

    assignment_id: str
    reported_at: datetime
    reason: str
    note: str | None = field(repr=False)
    evidence: str | None = field(repr=False)
    lead_id: str
    niche: str
    level_name: str
    provider_id: str
    provider_name: str
    price_cents: int
    currency: str
    assigned_at: datetime
    status: str


WINDOW_DAYS = 14
"""Of a niche until it is set; the table says the same."""


def windows_of(conn: Connection, niche_ids: Sequence[str]) -> dict[str, int]:
    """For how many days leads of each of these niches can be reported as bad, by niche id."""
    rows = conn.execute(
        "select id::text, bad_lead_window_days from niches where id = any(%s::uuid[])", (list(niche_ids),)
    ).fetchall()
    return dict(rows)


def window_days(conn: Connection, niche_id: str) -> int:
    """For how many days after its assignment a lead of the niche can be reported as bad."""
    rows = conn.execute("select bad_lead_window_days from niches where id = %s", (niche_id,)).fetchall()
    return rows[0][0]


def set_window_days(conn: Connection, niche_id: str, days: int) -> None:
    """The niche's leads can be reported for so many days. Needs its lock."""
    statement = "update niches set bad_lead_window_days = %s where id = %s"
    change_rows(conn, "niches_with_a_window_are_there", 1, statement, (days, niche_id))


def set_reported(
    conn: Connection, assignment_id: str, reason: str, note: str | None, evidence: str | None, now: datetime
) -> None:
    """The assignment, locked and without a report before, is reported as bad."""
    change_rows(
        conn,
        "assignments_reported_had_no_report",
        1,
        """
        update assignments set bad_lead_reported_at = %s, bad_lead_reason = %s, bad_lead_note = %s,
                               bad_lead_evidence = %s
        where id = %s and bad_lead_reported_at is null
        """,
        (now, reason, note, evidence, assignment_id),
    )
    assignments_changed(conn, [assignment_id])


def set_report_rejected(conn: Connection, assignment_id: str, decided_by: str, memo: str, now: datetime) -> None:
    """The open report of the assignment, which is locked, is rejected."""
    change_rows(
        conn,
        "assignments_decided_had_an_open_report",
        1,
        """
        update assignments set bad_lead_decision = 'rejected', bad_lead_decided_at = %s, bad_lead_decided_by = %s,
                               bad_lead_memo = %s
        where id = %s and bad_lead_reported_at is not null and bad_lead_decision is null
        """,
        (now, decided_by, memo, assignment_id),
    )


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """Which open reports are wanted; None: all. `reported_from` is included, `reported_before` is not.

    The oldest comes first, or the newest.
    """

    provider_id: str | None = None
    niche_slug: str | None = None
    reason: str | None = None
    reported_from: datetime | None = None
    reported_before: datetime | None = None
    is_newest_first: bool = False


@dataclass(frozen=True, slots=True)
class ReportTotals:
    """Open reports in sums: how many, of how many providers, and what accepting all of them would refund (cents)."""

    report_count: int
    provider_count: int
    price_cents: int
    oldest_reported_at: datetime | None


EVERY_REPORT = ReportFilter()
_IS_OPEN = "a.bad_lead_reported_at is not null and a.bad_lead_decision is null"


def open_reports(
    conn: Connection, wanted: ReportFilter, after: tuple[datetime, str] | None, limit: int
) -> list[OpenReport]:
    """The next reports that wait for a decision, in the order that is wanted, after the given time and id."""
    conditions = _conditions(wanted)
    order: LiteralString = "desc" if wanted.is_newest_first else "asc"
    if after is not None:
        is_next = "<" if wanted.is_newest_first else ">"
        conditions.add(f"(a.bad_lead_reported_at, a.id) {is_next} (%s, %s::uuid)", *after)
    return all_rows(
        conn,
        OpenReport,
        f"""
        select a.id::text as assignment_id, a.bad_lead_reported_at as reported_at, a.bad_lead_reason as reason,
               a.bad_lead_note as note, a.bad_lead_evidence as evidence, a.lead_id::text, n.slug as niche,
               l.name as level_name, a.provider_id::text, p.name as provider_name,
               a.price_cents, %s as currency, a.assigned_at, a.status
        from assignments a join niches n on n.id = a.niche_id join providers p on p.id = a.provider_id
        join competition_levels l on l.id = a.competition_level_id
        where {_IS_OPEN} and {conditions.text}
        order by a.bad_lead_reported_at {order}, a.id {order} limit %s
        """,  # noqa: S608 - constants of our own
        (marketplace_currency(conn), *conditions.values, limit),
    )


def open_report_totals(conn: Connection, wanted: ReportFilter) -> ReportTotals:
    """All reports that wait for a decision, in sums. The cost grows with their number."""
    conditions = _conditions(wanted)
    [totals] = all_rows(
        conn,
        ReportTotals,
        f"""
        select count(*) as report_count, count(distinct a.provider_id) as provider_count,
               coalesce(sum(a.price_cents), 0)::bigint as price_cents, min(a.bad_lead_reported_at) as oldest_reported_at
        from assignments a join niches n on n.id = a.niche_id
        where {_IS_OPEN} and {conditions.text}
        """,  # noqa: S608 - as above
        conditions.values,
    )
    return totals


def _conditions(wanted: ReportFilter) -> Conditions:
    conditions = Conditions()
    conditions.add_given("a.provider_id = %s", wanted.provider_id)
    conditions.add_given("n.slug = %s", wanted.niche_slug)
    conditions.add_given("a.bad_lead_reason = %s", wanted.reason)
    conditions.add_given("a.bad_lead_reported_at >= %s", wanted.reported_from)
    conditions.add_given("a.bad_lead_reported_at < %s", wanted.reported_before)
    return conditions
