"""A provider's money in a real browser: paid in, topped up by itself, refused, switched off; and an operator's part."""

import re
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from playwright.sync_api import Page, expect

from fairlead.core.money.payments import GatewayReport, ReportKind
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.flows.payments.saving_methods import ask_about_savings
from fairlead.flows.payments.take_report import take_report
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.browser.site import Site
from tests.browser.watched import Visit, hindrances
from tests.flows.access.people import enrolled_admin, provider_user
from tests.flows.notifications.stage import settings_for, work_off
from tests.flows.payments.paying import GATEWAY, MEMO, SETTINGS, ask_now
from tests.flows.payments.topping_up import charge_now
from tests.flows.sales import balances, query, sell


def test_from_paying_in_over_a_refused_charge_to_an_operators_decision(
    database: Database, site: Site, visit: Visit, tmp_path: Path
) -> None:
    anchor_id = sell(database).anchor_id
    page = visit(provider_user(database, anchor_id).token, phone=True)
    request_id = _ask_to_pay(page, "25.50")
    page.get_by_role("button", name="Pay", exact=True).click()
    expect(page).to_have_url(re.compile("/portal/payments/[0-9a-f-]{36}$"))
    ask_now(database)
    assert (balances(database)["Anchor"], _state(database, request_id)) == (5550, "succeeded")

    _save_a_card(database, page, "Pays")
    expect(page.get_by_text("Test card 4242")).to_be_visible()
    _switch_on(page)
    assert _mail(database, tmp_path) == []
    assert charge_now(database) == 1
    page.reload()
    expect(page.get_by_text("€95.50")).to_be_visible()
    expect(page.get_by_text("of €100.00 at the most")).to_be_visible()
    assert _mail(database, tmp_path) == ["Your balance was topped up: 40.00 EUR"]

    _save_a_card(database, page, "Is declined for good")
    adjust_balance(database, anchor_id, "debit", 5000, MEMO, OPERATOR)
    assert charge_now(database) == 1
    page.reload()
    expect(page.get_by_text("It went off by itself: the card was lost.")).to_be_visible()
    expect(page.get_by_label("Top my balance up by itself")).not_to_be_checked()
    assert hindrances(page) == []
    assert _mail(database, tmp_path) == ["Your balance was not topped up: 40.00 EUR"]

    request_id = _ask_to_pay(page, "30.00")
    take_report(database, GATEWAY, GatewayReport(ReportKind.PAID, request_id, "charge-9", 2000, "EUR"))
    _operator_decides(visit(enrolled_admin(database).token), anchor_id)
    assert (balances(database)["Anchor"], _state(database, request_id)) == (9550 - 5000 + 2000, "failed")
    page.goto("/portal/payments")
    expect(page.get_by_text("another amount came")).to_be_visible()
    expect(page.get_by_text("€20.00")).to_be_visible()


def _ask_to_pay(page: Page, amount: str) -> str:
    """The provider asks for a payment, and goes on to the gateway's page; returns the payment's id."""
    page.goto("/portal/payments")
    page.get_by_label("Amount (EUR)").fill(amount)
    page.get_by_role("button", name="Pay in").click()
    expect(page).to_have_url(re.compile("/portal/payments/[0-9a-f-]{36}$"))
    page.get_by_role("button", name="Go on to pay").click()
    expect(page).to_have_url(re.compile("/portal/test-gateway/"))
    return page.url.rsplit("/", 1)[1]


def _save_a_card(database: Database, page: Page, card: str) -> None:
    """The provider saves this test card, and workers ask the gateway for it."""
    page.goto("/portal/auto-top-up")
    page.get_by_role("button", name=re.compile("^Save a")).click()
    expect(page).to_have_url(re.compile("/portal/test-gateway/method/"))
    assert hindrances(page) == []
    page.get_by_role("button", name=card, exact=True).click()
    expect(page).to_have_url(re.compile("/portal/auto-top-up$"))
    assert ask_about_savings(Maintenance(database, SETTINGS))["methods"] == 1
    page.get_by_role("link", name="Load again").click()


def _switch_on(page: Page) -> None:
    """Below 60.00 there are 40.00 charged, and 100.00 in a month at the most."""
    for label, amount in (("Below (EUR)", "60"), ("Charge (EUR)", "40"), ("At most in a month (EUR)", "100")):
        page.get_by_label(label).fill(amount)
    page.get_by_label("Top my balance up by itself").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("topped up below €60.00")).to_be_visible()
    assert hindrances(page) == []


def _operator_decides(page: Page, provider_id: str) -> None:
    """An operator sees why it went off, sets an alert in days, and credits what came where more was asked for."""
    page.goto(f"/providers/{provider_id}")
    expect(page.locator("#auto-top-up")).to_contain_text("the card was lost")
    who = page.locator("details", has=page.get_by_label("Tell it when the balance lasts for fewer days than"))
    who.locator("summary").click()
    who.get_by_label("Tell it when the balance lasts for fewer days than").fill("7")
    who.get_by_role("button", name="Save").click()
    expect(page.get_by_text("told when it lasts for less than 7 days")).to_be_visible()
    page.goto("/overview")
    page.get_by_role("link", name="Decide").first.click()
    expect(page).to_have_url(re.compile("/money/payments/doubts"))
    row = page.get_by_role("row").filter(has_text="another amount")
    expect(row).to_contain_text("€30.00")
    page.locator("summary", has_text="Decide").click()
    page.get_by_label("Why").fill("the gateway took a fee off")
    assert hindrances(page) == []
    page.get_by_role("button", name="Credit €20.00").click()
    page.locator("#confirm-dialog").get_by_role("button", name=re.compile("^Credit")).click()
    expect(page.get_by_text("No payment is in doubt")).to_be_visible()


def _state(database: Database, request_id: str) -> str:
    [(state,)] = query(database, "select state from payment_requests where id = %s", request_id)
    return state


def _mail(database: Database, directory: Path) -> list[str]:
    """The subjects of the messages about top-ups that went out since the last look."""
    work_off(database, settings_for(mail_transport="directory", mail_directory=str(directory), alert_emails=""))
    subjects: list[str] = []
    for path in sorted(directory.glob("*.eml")):
        subjects.append(str(message_from_bytes(path.read_bytes(), policy=default)["subject"]))
        path.unlink()
    return [each for each in subjects if "topped up" in each]
