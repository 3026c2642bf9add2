"""A provider's inbox: the leads that it bought, the newest first, and nothing of the others that bought them.

Every statement is held to the provider's own rows by its `provider_id`. What operators know of a lead (who approved it,
where it came from) and other recipients, levels and prices are not read at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, LiteralString

from fairlead.core.errors import Refused
from fairlead.store.connection import Connection
from fairlead.store.keyset import SCANNED_ROWS, Conditions, KeysetPage, KeysetQuery, items_of
from fairlead.store.lookups import marketplace_currency
from fairlead.store.money.ledger_range import purchases_before
from fairlead.store.portal.inbox_search import SEARCHED_ROWS, add_search, exact_matches
from fairlead.store.typed_rows import named_rows, part_of

Place = tuple[datetime, str]
"""When it was assigned, and its id."""


@dataclass(frozen=True, slots=True)
class InboxFilter:
    """Which assignments are wanted; None: all. `assigned_from` is included, `assigned_before` is not.

    `search` is a part of the contact's name, email or phone, of any answer of the lead, or the beginning of its id.
    """

    niche_slug: str | None = None
    level_id: str | None = None
    status: str | None = None
    is_viewed: bool | None = None
    is_reported: bool | None = None
    assigned_from: datetime | None = None
    assigned_before: datetime | None = None
    search: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class InboxItem:
    """A bought lead in a list. Amounts in cents. `withdrawn_at`: its consumer took the request back. `erased_at`: its
    personal data, or some of it, was erased."""

    assignment_id: str
    lead_id: str
    subscription_id: str
    niche: str
    niche_name: str
    level_id: str
    level_name: str
    contact_name: str | None = field(repr=False)
    contact_email: str | None = field(repr=False)
    contact_phone: str | None = field(repr=False)
    price_cents: int
    price_rule: str | None
    currency: str
    status: str
    assigned_at: datetime
    viewed_at: datetime | None
    answered_at: datetime | None
    reported_at: datetime | None
    report_decision: str | None
    refunded_at: datetime | None
    withdrawn_at: datetime | None
    erased_at: datetime | None


@dataclass(frozen=True, slots=True)
class InboxEvent:
    """What happened to an assignment: `assigned`, `viewed`, `accepted`, `rejected`, `reported`, `report_accepted`,
    `report_rejected`, `refunded`, `withdrawn` by its consumer, or `erased`."""

    at: datetime
    event: str


@dataclass(frozen=True, slots=True)
class InboxAssignment:
    """A bought lead in full. Reasons and note are the provider's own words; it can be reported before the deadline."""

    item: InboxItem
    attributes: Mapping[str, Any] = field(repr=False)
    rejection_reason: str | None = field(repr=False)
    report_reason: str | None
    report_note: str | None = field(repr=False)
    report_evidence: str | None = field(repr=False)
    report_deadline: datetime
    timeline: tuple[InboxEvent, ...]


_COLUMNS: LiteralString = """
    a.id::text as assignment_id, a.lead_id::text, a.subscription_id::text, n.slug as niche, n.name as niche_name,
    a.competition_level_id::text as level_id, c.name as level_name, l.contact_name, l.contact_email, l.contact_phone,
    a.price_cents, a.price_rule, %s as currency, a.status, a.assigned_at, a.viewed_at, a.answered_at,
    a.bad_lead_reported_at as reported_at, a.bad_lead_decision as report_decision, a.refunded_at,
    l.withdrawn_at, coalesce(l.erased_at, l.contact_erased_at, l.answers_erased_at) as erased_at"""

_READ: LiteralString = """
    a.id, a.lead_id, a.provider_id, a.subscription_id, a.niche_id, a.competition_level_id, a.price_cents, a.price_rule,
    a.ledger_seq,
    a.status, a.assigned_at, a.viewed_at, a.answered_at, a.bad_lead_reported_at, a.bad_lead_decision, a.refunded_at"""

_JOINS: LiteralString = """
    join leads l on l.id = a.lead_id join niches n on n.id = a.niche_id
    join competition_levels c on c.id = a.competition_level_id"""


