"""What a provider finds in its inbox: its own, all of it, and of others nothing."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.flows.assignment_actions import accept_assignment, reject_assignment, view_assignment
from fairlead.flows.create_lead import EnteredLead, create_lead
from fairlead.flows.distributor import Distributor
from fairlead.flows.money.bad_leads import accept_bad_lead, reject_bad_lead, report_bad_lead
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.portal.inbox import (
    InboxAssignment,
    InboxFilter,
    InboxItem,
    inbox_assignment,
    inbox_page,
    unviewed_count,
)
from fairlead.store.portal.inbox_search import exact_matches
from tests.flows.sales import MEMO, PORTAL, Sale, query, sell

CONTACT = {
    "contact_name": "Contact 100%",
    "contact_email": "Desk@Example.com",
    "contact_phone": "+34 600 000 001",
    "utm_source": "newsletter",
}


def listed(database: Database, provider_id: str, wanted: InboxFilter | None = None, limit: int = 1) -> list[InboxItem]:
    """The provider's whole inbox, page by page, as its own requests see it."""
    items: list[InboxItem] = []
    after = None
    while True:
        page = database.bound_to(provider_id).read(
            lambda conn, after=after: inbox_page(conn, provider_id, wanted or InboxFilter(), after, limit)
        )
        items += page.items
        if (after := page.next_after) is None:
            return items


def in_full(database: Database, provider_id: str, assignment_id: str) -> InboxAssignment:
    return database.bound_to(provider_id).read(lambda conn: inbox_assignment(conn, provider_id, assignment_id))


def sell_more(database: Database, count: int = 2) -> Sale:
    """Beside the sale, leads that Anchor alone can pay for, at silver."""
    sale = sell(database)
    for _ in range(count):
        create_lead(database, EnteredLead("hosting", {"cores": 2, "region": "south"}, CONTACT), OPERATOR, approve=True)
    [(niche_id,)] = query(database, "select id::text from niches")
    Distributor(database).distribute_waiting(niche_id)
    return sale


def test_each_finds_its_own_the_newest_first_and_nothing_of_others(database: Database) -> None:
    sale = sell_more(database)
    by_provider = {
        provider: [
            row[0]
            for row in query(
                database, "select id::text from assignments where provider_id = %s order by served_seq desc", provider
            )
        ]
        for provider in (sale.anchor_id, sale.bowline_id)
    }
    assert [len(ids) for ids in by_provider.values()] == [3, 1]
    for provider, ids in by_provider.items():
        for limit in (1, 2, 50):
            assert [item.assignment_id for item in listed(database, provider, limit=limit)] == ids
        # The first guard alone: the owner's connection, whom no policy binds.
        page = database.read(lambda conn, provider=provider: inbox_page(conn, provider, InboxFilter(), None, 50))
        assert [item.assignment_id for item in page.items] == ids
    seen = str([asdict(item) for item in listed(database, sale.bowline_id)])
    assert sale.anchor not in seen
    assert "gold" not in seen
    assert "2000" not in seen
    for own, others in ((sale.anchor_id, sale.bowline), (sale.bowline_id, sale.anchor)):
        for connection in (database, database.bound_to(own)):
            with pytest.raises(Refused, match="there is no assignment"):
                connection.read(lambda conn, own=own, others=others: inbox_assignment(conn, own, others))


def test_another_ones_place_is_no_place_to_go_on_after(database: Database) -> None:
    sale = sell_more(database)
    [(at,)] = query(database, "select assigned_at from assignments where id = %s", sale.anchor)
    page = database.read(lambda conn: inbox_page(conn, sale.bowline_id, InboxFilter(), (at, sale.anchor), 50))
    assert (page.items, page.next_after) == ((), None)


def test_one_in_full_shows_the_contact_and_what_happened(database: Database) -> None:
    sale = sell_more(database)
    newest = listed(database, sale.anchor_id)[0].assignment_id
    view_assignment(database, sale.anchor_id, newest)
    reject_assignment(database, sale.anchor_id, newest, "out of our area", PORTAL)
    report_bad_lead(database, sale.anchor_id, newest, "spam", "an answering machine", PORTAL, evidence="a tape")
    accept_bad_lead(database, newest, MEMO, OPERATOR)
    seen = in_full(database, sale.anchor_id, newest)
    assert (seen.item.contact_email, seen.attributes) == ("Desk@example.com", {"cores": 2, "region": "south"})
    assert seen.report_evidence == "a tape"
    assert (seen.rejection_reason, seen.report_reason, seen.report_note) == (
        "out of our area",
        "spam",
        "an answering machine",
    )
    assert [each.event for each in seen.timeline] == [
        "assigned",
        "viewed",
        "rejected",
        "reported",
        "report_accepted",
        "refunded",
    ]
    assert seen.report_deadline == seen.item.assigned_at + timedelta(days=14)
    assert (seen.item.status, seen.item.report_decision, seen.item.currency) == ("refunded", "accepted", "EUR")
    # Nothing that operators wrote or know, and nothing personal where it is only printed.
    assert MEMO not in str(asdict(seen))
    assert "newsletter" not in str(asdict(seen))
    assert "Desk" not in repr(seen)


