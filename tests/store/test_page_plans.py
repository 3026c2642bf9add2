"""Every page reads about as many rows as it shows, the first as the last, among tens of thousands.

The rows that each statement reads are counted by the server.
"""

from collections.abc import Callable, Generator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from fairlead.store.audit.pages import audit_page
from fairlead.store.audit.sources import AuditFilter
from fairlead.store.connection import Connection, Database, Timeouts
from fairlead.store.failures.dead_letters import DeadLetterFilter, dead_letter_page
from fairlead.store.keyset import SCANNED_ROWS, KeysetPage
from fairlead.store.leads.listing import COUNTED_LEADS, LeadFilter, lead_count, lead_page
from fairlead.store.leads.outcomes import last_decisions_of, sales_of
from fairlead.store.leads.search import find_leads
from fairlead.store.money.assignment_pages import AssignmentFilter, assignment_page
from fairlead.store.money.ledger_pages import LedgerFilter, ledger_page, own_ledger_page, provider_ledger_page
from fairlead.store.notifications.delivery_pages import DeliveryFilter, delivery_page, endpoint_deliveries
from fairlead.store.portal.inbox import InboxFilter, inbox_page
from fairlead.store.watching.attention import read_attention
from tests.store.many_rows import BEGAN, LEADS, Many, fill
from tests.store.reading import Reading, reading

LIMIT = 20
DEEP = LEADS // 2
View = Callable[[Connection, Any], KeysetPage[Any, Any]]

SMALL_TABLES = {"niches", "competition_levels", "providers", "subscriptions", "marketplace", "dead_letters", "pg_class"}
"""Which may be read from end to end: they hold next to nothing here."""


@pytest.fixture(scope="module")
def many(server_url: str) -> Generator[Many]:
    """One marketplace for all the tests here, which only read it."""
    base = server_url.rsplit("/", 1)[0]
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute("create database many_rows template fairlead_template")
        with Database(f"{base}/many_rows", "fairlead", Timeouts(60_000, 10_000, 60_000)) as database:
            yield fill(database)
        conn.execute("drop database many_rows with (force)")


def lead_at(many: Many, number: int) -> Any:
    with many.database.snapshot() as conn:
        return conn.execute("select created_at, id::text from leads where dedupe_key = %s", (str(number),)).fetchall()[
            0
        ]


def moment(number: int) -> Any:
    return BEGAN + timedelta(seconds=number)


def place_of(many: Many, table: str, number: int, provider: str) -> Any:
    """Time and id of what the provider has of the lead with this number."""
    with many.database.snapshot() as conn:
        return conn.execute(
            f"select %s::timestamptz, id::text from {table} where provider_id = %s and assignment_id = ("
            "select id from assignments where provider_id = %s and ledger_seq = %s)".encode(),
            (moment(number), provider, provider, number),
        ).fetchall()[0]


def assigned(many: Many, number: int) -> Any:
    with many.database.snapshot() as conn:
        return conn.execute(
            "select assigned_at, id::text from assignments where provider_id = %s and ledger_seq = %s",
            (many.anchor, number),
        ).fetchall()[0]


def check(database: Database, view: View, after: Any, *, most: int, full: bool = True) -> Reading:
    page, found = reading(database, lambda conn: view(conn, after))
    assert found.rows_read <= most, found
    assert not found.scanned - SMALL_TABLES, found
    assert found.most_sorted <= 10 * LIMIT, found
    assert (len(page.items) == LIMIT) == full
    return found


@pytest.mark.parametrize("is_bound", [False, True])
@pytest.mark.parametrize(
    "wanted",
    [
        InboxFilter(),
        InboxFilter(niche_slug="hosting", status="active"),
        InboxFilter(assigned_from=moment(DEEP - 2_000), assigned_before=moment(DEEP + 2_000)),
        InboxFilter(search="contact"),
    ],
)
def test_an_inbox_costs_the_same_on_every_page(many: Many, wanted: InboxFilter, is_bound: bool) -> None:
    database = many.database.bound_to(many.anchor) if is_bound else many.database
    # A span of time is read once more, in an index alone.
    most = 40 * LIMIT + (4_000 if wanted.assigned_from else 0)
    for after in (None, assigned(many, DEEP)):
        check(database, lambda conn, after: inbox_page(conn, many.anchor, wanted, after, LIMIT), after, most=most)


