"""Leads as operators look at them: which are listed, page by page, one in full, and who received it."""

import pytest

from fairlead.core.errors import Refused
from fairlead.flows.configuration.niches import NicheChange, change_niche
from fairlead.flows.create_lead import EnteredLead, create_lead
from fairlead.flows.distribute_lead import LeadDistribution
from fairlead.flows.distributor import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.listing import LeadFilter, lead_page
from fairlead.store.leads.search import find_leads
from fairlead.store.leads.views import LeadOrigin, assignments_of_lead, lead_in_full, lead_origin
from tests.flows.niches import add_niche
from tests.flows.test_distribute_lead import CLERK, LEAD, leads_of
from tests.race.marketplaces import Provider, Terms, add_leads, add_providers, open_niche, subscribe


def listed(database: Database, wanted: LeadFilter, limit: int = 100) -> list[str]:
    """All leads that the filter lets through, asked for page by page."""
    ids: list[str] = []
    after = None
    while True:
        page = database.read(lambda conn, after=after: lead_page(conn, wanted, after, limit))  # type: ignore[misc]
        ids += [lead.lead_id for lead in page.items]
        assert len(page.items) <= limit
        if (after := page.next_after) is None:
            return ids


def test_pages_hold_every_lead_once_the_newest_first(database: Database) -> None:
    # Taken in together, they have one and the same time: only the id tells them apart.
    leads = leads_of(database, 7) + submit_leads(database, "hosting", [LEAD], CLERK, approve=False)
    for limit in (1, 3, 100):
        assert listed(database, LeadFilter(), limit) == sorted(leads, reverse=True)


def test_filters_let_through_what_they_say_and_nothing_else(database: Database) -> None:
    approved = leads_of(database, 2)
    (pending,) = submit_leads(database, "hosting", [LEAD], CLERK, approve=False)
    with database.snapshot() as conn:
        (moment,) = conn.execute("select created_at from leads where id = %s", (pending,)).fetchall()[0]
    assert listed(database, LeadFilter(status="pending_approval")) == [pending]
    assert listed(database, LeadFilter(niche_slug="hosting", status="approved")) == sorted(approved, reverse=True)
    assert listed(database, LeadFilter(niche_slug="other")) == []
    assert listed(database, LeadFilter(created_from=moment)) == [pending]
    assert listed(database, LeadFilter(created_before=moment)) == sorted(approved, reverse=True)
    assert listed(database, LeadFilter(id_prefix=pending[:30])) == [pending]
    assert listed(database, LeadFilter(id_prefix=pending.replace("-", "").upper())) == [pending]


def test_one_lead_in_full_and_nothing_personal_in_its_text(database: Database) -> None:
    (lead,) = leads_of(database, 1)
    seen = database.read(lambda conn: lead_in_full(conn, lead))
    assert (seen.niche, seen.status, seen.attributes, seen.assignment_count) == ("hosting", "approved", LEAD, 0)
    assert "north" not in repr(seen)
    with pytest.raises(Refused, match="there is no lead"):
        database.read(lambda conn: lead_in_full(conn, "01900000-0000-7000-8000-000000000000"))


def test_a_consumers_leads_are_found_page_by_page_by_the_whole_address_or_number(database: Database) -> None:
    contacts = [
        {"contact_email": "Fred.Bloggs@Bloggsco.example", "contact_phone": "030 5550102"},
        {"contact_email": "fred.bloggs@bloggsco.example", "contact_phone": "+49 (0)30 5550102"},
        {"contact_email": "fred@m\u00fcller.example"},
        {"contact_phone": "+44 20 7946 0018"},
    ]
    niche_id = add_niche(database)
    leads: list[str] = []
    for number, contact in enumerate(contacts):
        if number == 1:
            change_niche(database, niche_id, NicheChange(phone_region="DE"), OPERATOR)
        entered = EnteredLead("moving", {"age": 41}, contact)
        leads.append(create_lead(database, entered, OPERATOR, approve=False).lead_id)

    def found(contact: str, limit: int = 1) -> list[str]:
        ids: list[str] = []
        after = None
        while page := database.read(lambda conn, after=after: find_leads(conn, contact, after, limit)).leads:
            ids += [each.lead_id for each in page]
            after = page[-1].created_at, page[-1].lead_id
        return ids

    for written in (
        "fred.bloggs@bloggsco.example",
        "FRED.Bloggs@BLOGGSCO.example ",
        "fred.bloggs@bloggsco\u3002example",
    ):
        assert found(written) == found(written, 9) == [leads[1], leads[0]]
    assert found("fred@mu\u0308ller.example") == found("Fred@xn--mller-kva.example") == [leads[2]]
    # The first came before the region was known.
    for written in ("030 5550102", "+49 (0)30 / 555-0102", "0049305550102", "p:+49305550102"):
        assert found(written) == [leads[1], leads[0]]
    assert found("+442079460018") == [leads[3]]
    assert found("fred") == found("") == found("%") == found("5550102") == []


def test_where_a_lead_comes_from_is_empty_for_one_of_our_own(database: Database) -> None:
    (lead,) = leads_of(database, 1)
    assert database.read(lambda conn: lead_origin(conn, lead)) == LeadOrigin(lead, None, None)
    with pytest.raises(Refused, match="there is no lead"):
        database.read(lambda conn: lead_origin(conn, "01900000-0000-7000-8000-000000000000"))


def test_who_received_a_lead_page_by_page_in_the_order_of_the_decision(database: Database) -> None:
    (lead,) = leads_of(database, 1)
    LeadDistribution(Distributor(database)).run(lead)
    total, (first,) = database.read(lambda conn: assignments_of_lead(conn, lead, 1, 1))
    _, (second,) = database.read(lambda conn: assignments_of_lead(conn, lead, 2, 1))
    assert total == 2
    assert (first.level_name, first.price_cents, first.currency, first.provider_name) == ("gold", 2000, "EUR", "Anchor")
    assert (second.level_name, second.price_cents, second.status) == ("silver", 500, "active")
    assert database.read(lambda conn: assignments_of_lead(conn, lead, 3, 1)) == (2, [])


def test_assignments_are_shown_also_before_a_currency_was_declared(database: Database) -> None:
    people = [Provider("ana", 5000, (1,))]
    with database.transaction() as conn:
        niche = open_niche(conn, "moving", [Terms(1000, 1, 1)])
        subscribe(conn, niche, people, add_providers(conn, people, "moving"))
        (lead,) = add_leads(conn, niche, [40])
    Distributor(database).distribute_waiting(niche.niche_id)
    total, shown = database.read(lambda conn: assignments_of_lead(conn, lead, 1, 10))
    assert (total, [each.currency for each in shown]) == (1, ["EUR"])
