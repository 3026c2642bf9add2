"""Answers that come late, held back on their way: none takes the place of a newer one, the focus, or what is typed."""

import re

from playwright.sync_api import Page, Route, expect

from fairlead.flows.distributor import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.browser.site import Site
from tests.browser.watched import Visit, await_script
from tests.flows.access.people import enrolled_admin, provider_user, rows, value
from tests.flows.sales import Sale, sell
from tests.waiting import PATIENCE_SECONDS, wait_until

ADA = {"contact_name": "Ada Lovelace", "contact_email": "ada@example.com"}
BEN = {"contact_name": "Ben Ashford", "contact_email": "ben@example.com"}


class Held:
    """The first request to an address, which is let go on when the test says so."""

    def __init__(self, page: Page, address: str) -> None:
        self._page, self._address = page, address
        self._routes: list[Route] = []
        page.route(address, self._hold, times=1)

    def _hold(self, route: Route) -> None:
        self._routes.append(route)

    def wait(self) -> None:
        """It was sent."""
        for _ in range(10 * PATIENCE_SECONDS):
            if self._routes:
                return
            self._page.wait_for_timeout(100)  # meanwhile the browser is listened to
        raise AssertionError(f"nothing was sent to {self._address}")

    def let_go(self) -> None:
        """Its answer is on the page, and the page has had time for it."""
        self.wait()
        with self._page.expect_response(self._address):
            self._routes.pop().continue_()
        self._page.evaluate("new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))")

    def go_on(self) -> None:
        """It is let go, and its answer may take the page elsewhere."""
        self.wait()
        self._routes.pop().continue_()

    def refuse(self, detail: str) -> None:
        """It is answered with a conflict."""
        self.wait()
        self._routes.pop().fulfill(status=409, json={"code": "conflict", "detail": detail, "errors": []})


def sell_two(database: Database) -> Sale:
    """Anchor has a lead of Ada and one of Ben."""
    sale = sell(database)
    leads = [{"cores": 2, "region": "south"}] * 2
    submit_leads(database, "hosting", leads, OPERATOR, approve=True, details=[ADA, BEN])
    Distributor(database).distribute_waiting(value(database, "select id::text from niches"))
    return sale


def test_a_provider_is_shown_what_it_asked_for_last(database: Database, site: Site, visit: Visit) -> None:
    sale = sell_two(database)
    page = visit(provider_user(database, sale.anchor_id).token)
    page.goto("/portal/inbox")
    await_script(page, "inbox-search.js")
    search, found = page.get_by_label("Search your leads"), page.locator("[data-found-list] li")
    late = Held(page, "**/assignment-search")
    search.fill("lovelace")
    search.press("Enter")
    late.wait()
    search.fill("ashford")
    search.press("Enter")
    expect(found).to_have_text(re.compile("Ben Ashford"))
    late.let_go()
    expect(found).to_have_text(re.compile("Ben Ashford"))
    # What is being looked for is not shown any more once the result was closed.
    late = Held(page, "**/assignment-search")
    search.press("Enter")
    late.wait()
    page.get_by_role("button", name="Close").click()
    late.let_go()
    expect(page.locator("[data-found]")).to_be_hidden()

    subscription = value(database, "select id::text from subscriptions where provider_id = %s limit 1", sale.anchor_id)
    late = Held(page, "**/filter-preview")
    page.goto(f"/portal/subscriptions/{subscription}")
    late.wait()
    page.get_by_role("button", name="Add a rule").click()
    page.get_by_label("Question").last.select_option("cores")
    expect(page.locator(".preview")).to_contain_text("A rule has no value yet")
    late.let_go()
    expect(page.locator(".preview")).to_contain_text("A rule has no value yet")


def test_no_person_is_erased_but_the_one_that_was_shown(database: Database, site: Site, visit: Visit) -> None:
    sell_two(database)
    page = visit(enrolled_admin(database).token)
    page.goto("/settings/personal-data")
    await_script(page, "person-erasure.js")
    person, summary = page.get_by_label("Email address or telephone number"), page.locator("[data-summary]")
    late = Held(page, "**/persons/erasure/preview")
    person.fill("ada@example.com")
    person.press("Enter")
    late.wait()
    person.fill("ben@example.com")
    late.let_go()
    expect(page.locator("[data-look]")).not_to_have_attribute("aria-busy", "true")
    expect(page.locator("[data-found]")).to_be_hidden()
    expect(person).to_be_focused()
    person.press("Enter")
    expect(summary).to_have_text("1 lead would be erased.")
    page.locator("form[data-erase]").get_by_label("Why").select_option(index=1)
    page.get_by_role("button", name="Erase all of them").click()
    page.locator("#confirm-dialog [data-dialog-button]").click()
    expect(page.get_by_text("Nothing was erased yet")).to_have_count(0)
    assert rows(database, "select contact_name from leads where contact_name is not null") == ["Ada Lovelace"]


def test_a_decision_that_fails_late_leaves_the_reason_that_is_being_typed(
    database: Database, site: Site, visit: Visit
) -> None:
    sell(database)
    leads = [{"cores": number, "region": "south"} for number in (1, 2, 3)]
    first, second, third = submit_leads(database, "hosting", leads, OPERATOR, approve=False)
    page = visit(enrolled_admin(database).token)
    page.goto("/review")
    await_script(page, "review.js")
    shown, left = page.locator(".review-lead"), page.locator("[data-left-text]")
    late = Held(page, "**/approve")
    page.keyboard.press("a")
    expect(shown).to_have_attribute("data-lead", second)
    page.keyboard.press("r")
    page.keyboard.type("a test of our")
    late.refuse("the niche is being changed")
    expect(page.locator("[data-said]")).to_contain_text("the niche is being changed")
    expect(left).to_have_text("3 left")
    page.keyboard.type(" own a")
    expect(page.get_by_label("Why is it rejected?")).to_have_value("a test of our own a")
    page.keyboard.press("Enter")
    expect(shown).to_have_attribute("data-lead", first)
    page.keyboard.press("j")
    expect(shown).to_have_attribute("data-lead", third)
    page.goto("/leads")  # leaving sends what was decided
    wait_until(lambda: _status(database, second) == "rejected", "the rejection", 60)
    assert [_status(database, each) for each in (first, third)] == ["pending_approval"] * 2


def _status(database: Database, lead_id: str) -> str:
    return value(database, "select status from leads where id = %s", lead_id)


def test_a_refusal_that_comes_late_leaves_the_focus_where_the_person_went(
    database: Database, site: Site, visit: Visit
) -> None:
    sale = sell(database)
    page = visit(enrolled_admin(database).token)
    page.goto(f"/leads/{sale.lead_id}")
    late = Held(page, "**/verify*")
    page.get_by_role("button", name="Verify").click()
    late.wait()
    memo = page.locator("#mark-bad textarea")
    memo.fill("short")
    late.let_go()
    expect(memo).to_be_focused()
    late = Held(page, "**/mark-bad")
    page.locator("#mark-bad").get_by_role("button", name="Mark bad").click()
    page.locator("#confirm-dialog [data-dialog-button]").click()
    late.wait()
    page.locator("#search").press_sequentially("love")
    late.let_go()
    expect(page.locator("#mark-bad [data-error-of=memo]")).to_be_visible()
    page.keyboard.type("lace")
    expect(page.locator("#search")).to_have_value("lovelace")
    expect(memo).to_have_value("short")