@pytest.mark.parametrize("is_bound", [False, True])
@pytest.mark.parametrize(
    ("search", "expected"),
    [("contact-17@example.com", 17), ("CONTACT-17@example.com", 17), ("+34 600 17", 17), ("lead", 18)],
)
def test_what_is_whole_is_found_at_any_age(many: Many, search: str, expected: int, is_bound: bool) -> None:
    database = many.database.bound_to(many.anchor) if is_bound else many.database
    if search == "lead":
        with many.database.snapshot() as conn:
            [(search,)] = conn.execute("select id::text from leads where dedupe_key = '18'").fetchall()
    wanted = InboxFilter(search=search)
    page, found = reading(database, lambda conn: inbox_page(conn, many.anchor, wanted, None, LIMIT))
    assert [item.contact_name for item in page.items] == [f"Contact {expected}"]
    assert page.next_after is None
    assert found.rows_read < 50
    assert not found.scanned - SMALL_TABLES


def test_a_part_of_a_word_is_looked_for_in_so_many_for_one_page(many: Many) -> None:
    wanted = InboxFilter(search="TAG-17")
    page, found = reading(many.database, lambda conn: inbox_page(conn, many.anchor, wanted, None, LIMIT))
    assert [item.contact_name for item in page.items][:1] == ["Contact 17999"] or page.next_after is not None
    names: list[str | None] = []
    after, pages = None, 0
    while True:
        page = many.database.read(
            lambda conn, after=after: inbox_page(conn, many.anchor, wanted, after, 2_000)  # type: ignore[misc]
        )
        names += [item.contact_name for item in page.items]
        pages += 1
        if (after := page.next_after) is None:
            break
    expected = [n for n in range(1, LEADS + 1) if str(n).startswith("17")]
    assert names == [f"Contact {n}" for n in sorted(expected, reverse=True)]
    assert pages >= 5
    assert found.rows_read < 30_000


def test_what_is_rare_is_found_without_looking_at_the_rest(many: Many) -> None:
    wanted = InboxFilter(is_viewed=False)
    page, found = reading(many.database, lambda conn: inbox_page(conn, many.anchor, wanted, None, LIMIT))
    assert (len(page.items), page.next_after) == (10, None)
    assert found.rows_read < 200
    for rare in (InboxFilter(status="refunded"), InboxFilter(is_reported=True)):
        page, found = reading(many.database, lambda conn, rare=rare: inbox_page(conn, many.anchor, rare, None, LIMIT))
        assert (len(page.items), page.next_after) == (0, None)
        assert found.rows_read < 50


def test_what_is_not_there_is_looked_for_in_so_many_and_no_more(many: Many) -> None:
    wanted = InboxFilter(level_id=many.silver)
    page, found = reading(many.database, lambda conn: inbox_page(conn, many.anchor, wanted, None, LIMIT))
    assert page.items == ()
    assert page.next_after == assigned(many, LEADS - SCANNED_ROWS + 1)
    assert SCANNED_ROWS <= found.rows_read < 3 * SCANNED_ROWS


@pytest.mark.parametrize("wanted", [LedgerFilter(), LedgerFilter(kind="lead_purchase")])
def test_a_ledger_costs_the_same_on_every_page(many: Many, wanted: LedgerFilter) -> None:
    for after in (None, DEEP):
        for view in (own_ledger_page, provider_ledger_page):
            check(
                many.database,
                lambda conn, after, view=view: view(conn, many.anchor, wanted, after, LIMIT),
                after,
                most=20 * LIMIT,
            )
    place = (moment(DEEP), many.anchor, DEEP)
    for after in (None, place):
        for each in (wanted, replace(wanted, provider_id=many.anchor)):
            check(
                many.database,
                lambda conn, after, each=each: ledger_page(conn, each, after, LIMIT),
                after,
                most=20 * LIMIT,
            )


