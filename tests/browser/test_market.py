"""An operator changes the market in a real browser: sees what a change does before it is made, and then makes it."""

import re

from playwright.sync_api import Page, Request, expect

from fairlead.flows.distributor import Distributor
from fairlead.flows.money.bad_leads import reject_bad_lead, report_bad_lead
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.browser.site import Site
from tests.browser.watched import Visit, hindrances
from tests.flows.access.people import code, enrolled_admin, rows, value
from tests.flows.sales import MEMO, PORTAL, balances, sell


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


def report_all(database: Database) -> list[str]:
    """Anchor reports both leads that it bought as bad, and Bowline its own; the assignments, the oldest first."""
    sell(database)
    submit_leads(database, "hosting", [{"cores": 8, "region": "south"}], OPERATOR, approve=True)
    Distributor(database).distribute_waiting(value(database, "select id::text from niches"))
    bought = rows(database, "select array[id::text, provider_id::text] from assignments order by id")
    for assignment_id, provider_id in bought:
        report_bad_lead(database, provider_id, assignment_id, "unreachable", None, PORTAL)
    return [assignment_id for assignment_id, _ in bought]


def test_many_reports_are_decided_at_once_and_what_could_not_be_is_said(
    database: Database, site: Site, visit: Visit
) -> None:
    assignments = report_all(database)
    before = sum(balances(database).values())
    ann = enrolled_admin(database)
    page = visit(ann.token)
    page.goto("/money/reports")
    boxes = page.locator("[data-report]")
    expect(boxes).to_have_count(len(assignments))
    page.get_by_label("Select all reports").check()
    cents = value(database, "select sum(price_cents)::int from assignments")
    expect(page.locator("p[data-preview]")).to_have_text(
        f"{len(assignments)} selected. Accepting them refunds 2 providers €{cents / 100:.2f} in all."
    )
    assert hindrances(page) == []
    accept = page.get_by_role("button", name="Accept all selected")
    confirm = page.locator("#confirm-dialog")

    page.get_by_label("Why", exact=True).first.fill("short")
    accept.click()
    expect(confirm).to_contain_text(f"Refunds 2 providers €{cents / 100:.2f} in all")
    confirm.get_by_role("button", name="Accept all selected").click()
    expect(page.locator("form.decide-reports [data-error-of=memo]")).to_be_visible()
    assert sum(balances(database).values()) == before

    # Meanwhile another operator decides one of them, and the proof of the login is no longer fresh.
    reject_bad_lead(database, assignments[0], MEMO, OPERATOR)
    value(database, "update sessions set stepped_up_at = stepped_up_at - interval '1 hour'")
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if request.url.endswith("/accept") else None)
    page.get_by_label("Why", exact=True).first.fill("the numbers are not in use")
    accept.click()
    confirm.get_by_role("button", name="Accept all selected").click()
    page.locator("#step-up-proof").fill(code(database, str(ann.seed), 1))
    page.locator("#step-up-dialog").get_by_role("button", name="Confirm").click()
    expect(page.locator("[data-summary]")).to_have_text(f"{len(assignments) - 1} of {len(assignments)} decided.")
    expect(page.locator("[data-failed] li")).to_have_text(
        re.compile("(Anchor|Bowline): Hosting, .*was rejected already")
    )
    expect(boxes).to_have_count(1)
    assert hindrances(page) == []
    keys = [request.headers["idempotency-key"] for request in sent]
    assert len(set(keys)) == len(assignments)
    assert len(keys) == len(assignments) + 1, "asked for a fresh proof once"
    rejected = value(database, "select price_cents from assignments where id = %s", assignments[0])
    assert sum(balances(database).values()) == before + cents - rejected
    page.get_by_role("link", name="Show what waits now").click()
    expect(page.get_by_text("No report waits")).to_be_visible()