def inbox_page(
    conn: Connection, provider_id: str, wanted: InboxFilter, after: Place | None, limit: int
) -> KeysetPage[InboxItem, Place]:
    """The provider's next assignments, the newest first, after the one that was seen last.

    A whole id is found at any age, and so is an email address or phone number as it was entered. Where the search is
    none of these, or nothing has it, it is looked for as a part of them and of the lead's answers, in any case, in so
    many assignments for one page; the next page goes on with older ones.

    Raises `BadInput` for a search too short or too long.
    """
    span = purchases_before(
        conn, provider_id, wanted.assigned_from, wanted.assigned_before, None if after is None else after[1]
    )
    if span is None:
        return KeysetPage((), None)
    index_filter, row_filter = Conditions(), Conditions()
    index_filter.add("a.provider_id = %s and a.ledger_seq between %s and %s", provider_id, *span)
    _choose(index_filter, row_filter, wanted)
    scanned_rows = SCANNED_ROWS
    if wanted.search is not None:
        matches = exact_matches(conn, provider_id, wanted.search)
        if matches:
            index_filter.add("a.id = any(%s::uuid[])", matches)
        else:
            add_search(row_filter, wanted.search)
            scanned_rows = SEARCHED_ROWS
    place: LiteralString = "a.assigned_at, a.id::text"
    keyset = KeysetQuery("assignments", "a.ledger_seq desc", place, index_filter, row_filter, scanned_rows, _READ)
    return keyset.page(conn, items_of(InboxItem), _COLUMNS, _JOINS, limit, (marketplace_currency(conn),))


def _choose(index_filter: Conditions, row_filter: Conditions, wanted: InboxFilter) -> None:
    """What is rare begins the walk, in an index that holds nothing else; the rest is looked at row by row."""
    rare: list[tuple[LiteralString, tuple[object, ...]]] = []
    if wanted.is_reported is True:
        rare.append(("a.bad_lead_reported_at is not null", ()))
    if wanted.status not in (None, "active"):
        rare.append(("a.status = %s and a.status <> 'active'", (wanted.status,)))
    if wanted.is_viewed is False:
        rare.append(("a.viewed_at is null", ()))
    for number, (text, values) in enumerate(rare):
        (row_filter if number else index_filter).add(text, *values)
    if wanted.is_reported is False:
        row_filter.add("a.bad_lead_reported_at is null")
    if wanted.status == "active":
        row_filter.add("a.status = 'active'")
    if wanted.is_viewed is True:
        row_filter.add("a.viewed_at is not null")
    row_filter.add_given("a.niche_id = (select id from niches where slug = %s)", wanted.niche_slug)
    row_filter.add_given("a.competition_level_id = %s", wanted.level_id)
    row_filter.add_given("a.assigned_at >= %s", wanted.assigned_from)
    row_filter.add_given("a.assigned_at < %s", wanted.assigned_before)


def inbox_assignment(conn: Connection, provider_id: str, assignment_id: str) -> InboxAssignment:
    """The provider's assignment. Raises `Refused`: `assignment_unknown`, also for another provider's."""
    rows = named_rows(
        conn,
        f"""
        select {_COLUMNS}, l.attributes, a.rejection_reason, a.bad_lead_reason as report_reason,
               a.bad_lead_note as report_note, a.bad_lead_evidence as report_evidence,
               a.assigned_at + make_interval(days => n.bad_lead_window_days) as report_deadline, a.bad_lead_decided_at
        from assignments a {_JOINS} where a.id = %s and a.provider_id = %s
        """,  # noqa: S608 - constants of our own
        (marketplace_currency(conn), assignment_id, provider_id),
    )
    if not rows:
        raise Refused("assignment_unknown", f"there is no assignment {assignment_id}")
    [row] = rows
    item = part_of(InboxItem, row)
    timeline = _timeline(item, row["rejection_reason"] is not None, row["bad_lead_decided_at"])
    return part_of(InboxAssignment, row | {"item": item, "timeline": timeline})


def _timeline(item: InboxItem, was_rejected: bool, decided_at: datetime | None) -> tuple[InboxEvent, ...]:
    moments = [
        (item.assigned_at, "assigned"),
        (item.viewed_at, "viewed"),
        (item.answered_at, "rejected" if was_rejected else "accepted"),
        (item.reported_at, "reported"),
        (decided_at, f"report_{item.report_decision}"),
        (item.refunded_at, "refunded"),
        (item.withdrawn_at, "withdrawn"),
        (item.erased_at, "erased"),
    ]
    # Sorting is stable: what happened at the same time stays in this order.
    return tuple(sorted((InboxEvent(at, event) for at, event in moments if at is not None), key=lambda each: each.at))


def unviewed_count(conn: Connection, provider_id: str, at_most: int = 1_000) -> int:
    """How many of the provider's assignments it has not seen yet; counting stops at `at_most`."""
    rows = conn.execute(
        """
        select count(*) from (select from assignments where provider_id = %s and viewed_at is null limit %s) unviewed
        """,
        (provider_id, at_most),
    ).fetchall()
    return rows[0][0]