def test_deposits_are_found_without_looking_at_purchases(many: Many) -> None:
    wanted = LedgerFilter(kind="deposit")
    for view in (
        lambda conn, _: ledger_page(conn, wanted, None, LIMIT),
        lambda conn, _: own_ledger_page(conn, many.anchor, wanted, None, LIMIT),
    ):
        check(many.database, view, None, most=20, full=False)


@pytest.mark.parametrize("filtered", ["", "niche", "provider", "level", "range", "niche and range"])
def test_assignments_cost_the_same_on_every_page(many: Many, filtered: str) -> None:
    wanted = AssignmentFilter(
        niche_slug="hosting" if "niche" in filtered else None,
        provider_id=many.anchor if filtered == "provider" else None,
        level_id=many.gold if filtered == "level" else None,
        assigned_from=moment(DEEP - 5_000) if "range" in filtered else None,
    )
    for after in (None, assigned(many, DEEP)):
        check(many.database, lambda conn, after: assignment_page(conn, wanted, after, LIMIT), after, most=20 * LIMIT)
    refunded = AssignmentFilter(status="refunded", niche_slug=wanted.niche_slug, provider_id=wanted.provider_id)
    check(many.database, lambda conn, _: assignment_page(conn, refunded, None, LIMIT), None, most=20, full=False)


def audit_place(many: Many, number: int) -> str:
    return f"journal:{many.niche}:{number}:0"


@pytest.mark.parametrize(
    "wanted",
    [
        AuditFilter(),
        AuditFilter(actor="clerk-1"),
        AuditFilter(action_prefix="lead."),
        AuditFilter(action_prefix="assignment.created"),
        AuditFilter(niche_slug="hosting", action_prefix="distribution."),
        AuditFilter(created_before=moment(DEEP)),
    ],
)
def test_audit_events_cost_the_same_on_every_page(many: Many, wanted: AuditFilter) -> None:
    for after in (None, audit_place(many, DEEP), "log:9000"):
        check(many.database, lambda conn, after: audit_page(conn, wanted, after, LIMIT), after, most=100 * LIMIT)


def test_rare_actions_and_one_leads_events_are_found_at_any_age(many: Many) -> None:
    page, found = reading(
        many.database, lambda conn: audit_page(conn, AuditFilter(action_prefix="refund."), None, LIMIT)
    )
    assert ([item.action for item in page.items], page.next_after) == (["refund.issued"] * 3, None)
    assert found.rows_read < 100
    with many.database.snapshot() as conn:
        [(lead,)] = conn.execute("select id::text from leads where dedupe_key = '18'").fetchall()
    about = AuditFilter(entity="lead", entity_id=lead)
    page, found = reading(many.database, lambda conn: audit_page(conn, about, None, LIMIT))
    assert [item.action for item in page.items] == ["lead.approved", "distribution.completed", "distribution.started"]
    assert (page.next_after, found.rows_read < 100) == (None, True)


@pytest.mark.parametrize("filtered", ["", "provider", "failed", "range"])
def test_deliveries_cost_the_same_on_every_page(many: Many, filtered: str) -> None:
    wanted = DeliveryFilter(
        provider_id=many.anchor if filtered == "provider" else None,
        state="failed" if filtered == "failed" else None,
        created_before=moment(DEEP + 10) if filtered == "range" else None,
    )
    # Two clocks may be an hour apart, and so many were made in an hour.
    most = 20 * LIMIT + (2 * 3_600 if filtered == "range" else 0)
    for after in (None, place_of(many, "notifications", DEEP, many.anchor)):
        check(
            many.database,
            lambda conn, after: delivery_page(conn, wanted, after, LIMIT),
            after,
            most=most,
            full=filtered != "failed",
        )


