"""An operator changes the market in a real browser: sees what a change does before it is made, and then makes it."""

from playwright.sync_api import Page, expect

from fairlead.store.connection import Database
from tests.browser.site import Site
from tests.browser.watched import Visit, hindrances
from tests.flows.access.people import enrolled_admin, value
from tests.flows.sales import sell


def row(page: Page, number: int) -> list[str]:
    """Label, key and type of the form's so many-th row."""
    found = page.locator(".field-row").nth(number - 1)
    typed = [found.get_by_label(name, exact=True).input_value() for name in ("Label", "Key")]
    return [*typed, found.get_by_role("combobox").input_value()]


def test_a_form_is_changed_by_rows_and_tried_before_it_is_saved(database: Database, site: Site, visit: Visit) -> None:
    sell(database)
    niche_id = value(database, "select id::text from niches where slug = 'hosting'")
    page = visit(enrolled_admin(database).token)
    page.goto(f"/niches/{niche_id}/form")
    rows = page.locator(".field-row")
    outcome, save = page.locator("[data-outcome]"), page.get_by_role("button", name="Save as a new version")
    expect(rows).to_have_count(2)
    assert hindrances(page) == []

    rows.nth(0).get_by_label("Label").fill("Number of cores")
    page.get_by_role("button", name="Add a field").click()
    page.keyboard.type("Größe & Budget")
    page.keyboard.press("Tab")
    assert row(page, 3) == ["Größe & Budget", "grosse_budget", "text"]
    rows.nth(2).get_by_label("Key", exact=True).fill("cores")
    rows.nth(2).get_by_role("combobox").select_option("radio")
    page.get_by_role("button", name="See what the change does").click()
    expect(rows.nth(2).locator('[data-part-error="key"]')).to_be_hidden()
    expect(rows.nth(2).locator('[data-part-error="options"]')).to_be_visible()
    rows.nth(2).get_by_label("Options").fill("small\n\nlarge")
    page.get_by_role("button", name="See what the change does").click()
    expect(rows.nth(2).locator('[data-part-error="key"]')).to_be_visible()
    expect(rows.nth(2).get_by_label("Key", exact=True)).to_be_focused()
    expect(save).to_be_hidden()
    rows.nth(2).get_by_label("Key", exact=True).fill("size")

    up = rows.nth(2).get_by_role("button", name="Move up")
    up.focus()
    page.keyboard.press("Enter")
    expect(rows.nth(1).get_by_role("button", name="Move up")).to_be_focused()
    page.keyboard.press("Alt+ArrowUp")
    assert [row(page, number)[1] for number in (1, 2, 3)] == ["size", "cores", "region"]

    page.get_by_role("button", name="Remove the field").nth(1).click()
    page.get_by_role("button", name="See what the change does").click()
    expect(outcome).to_contain_text("Subscriptions whose filter fits no more: 1.")
    expect(page.locator("[data-unfit]")).to_contain_text("Anchor · gold the form has no field 'cores'")
    assert hindrances(page) == []
    page.get_by_role("button", name="Add a field").click()
    expect(save).to_be_hidden()
    page.keyboard.type("Cores of the machine")
    rows.nth(2).get_by_label("Key", exact=True).fill("cores")
    rows.nth(2).get_by_role("combobox").select_option("number")
    page.get_by_role("button", name="See what the change does").click()
    expect(outcome).to_contain_text("Every filter that fits the form goes on fitting it.")
    page.get_by_label("Why").fill("sizes are asked for")
    save.click()
    expect(page.get_by_text("sizes are asked for")).to_be_visible()
    expect(page.get_by_text("The form is saved, as a new version.")).to_be_visible()
    expect(page.locator(".heading")).to_contain_text("version 2")
    assert [row(page, number) for number in (1, 2, 3)] == [
        ["Größe & Budget", "size", "radio"],
        ["Region", "region", "select"],
        ["Cores of the machine", "cores", "number"],
    ]
    stored = value(database, "select form_schema from niches where id = %s", niche_id)
    assert stored["fields"][0]["options"] == ["small", "large"]
    page.get_by_role("button", name="See what the change does").click()
    expect(outcome).to_contain_text("there is nothing to save")
