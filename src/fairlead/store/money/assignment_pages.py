"""All assignments of the marketplace as operators look through them, the newest first."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from fairlead.store.connection import Connection
from fairlead.store.ids import ids_from
from fairlead.store.keyset import Conditions, KeysetPage, KeysetQuery, items_of
from fairlead.store.lookups import marketplace_currency
from fairlead.store.money.ledger_range import purchases_before

Place = tuple[datetime, str]
"""When it was assigned, and its id."""


@dataclass(frozen=True, slots=True)
class AssignmentFilter:
    """Which assignments are wanted; None: all. `assigned_from` is included, `assigned_before` is not."""

    niche_slug: str | None = None
    provider_id: str | None = None
    level_id: str | None = None
    status: str | None = None
    assigned_from: datetime | None = None
    assigned_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListedAssignment:
    """An assignment in a list (cents): nothing of the lead but its id."""

    assignment_id: str
    lead_id: str
    niche: str
    level_id: str
    level_name: str
    provider_id: str
    provider_name: str
    subscription_id: str
    price_cents: int
    currency: str
    status: str
    assigned_at: datetime
    viewed_at: datetime | None
    answered_at: datetime | None
    reported_at: datetime | None
    report_decision: str | None
    refunded_at: datetime | None


_COLUMNS: LiteralString = """
    a.id::text as assignment_id, a.lead_id::text, n.slug as niche, a.competition_level_id::text as level_id,
    c.name as level_name, a.provider_id::text, p.name as provider_name, a.subscription_id::text, a.price_cents,
    %s as currency, a.status, a.assigned_at, a.viewed_at, a.answered_at, a.bad_lead_reported_at as reported_at,
    a.bad_lead_decision as report_decision, a.refunded_at"""

_JOINS: LiteralString = """
    join niches n on n.id = a.niche_id join providers p on p.id = a.provider_id
    join competition_levels c on c.id = a.competition_level_id"""


def assignment_page(
    conn: Connection, wanted: AssignmentFilter, after: Place | None, limit: int
) -> KeysetPage[ListedAssignment, Place]:
    """The next assignments, after the one that was seen last.

    A provider's are walked in the order of its ledger, a niche's in the order in which it served, others by id, which
    is by time; the rest of the filter is looked at row by row.
    """
    if wanted.provider_id is not None:
        keyset = _of_provider(conn, wanted, wanted.provider_id, after)
    elif wanted.niche_slug is not None and wanted.status in (None, "active") and not _has_range(wanted):
        keyset = _of_niche(conn, wanted, after)
    else:
        keyset = _of_all(wanted, after)
    if keyset is None:
        return KeysetPage((), None)
    return keyset.page(conn, items_of(ListedAssignment), _COLUMNS, _JOINS, limit, (marketplace_currency(conn),))


def _has_range(wanted: AssignmentFilter) -> bool:
    return wanted.assigned_from is not None or wanted.assigned_before is not None


def _of_provider(
    conn: Connection, wanted: AssignmentFilter, provider_id: str, after: Place | None
) -> KeysetQuery | None:
    span = purchases_before(
        conn, provider_id, wanted.assigned_from, wanted.assigned_before, None if after is None else after[1]
    )
    if span is None:
        return None
    index_filter = Conditions()
    index_filter.add("a.provider_id = %s and a.ledger_seq between %s and %s", provider_id, *span)
    return _keyset("a.ledger_seq desc", index_filter, _kept(wanted, index_filter))


def _of_niche(conn: Connection, wanted: AssignmentFilter, after: Place | None) -> KeysetQuery | None:
    index_filter = Conditions()
    index_filter.add("a.niche_id = (select id from niches where slug = %s)", wanted.niche_slug)
    if after is not None:
        row = conn.execute("select served_seq from assignments where id = %s", (after[1],)).fetchone()
        if row is None:
            return None
        index_filter.add("a.served_seq < %s", row[0])
    return _keyset("a.served_seq desc", index_filter, _kept(wanted, index_filter))


def _of_all(wanted: AssignmentFilter, after: Place | None) -> KeysetQuery:
    index_filter = Conditions()
    if wanted.assigned_from is not None:
        index_filter.add("a.id >= %s", ids_from(wanted.assigned_from))
    if wanted.assigned_before is not None:
        index_filter.add("a.id < %s", ids_from(wanted.assigned_before, timedelta(milliseconds=1)))
    if after is not None:
        index_filter.add("a.id < %s", after[1])
    return _keyset("a.id desc", index_filter, _kept(wanted, index_filter))


def _keyset(order: LiteralString, index_filter: Conditions, row_filter: Conditions) -> KeysetQuery:
    return KeysetQuery("assignments", order, "a.assigned_at, a.id::text", index_filter, row_filter)


def _kept(wanted: AssignmentFilter, index_filter: Conditions) -> Conditions:
    row_filter = Conditions()
    if wanted.status == "active":
        row_filter.add("a.status = 'active'")
    elif wanted.status is not None:
        # It has an index for the provider's, and one for all.
        index_filter.add("a.status = %s and a.status <> 'active'", wanted.status)
    row_filter.add_given("a.niche_id = (select id from niches where slug = %s)", wanted.niche_slug)
    row_filter.add_given("a.competition_level_id = %s", wanted.level_id)
    row_filter.add_given("a.assigned_at >= %s", wanted.assigned_from)
    row_filter.add_given("a.assigned_at < %s", wanted.assigned_before)
    return row_filter