def test_an_endpoints_deliveries_and_dead_letters_cost_the_same_on_every_page(many: Many) -> None:
    for after in (None, place_of(many, "notifications", DEEP, many.anchor)):
        check(
            many.database,
            lambda conn, after: endpoint_deliveries(conn, many.anchor, many.anchor, after, LIMIT),
            after,
            most=20 * LIMIT,
        )
    check(
        many.database,
        lambda conn, after: dead_letter_page(conn, DeadLetterFilter(is_open=True), after, LIMIT),
        None,
        most=1,
        full=False,
    )


EMPTY_HERE = {"webhook_endpoints", "reconciliations", "verifications", "payment_doubts", "payment_requests"}


def test_what_waits_for_an_operator_is_read_without_what_was_done(many: Many) -> None:
    _, found = reading(many.database, read_attention)
    assert found.rows_read <= 20, found
    assert not found.scanned - SMALL_TABLES - EMPTY_HERE, found


@pytest.mark.parametrize("oldest_first", [False, True])
@pytest.mark.parametrize(
    "wanted",
    [
        LeadFilter(),
        LeadFilter(niche_slug="hosting"),
        LeadFilter(niche_slug="hosting", status="distributed"),
        LeadFilter(outcome="sold"),
        LeadFilter(source="usual"),
        LeadFilter(source="usual", niche_slug="hosting", outcome="sold"),
        LeadFilter(created_from=moment(100), created_before=moment(LEADS - 100)),
    ],
)
def test_leads_cost_the_same_on_every_page(many: Many, wanted: LeadFilter, oldest_first: bool) -> None:
    for after in (None, lead_at(many, DEEP)):
        check(
            many.database,
            lambda conn, after: lead_page(conn, wanted, after, LIMIT, oldest_first=oldest_first),
            after,
            most=10 * LIMIT,
        )


def test_rare_sources_and_outcomes_of_leads_are_read_within_a_bound(many: Many) -> None:
    check(many.database, lambda conn, _: lead_page(conn, LeadFilter(source="rare"), None, LIMIT), None, most=10 * LIMIT)
    unsold = LeadFilter(outcome="unsold")
    check(many.database, lambda conn, _: lead_page(conn, unsold, None, LIMIT), None, most=20, full=False)
    partial = LeadFilter(outcome="partial")
    page, found = reading(many.database, lambda conn: lead_page(conn, partial, None, LIMIT))
    assert page.items == ()
    assert page.next_after is not None, "further back there may be some"
    assert found.rows_read < 4 * SCANNED_ROWS
    count, found = reading(many.database, lambda conn: lead_count(conn, LeadFilter()))
    assert (count.count, count.is_more) == (COUNTED_LEADS, True)
    assert found.rows_read < 2 * SCANNED_ROWS + 10


@pytest.mark.parametrize(
    ("text", "most"), [("179", 3_000), ("contact 17999", 2 * SCANNED_ROWS), ("contact", 4 * SCANNED_ROWS)]
)
def test_names_are_found_by_their_words_within_a_bound(many: Many, text: str, most: int) -> None:
    result, found = reading(many.database, lambda conn: find_leads(conn, text, None, LIMIT))
    assert result.leads
    assert result.is_partial == (text == "contact")
    assert found.rows_read < most, found
    assert not found.scanned - SMALL_TABLES, found


def test_what_became_of_a_page_of_leads_is_read_by_their_keys(many: Many) -> None:
    ids = [each.lead_id for each in many.database.read(lambda conn: lead_page(conn, LeadFilter(), None, LIMIT)).items]
    for view in (sales_of, last_decisions_of):
        found_of_each, found = reading(many.database, lambda conn, view=view: view(conn, ids))
        assert len(found_of_each) == LIMIT
        assert not found.scanned - SMALL_TABLES, found
