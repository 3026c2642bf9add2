"""A provider's morning with one thumb: what came in, opened, answered, found again, reported."""

import re

from playwright.sync_api import expect

from fairlead.store.connection import Database
from tests.browser.site import Site
from tests.browser.watched import Visit, hindrances
from tests.flows.access.people import provider_user, rows, value
from tests.flows.sales import sell


def test_a_provider_works_through_its_inbox_on_a_phone(database: Database, site: Site, visit: Visit) -> None:
    sale = sell(database)
    value(
        database,
        "update leads set contact_name = 'Ada Lovelace', contact_phone = '+44 20 7946 0001', email_key = %s",
        "ada@example.com",
    )
    page = visit(provider_user(database, sale.anchor_id).token, phone=True)
    page.goto("/")
    expect(page).to_have_url(f"{site.address}/portal/inbox")
    assert hindrances(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    page.get_by_role("link", name=re.compile("^Unread")).click()
    page.locator(".inbox-side summary").click()
    with page.expect_request("**/view") as viewed:
        page.get_by_role("link", name="Report as bad").click()
    assert viewed.value.method == "POST"
    expect(page.get_by_label("What is wrong")).to_be_focused()
    assert hindrances(page) == []
    page.wait_for_load_state("networkidle")
    page.goto("/portal/inbox?show=unread")
    expect(page.get_by_text("No lead of yours is in this state.")).to_be_visible()
    page.get_by_label("Search your leads").fill("lovelace")
    page.keyboard.press("Enter")
    page.locator("[data-found-list]").get_by_role("link", name=re.compile("Ada Lovelace")).click()
    page.get_by_role("button", name="Accept").click()
    expect(page.get_by_text("Accepted.", exact=True)).to_be_visible()
    page.locator("#report > summary").click()
    page.get_by_label("What is wrong").select_option("unreachable")
    page.get_by_role("textbox", name="What happened").fill("called five times")
    page.get_by_role("button", name="Report", exact=True).click()
    expect(page.get_by_text("waits for a decision")).to_be_visible()
    assert rows(
        database,
        "select status, bad_lead_reason, bad_lead_note, viewed_at is not null from assignments where provider_id = %s",
        sale.anchor_id,
    ) == [("accepted", "unreachable", "called five times", True)]
