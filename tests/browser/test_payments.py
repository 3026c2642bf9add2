"""A provider pays in on its telephone, and an operator decides on what came otherwise, in a real browser."""

import re

from playwright.sync_api import expect

from fairlead.core.money.payments import GatewayReport, ReportKind
from fairlead.flows.payments.take_report import take_report
from fairlead.store.connection import Database
from tests.browser.site import Site
from tests.browser.watched import Visit, hindrances
from tests.flows.access.people import enrolled_admin, provider_user, value
from tests.flows.payments.paying import ask_now
from tests.flows.sales import balances, sell


def test_a_provider_pays_in_by_the_test_gateway(database: Database, site: Site, visit: Visit) -> None:
    sale = sell(database)
    before = balances(database)["Anchor"]
    page = visit(provider_user(database, sale.anchor_id).token, phone=True)
    page.goto("/portal/balance")
    page.get_by_role("link", name="Pay in").click()
    expect(page.get_by_text("Payments here are tests: no money is collected.")).to_be_visible()
    assert hindrances(page) == []
    page.get_by_label("Amount (EUR)").fill("25.50")
    page.get_by_role("button", name="Pay in").click()
    expect(page).to_have_url(re.compile("/portal/payments/[0-9a-f-]{36}$"))
    page.get_by_role("button", name="Go on to pay").click()
    expect(page).to_have_url(re.compile("/portal/test-gateway/"))
    assert hindrances(page) == []
    page.get_by_role("button", name="Pay, reported twice").click()
    expect(page).to_have_url(re.compile("/portal/payments/[0-9a-f-]{36}$"))
    assert balances(database)["Anchor"] == before
    ask_now(database)
    page.get_by_role("link", name="Load again").click()
    expect(page.get_by_text("It is on your balance.")).to_be_visible()
    assert hindrances(page) == []
    assert balances(database)["Anchor"] == before + 2550


def test_an_operator_credits_an_unrequested_payment(database: Database, site: Site, visit: Visit) -> None:
    sale = sell(database)
    before = balances(database)["Bowline"]
    take_report(database, "test_gateway", GatewayReport(ReportKind.PAID, None, "charge-1", 900, "EUR"))
    page = visit(enrolled_admin(database).token)
    page.goto("/overview")
    page.get_by_role("link", name="Decide").first.click()
    expect(page).to_have_url(re.compile("/money/payments/doubts"))
    page.locator("summary", has_text="Decide").click()
    page.get_by_label("Provider's id").fill(sale.bowline_id)
    page.get_by_label("Why").fill("they wrote the wrong reference")
    assert hindrances(page) == []
    page.get_by_role("button", name=re.compile("^Credit")).click()
    page.locator("#confirm-dialog").get_by_role("button", name=re.compile("^Credit")).click()
    expect(page.get_by_text("No payment is in doubt")).to_be_visible()
    assert hindrances(page) == []
    assert balances(database)["Bowline"] == before + 900
    assert value(database, "select resolution from payment_doubts") == "credited"
