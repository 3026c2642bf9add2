"""An operator's round: what needs them, a lead that was given up is closed, a chart as a table; nothing hinders."""

import re

import pytest
from playwright.sync_api import expect

from fairlead.store.connection import Database
from tests.browser.site import Site
from tests.browser.watched import Visit, hindrances
from tests.flows.access.people import enrolled_admin
from tests.flows.given_up import give_up_lead
from tests.flows.sales import sell

pytestmark = pytest.mark.slow

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
    page.get_by_role("link", name=re.compile("Open ?: 1 lead given up")).click()
    page.locator("table a").first.click()
    page.get_by_label("Why it needs no further try").fill("the form had a mistake")
    page.get_by_role("button", name="Close without trying again").click()
    expect(page.get_by_text("Nothing: it is closed.")).to_be_visible()
    page.goto("/overview")
    expect(page.get_by_text("1 lead given up", exact=True)).to_have_count(0)


def test_no_page_hinders_anyone_at_a_desk_or_on_a_phone(database: Database, site: Site, visit: Visit) -> None:
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
