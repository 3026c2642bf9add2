"""Two operators at once, each in a window: the second sees what the first did, and loses nothing that was typed."""

from playwright.sync_api import Page, expect

from fairlead.flows.money.bad_leads import report_bad_lead
from fairlead.store.connection import Database
from tests.browser.site import Site
from tests.browser.watched import Visit, hindrances
from tests.flows.access.people import enrolled_admin, rows, value
from tests.flows.sales import PORTAL, sell


def confirm(page: Page, button: str) -> None:
    """What is asked is meant."""
    page.locator("#confirm-dialog").get_by_role("button", name=button, exact=True).click()


def test_the_second_sees_what_the_first_changed_and_keeps_what_was_typed(
    database: Database, site: Site, visit: Visit
) -> None:
    sell(database)
    niche_id = value(database, "select id::text from niches")
    first, second = visit(enrolled_admin(database).token), visit(enrolled_admin(database, "bob@example.com").token)
    for page in (first, second):
        page.goto(f"/niches/{niche_id}")
        page.get_by_text("Name and distribution").click()
    form = first.locator("form", has=first.get_by_label("Country of telephone numbers"))
    form.get_by_label("Name", exact=True).fill("Web hosting")
    form.get_by_label("Country of telephone numbers").fill("DE")
    form.get_by_role("button", name="Save").click()
    confirm(first, "Save")
    expect(first.get_by_role("heading", level=1)).to_have_text("Web hosting")

    form = second.locator("form", has=second.get_by_label("Country of telephone numbers"))
    name, region = form.get_by_label("Name", exact=True), form.get_by_label("Country of telephone numbers")
    name.fill("Hosting of sites")
    form.get_by_role("button", name="Save").click()
    confirm(second, "Save")
    expect(form.locator(".form-error")).to_contain_text("Another user changed this")
    expect(form.get_by_text("Meanwhile changed to: Web hosting")).to_be_visible()
    expect(name).to_have_value("Hosting of sites")
    expect(region).to_have_value("DE")
    assert hindrances(second) == []
    assert rows(database, "select name from niches") == ["Web hosting"]
    form.get_by_role("button", name="Save").click()
    confirm(second, "Save")
    expect(second.get_by_role("heading", level=1)).to_have_text("Hosting of sites")
    assert rows(database, "select phone_region from niches") == ["DE"], "the first's change that did not differ stays"


def test_a_report_is_decided_by_the_first_alone(database: Database, site: Site, visit: Visit) -> None:
    sale = sell(database)
    report_bad_lead(database, sale.anchor_id, sale.anchor, "unreachable", "rang for days", PORTAL)
    first, second = visit(enrolled_admin(database).token), visit(enrolled_admin(database, "bob@example.com").token)
    for page in (first, second):
        page.goto("/money/reports")
        page.get_by_text("Decide", exact=True).click()
        page.locator(".row-form").get_by_label("Why").fill("the number is not in use")
    first.get_by_role("button", name="Reject", exact=True).click()
    confirm(first, "Reject")
    expect(first.get_by_text("No report waits")).to_be_visible()

    second.get_by_role("button", name="Accept, refund €20.00").click()
    confirm(second, "Accept, refund €20.00")
    expect(second.locator(".row-form .form-error")).to_contain_text("was rejected already")
    expect(second.locator(".row-form").get_by_label("Why")).to_have_value("the number is not in use")
    assert rows(database, "select count(*) from ledger_entries where kind = 'refund'") == [0]


def test_levels_are_moved_by_drag_and_by_keys_and_a_price_says_what_it_does(
    database: Database, site: Site, visit: Visit
) -> None:
    sell(database)
    niche_id = value(database, "select id::text from niches")
    page = visit(enrolled_admin(database).token)
    page.goto(f"/niches/{niche_id}")
    levels = page.locator("[data-level]")

    def order() -> list[str]:
        return [each.get_attribute("data-level") or "" for each in levels.all()]

    assert order() == ["gold", "silver"]
    levels.nth(0).drag_to(levels.nth(1), target_position={"x": 60, "y": 30})
    assert order() == ["silver", "gold"]
    page.get_by_role("button", name="Move gold up").focus()
    page.keyboard.press("Alt+ArrowUp")
    assert order() == ["gold", "silver"]
    expect(page.get_by_text("gold is number 1 of 2 now.")).to_be_visible()
    expect(page.get_by_role("button", name="Move gold up")).to_be_focused()
    page.get_by_role("button", name="Move gold down").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Save the order").click()
    confirm(page, "Save the order")
    expect(page.get_by_text("The order was changed.")).to_be_visible()
    stored = "select name from competition_levels order by order_position"
    assert rows(database, stored) == ["silver", "gold"]

    page.get_by_text("Change silver").click()
    form = page.locator("form[data-preview]", has=page.locator('input[value="silver"]'))
    form.get_by_label("Price in EUR").fill("35")
    expect(form.locator("[data-outcome]")).to_contain_text("One of 1 active subscriptions stops at once")
    assert hindrances(page) == []
    form.get_by_role("button", name="Save").click()
    expect(page.locator("#confirm-dialog")).to_contain_text("One of 1 active subscriptions stops at once")
    confirm(page, "Save")
    expect(page.get_by_text("The level was changed.")).to_be_visible()
    assert rows(database, "select price_cents from competition_levels where name = 'silver'") == [3500]


def test_a_duplicate_rule_is_made_by_clicking(database: Database, site: Site, visit: Visit) -> None:
    sell(database)
    niche_id = value(database, "select id::text from niches")
    page = visit(enrolled_admin(database).token)
    page.goto(f"/niches/{niche_id}")
    page.get_by_text("Which leads are the same").click()
    page.get_by_label("A lead that came before is").select_option("refuse")
    groups = page.locator("[data-groups] > li")
    expect(groups).to_have_count(2)
    groups.nth(1).get_by_label("Region").check()
    page.get_by_role("button", name="Add a group").click()
    expect(groups.nth(2).locator("input").first).to_be_focused()
    groups.nth(2).get_by_role("button", name="Remove").click()
    page.get_by_label("Among the leads of so many days").fill("30")
    assert hindrances(page) == []
    page.locator("form", has=page.locator("[data-groups]")).get_by_role("button", name="Save").click()
    expect(page.get_by_text("of the niche of the last 30 days is refused.")).to_be_visible()
    assert value(database, "select duplicate_rule from niches")["any_of"] == [
        ["contact_email"],
        ["attributes.region", "contact_phone"],
    ]
