"""An operator helps a provider: looks at its portal as it does, and sets its filter and its credit."""

import re

from playwright.sync_api import expect

from fairlead.store.connection import Database
from tests.browser.site import Site
from tests.browser.watched import Visit, hindrances
from tests.flows.access.people import enrolled_admin, rows, value
from tests.flows.sales import sell


def test_an_operator_sees_what_a_provider_sees_and_leaves(database: Database, site: Site, visit: Visit) -> None:
    sale = sell(database)
    page = visit(enrolled_admin(database).token)
    page.goto(f"/providers/{sale.anchor_id}")
    page.get_by_role("button", name="See as this provider").click()
    expect(page).to_have_url(re.compile("/portal/inbox"))
    banner = page.get_by_role("region", name="Looking as a provider")
    expect(banner).to_contain_text("You see the portal as Anchor sees it.")
    assert hindrances(page) == []
    page.locator(f'a[href="/portal/leads/{sale.anchor}"]').first.click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("button", name="Accept")).to_have_count(0)
    for section in ("Get more leads", "Subscriptions", "Balance", "Deliveries", "Settings"):
        page.get_by_label("Sections").get_by_role("link", name=section).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(section)
        expect(banner).to_be_visible()
    assert rows(database, "select viewed_at from assignments") == [None, None], "looking is not the provider's looking"
    banner.get_by_role("button", name="Leave").click()
    expect(page).to_have_url(re.compile(f"/providers/{sale.anchor_id}"))
    expect(page.get_by_text("You have left the portal.")).to_be_visible()


def test_an_operator_sets_a_filter_by_clicking_and_a_credit_limit(database: Database, site: Site, visit: Visit) -> None:
    sale = sell(database)
    page = visit(enrolled_admin(database).token)
    page.goto(f"/providers/{sale.bowline_id}")
    page.get_by_role("row", name=re.compile("silver")).get_by_role("link", name=re.compile("Region")).click()
    expect(page.locator(".preview")).to_contain_text("1 of the last 1 leads")
    page.get_by_label("south").check()
    expect(page.locator(".preview")).to_contain_text("1 of the last 1 leads")
    page.get_by_label("north").uncheck()
    expect(page.locator(".preview")).to_contain_text("0 of the last 1 leads")
    assert hindrances(page) == []
    page.get_by_role("button", name="Save the filter").click()
    dialog = page.locator("#confirm-dialog")
    dialog.get_by_role("button", name="Save the filter").click()
    expect(page.get_by_text("The filter is changed.")).to_be_visible()
    rules = "select filter_rules -> 'rules' from subscriptions where filter_rules::text like '%%south%%'"
    assert value(database, rules) == [{"field_key": "region", "operator": "in", "value": ["south"]}]

    page.goto(f"/providers/{sale.bowline_id}")
    page.get_by_label("Credit limit in EUR").fill("25")
    page.locator("form", has=page.get_by_label("Credit limit in EUR")).get_by_role("button", name="Save").click()
    expect(dialog).to_contain_text("This is money that is lent")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The credit limit was changed.")).to_be_visible()
    assert value(database, "select credit_limit_cents from providers where id = %s", sale.bowline_id) == 2500
