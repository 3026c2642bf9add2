"""A provider's day in a real browser: from the invitation in its mail to a refund in its ledger, with one thumb."""

import re

from playwright.sync_api import Page, expect

from fairlead.core.permissions import Role
from fairlead.flows.access.invitations import invite_user
from fairlead.flows.distributor import Distributor
from fairlead.flows.money.bad_leads import accept_bad_lead
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.browser.site import Site
from tests.browser.watched import Visit, hindrances
from tests.flows.access.people import PASSWORD, add_provider, rows, token_for, value
from tests.flows.payments.paying import ask_now
from tests.flows.sales import MEMO, balances, sell

EMAIL = "desk@capstan.example"
ADA = {"contact_name": "Ada Lovelace", "contact_email": "ada@example.com", "contact_phone": "+44 20 7946 0001"}
GRACE = {"contact_name": "Grace Hopper", "contact_email": "grace@example.com"}


def test_from_the_invitation_to_a_refund(database: Database, site: Site, visit: Visit) -> None:
    sell(database)
    provider_id = add_provider(database, "Capstan")
    user_id = invite_user(database, EMAIL, "Cap Desk", Role.PROVIDER, OPERATOR, provider_id=provider_id).user_id
    page = visit(phone=True)
    _accept_the_invitation(page, token_for(database, user_id, "invite"))
    _pay_in(database, page)
    _subscribe_to_the_south(page)
    _receive(database)
    _accept_the_first(page)
    _report_the_second(page)
    [reported] = rows(database, "select id::text from assignments where bad_lead_reported_at is not null")
    accept_bad_lead(database, reported, MEMO, OPERATOR)
    _see_the_refund(page)
    # What it sees is what the ledger says: 60.00 paid in, two leads of 5.00, one of them given back.
    assert balances(database)["Capstan"] == 5500
    assert rows(
        database, "select kind, amount_cents from ledger_entries where provider_id = %s order by seq", provider_id
    ) == [("deposit", 6000), ("lead_purchase", -500), ("lead_purchase", -500), ("refund", 500)]


def _accept_the_invitation(page: Page, token: str) -> None:
    page.goto(f"/accept-invite#{token}")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    page.get_by_label("Email address").fill(EMAIL)
    page.get_by_role("textbox", name="Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(re.compile("/portal/inbox$"))
    expect(page.get_by_text("No leads yet")).to_be_visible()
    assert hindrances(page) == []


def _pay_in(database: Database, page: Page) -> None:
    page.goto("/portal/balance")
    page.get_by_role("link", name="Pay in").click()
    page.get_by_label("Amount (EUR)").fill("60")
    page.get_by_role("button", name="Pay in").click()
    page.get_by_role("button", name="Go on to pay").click()
    expect(page).to_have_url(re.compile("/portal/test-gateway/"))
    page.get_by_role("button", name="Pay", exact=True).click()
    expect(page).to_have_url(re.compile("/portal/payments/[0-9a-f-]{36}$"))
    ask_now(database)
    page.get_by_role("link", name="Load again").click()
    expect(page.get_by_text("It is on your balance.")).to_be_visible()


def _subscribe_to_the_south(page: Page) -> None:
    """To the cheaper level, for leads of one region."""
    page.goto("/portal/subscriptions")
    page.get_by_role("row", name=re.compile("silver")).get_by_role("link", name="Look and subscribe").click()
    page.get_by_role("button", name="Add a rule").click()
    page.get_by_label("Question").select_option("region")
    page.get_by_label("Comparison").select_option("in")
    page.get_by_label("south").check()
    expect(page.locator(".preview")).to_contain_text("Region is south")
    page.get_by_role("button", name="Subscribe").click()
    expect(page).to_have_url(re.compile("/portal/subscriptions/"))


def _receive(database: Database) -> None:
    """Two leads of the south are for it, one of the north is not."""
    for answers, details in (
        ({"cores": 2, "region": "south"}, ADA),
        ({"cores": 2, "region": "north"}, {"contact_name": "Emmy Noether"}),
        ({"cores": 2, "region": "south"}, GRACE),
    ):
        submit_leads(database, "hosting", [answers], OPERATOR, approve=True, details=[details])
    Distributor(database).distribute_waiting(value(database, "select id::text from niches"))


def _accept_the_first(page: Page) -> None:
    page.goto("/portal/inbox")
    unread = page.locator(".inbox-item.is-unread")
    expect(unread).to_have_count(2)
    expect(page.get_by_text("Emmy Noether")).to_have_count(0)
    with page.expect_response(re.compile("/view$")) as viewed:
        page.get_by_role("link", name=re.compile("^unread: Ada Lovelace")).click()
    assert viewed.value.ok
    expect(page.get_by_role("link", name="Call")).to_have_attribute("href", "tel:+442079460001")
    page.get_by_role("button", name="Accept").click()
    expect(page.locator(".lead-line .label")).to_have_text("accepted")


def _report_the_second(page: Page) -> None:
    page.goto("/portal/inbox")
    expect(page.locator(".inbox-item.is-unread")).to_have_count(1)
    page.get_by_role("link", name=re.compile("^unread: Grace Hopper")).click()
    page.locator("#report > summary").click()
    page.get_by_label("What is wrong").select_option("unreachable")
    page.get_by_role("textbox", name="What happened").fill("called five times")
    page.get_by_role("button", name="Report", exact=True).click()
    expect(page.get_by_text("waits for a decision")).to_be_visible()


def _see_the_refund(page: Page) -> None:
    page.reload()
    expect(page.locator(".lead-line .label")).to_have_text("refunded")
    expect(page.locator("#report .label")).to_have_text("accepted")
    page.goto("/portal/balance")
    expect(page.get_by_text("Available").locator("xpath=..")).to_contain_text("€55.00")
    ledger = page.locator("tbody tr")
    for number, amount in enumerate(("+€5.00", "\N{MINUS SIGN}€5.00", "\N{MINUS SIGN}€5.00", "+€60.00")):
        expect(ledger.nth(number)).to_contain_text(amount)
    for number, balance in enumerate(("€55.00", "€50.00", "€55.00", "€60.00")):
        expect(ledger.nth(number).locator("td").last).to_contain_text(balance)
    assert hindrances(page) == []