def test_an_answer_is_still_told_after_a_refund(database: Database) -> None:
    sale = sell(database)
    accept_assignment(database, sale.anchor_id, sale.anchor, PORTAL)
    report_bad_lead(database, sale.anchor_id, sale.anchor, "other", None, PORTAL)
    reject_bad_lead(database, sale.anchor, MEMO, OPERATOR)
    refund_assignment(database, sale.anchor, MEMO, OPERATOR)
    events = [each.event for each in in_full(database, sale.anchor_id, sale.anchor).timeline]
    assert events == ["assigned", "viewed", "accepted", "reported", "report_rejected", "refunded"]


def test_filters_let_through_what_they_say_and_nothing_else(database: Database) -> None:
    sale = sell_more(database)
    newest, middle, oldest = listed(database, sale.anchor_id)
    assert oldest.assignment_id == sale.anchor
    view_assignment(database, sale.anchor_id, newest.assignment_id)
    accept_assignment(database, sale.anchor_id, middle.assignment_id, PORTAL)
    report_bad_lead(database, sale.anchor_id, oldest.assignment_id, "spam", None, PORTAL)

    def found(**wanted: Any) -> list[str]:
        names = {newest.assignment_id: "newest", middle.assignment_id: "middle", oldest.assignment_id: "oldest"}
        return [names[item.assignment_id] for item in listed(database, sale.anchor_id, InboxFilter(**wanted))]

    assert found(status="accepted") == ["middle"]
    assert found(status="active") == ["newest", "oldest"]
    assert found(is_viewed=False) == ["oldest"]
    assert found(is_viewed=True) == ["newest", "middle"]
    assert found(is_reported=True) == ["oldest"]
    assert found(is_reported=False) == ["newest", "middle"]
    assert found(is_reported=True, is_viewed=False, status="active") == ["oldest"]
    assert found(is_reported=True, status="accepted") == []
    assert found(status="refunded") == []
    assert found(niche_slug="hosting") == ["newest", "middle", "oldest"]
    assert found(niche_slug="other") == []
    assert found(level_id=oldest.level_id) == ["oldest"]
    assert found(assigned_before=middle.assigned_at) == ["oldest"]
    assert found(assigned_from=middle.assigned_at) == ["newest", "middle"]
    assert found(assigned_from=oldest.assigned_at, assigned_before=oldest.assigned_at) == []
    assert database.read(lambda conn: unviewed_count(conn, sale.anchor_id)) == 1
    assert database.read(lambda conn: unviewed_count(conn, sale.bowline_id)) == 1


@pytest.mark.parametrize(
    "search",
    [
        "0%",
        "desk@example.com",
        "Desk@Example.com",
        "example",
        "DESK",
        "+34 600 000 001",
        "0034 600-000-001",
        "600 0",
        "outh",
    ],
)
def test_a_search_finds_leads_by_contact_and_answers(database: Database, search: str) -> None:
    sale = sell_more(database, 1)
    (bought, _) = listed(database, sale.anchor_id)
    for connection in (database, database.bound_to(sale.anchor_id)):
        page = connection.read(
            lambda conn: inbox_page(conn, sale.anchor_id, InboxFilter(search=f" {search} "), None, 50)
        )
        assert [item.assignment_id for item in page.items] == [bought.assignment_id]
    assert listed(database, sale.bowline_id, InboxFilter(search=search)) == []


def test_a_search_by_id_finds_ones_own(database: Database) -> None:
    sale = sell(database)
    for search in (sale.lead_id, sale.lead_id.upper(), sale.lead_id[:20], sale.anchor):
        found = listed(database, sale.anchor_id, InboxFilter(search=search))
        assert [item.assignment_id for item in found] == [sale.anchor]
    assert listed(database, sale.bowline_id, InboxFilter(search=sale.anchor)) == []
    assert database.read(lambda conn: exact_matches(conn, sale.bowline_id, sale.anchor)) == []
    assert listed(database, sale.bowline_id, InboxFilter(search=sale.lead_id))[0].assignment_id == sale.bowline


@pytest.mark.parametrize("search", ["_______", "1__", "region", "", "\\", 'cores":'])
def test_signs_and_names_of_fields_mean_nothing_in_a_search(database: Database, search: str) -> None:
    sale = sell_more(database, 1)
    if len(search) < 2:
        with pytest.raises(BadInput, match="search: must have 2 to 200"):
            listed(database, sale.anchor_id, InboxFilter(search=search))
    else:
        assert listed(database, sale.anchor_id, InboxFilter(search=search)) == []


def test_leads_without_contact_are_listed_too(database: Database) -> None:
    sale = sell(database)
    submit_leads(database, "hosting", [{"cores": 2, "region": "south"}], OPERATOR, approve=True)
    (item,) = listed(database, sale.anchor_id)
    assert (item.contact_name, item.contact_email, item.contact_phone) == (None, None, None)
