"""An operator's round: what needs them, a lead that was given up is closed, a chart as a table; nothing hinders."""

import re

import pytest
from playwright.sync_api import expect

from fairlead.flows.distributor import Distributor
from fairlead.flows.maintenance.count_entitlement import count_decisions
from fairlead.flows.proving.verifications import verify_requested
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.browser.site import Site
from tests.browser.watched import Visit, hindrances
from tests.flows.access.people import enrolled_admin, value
from tests.flows.given_up import give_up_lead
from tests.flows.maintenance.workers import maintenance_of
from tests.flows.sales import sell

pytestmark = pytest.mark.slow

PATIENT_MILLISECONDS = 60_000

PAGES = (
    "/overview",
    "/fairness",
    "/analytics?niche=hosting",
    "/operations",
    "/operations/deliveries",
    "/operations/endpoints",
    "/operations/audit",
    "/settings",
    "/settings/people",
    "/settings/keys",
)


def test_an_operator_closes_what_was_given_up_and_reads_the_figures(
    database: Database, site: Site, visit: Visit
) -> None:
    sell(database)
    give_up_lead(database)
    page = visit(enrolled_admin(database).token)
    page.goto("/overview")
    expect(page.get_by_text("1 lead given up", exact=True)).to_be_visible()
    page.get_by_text("As table").click()
    expect(page.get_by_role("row", name=re.compile("1 1$")).first).to_be_visible()
    page.get_by_role("link", name=re.compile("Look ?: 1 lead given up")).click()
    page.locator("table a").first.click()
    page.get_by_label("Why it needs no further try").fill("the form had a mistake")
    page.get_by_role("button", name="Close without trying again").click()
    expect(page.get_by_text("Nothing: it is closed.")).to_be_visible()
    page.goto("/overview")
    expect(page.get_by_text("1 lead given up", exact=True)).to_have_count(0)


def test_the_past_is_verified_at_the_press_of_a_button(database: Database, site: Site, visit: Visit) -> None:
    sell(database)
    count_decisions(database)
    page = visit(enrolled_admin(database).token)
    page.goto("/fairness")
    expect(page.get_by_text("not verified yet")).to_be_visible()
    page.get_by_role("button", name="Verify", exact=True).click()
    expect(page.get_by_text("Waits for a worker")).to_be_visible()
    expect(page.get_by_role("button", name="Verify", exact=True)).to_be_hidden()
    page.locator("#search").fill("half a na")
    verify_requested(maintenance_of(database))
    expect(page.get_by_text("1 decision taken again, byte for byte")).to_be_visible(timeout=PATIENT_MILLISECONDS)
    expect(page.get_by_role("button", name="Verify", exact=True)).to_be_visible()
    expect(page.locator("#search")).to_have_value("half a na")
    expect(page.locator("#search")).to_be_focused()
    page.get_by_role("link", name="All proofs").click()
    proven = page.get_by_role("row", name=re.compile("all niches.*holds"))
    expect(proven).to_have_count(1)
    # What took the place of the part that was shown works as that did.
    for count in (2, 3):
        page.get_by_role("button", name="Verify", exact=True).click()
        expect(page.get_by_text("Waits for a worker")).to_be_visible()
        page.locator("#search").fill("half a na")
        verify_requested(maintenance_of(database))
        expect(proven).to_have_count(count, timeout=PATIENT_MILLISECONDS)
        expect(page.locator("#search")).to_have_value("half a na")


def test_the_overview_follows_what_commits_over_one_connection(database: Database, site: Site, visit: Visit) -> None:
    sell(database)
    page = visit(enrolled_admin(database).token)
    connections: list[str] = []
    page.on("websocket", lambda socket: connections.append(socket.url))
    page.goto("/overview")
    expect(page.locator("[data-live-state]")).to_have_text("live", timeout=PATIENT_MILLISECONDS)
    leads_in = page.locator('[data-renewed="figures"] .figure-value').first
    expect(leads_in).to_have_text("1")
    page.evaluate("window.isSamePage = true")
    submit_leads(database, "hosting", [{"cores": 8, "region": "north"}], OPERATOR, approve=True)
    Distributor(database).distribute_waiting(value(database, "select id::text from niches"))
    expect(leads_in).to_have_text("2", timeout=PATIENT_MILLISECONDS)
    assert page.evaluate("window.isSamePage") is True, "it was not loaded anew"
    assert len(connections) == 1


def test_nothing_is_renewed_behind_a_dialog_which_gives_the_focus_back(
    database: Database, site: Site, visit: Visit
) -> None:
    sell(database)
    submit_leads(database, "hosting", [{"cores": 8, "region": "north"}], OPERATOR, approve=False)
    page = visit(enrolled_admin(database).token)
    page.goto("/overview")
    expect(page.locator("[data-live-state]")).to_have_text("live", timeout=PATIENT_MILLISECONDS)
    task = page.locator('[data-renewed="tasks"]').get_by_role("link", name="Review leads")
    task.focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    with page.expect_response("**/overview", timeout=PATIENT_MILLISECONDS):
        submit_leads(database, "hosting", [{"cores": 8, "region": "north"}], OPERATOR, approve=False)
        submit_leads(database, "hosting", [{"cores": 8, "region": "north"}], OPERATOR, approve=True)
        Distributor(database).distribute_waiting(value(database, "select id::text from niches"))
    page.wait_for_timeout(300)
    page.keyboard.press("Escape")
    expect(task).to_be_focused()
    page.locator("h1").click()
    expect(page.locator('[data-renewed="tasks"]')).to_contain_text("2 leads", timeout=PATIENT_MILLISECONDS)


def test_no_page_hinders_a_user_at_a_desk_or_on_a_phone(database: Database, site: Site, visit: Visit) -> None:
    sell(database)
    give_up_lead(database)
    token = enrolled_admin(database).token
    found: list[str] = []
    for phone in (False, True):
        page = visit(token, phone=phone, dark=phone)
        for path in PAGES:
            page.goto(path)
            found += [f"{path}: {each}" for each in hindrances(page)]
            width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            found += [f"{path} is {width} px wider than the window"] if width else []
    assert found == []
