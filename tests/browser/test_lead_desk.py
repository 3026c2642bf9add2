"""An operator at work with leads, in a real browser: found, decided by the dozen, and what goes wrong meanwhile."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from fairlead.flows.configuration.niches import NicheChange, change_niche
from fairlead.flows.reject_lead import reject_lead
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.browser.site import Site
from tests.browser.watched import Visit, await_script, hindrances
from tests.flows.access.people import Person, as_if_long_ago, code, enrolled_admin, rows, value
from tests.flows.sales import MEMO, Sale, sell

ADA = {"contact_name": "Ada Löwenherz", "contact_email": "ada@example.com", "contact_phone": "+49 30 5550102"}
BACK_THEN = "update sessions set stepped_up_at = stepped_up_at - interval '1 hour'"


def add_waiting(database: Database, count: int, **details: str) -> list[str]:
    """So many leads wait for approval, in the order in which the review shows them."""
    return [
        submit_leads(
            database,
            "hosting",
            [{"cores": number + 1, "region": "south"}],
            OPERATOR,
            approve=False,
            details=[{"contact_name": f"Caller {number:02}", "utm_source": "newsletter", **details}],
        )[0]
        for number in range(count)
    ]


def status_of(database: Database, lead_id: str) -> str:
    return value(database, "select status from leads where id = %s", lead_id)


def confirm(page: Page) -> None:
    page.locator("#confirm-dialog [data-dialog-button]").click()


def test_a_lead_is_found_by_name_address_number_and_id_and_no_address_says_so(site: Site, visit: Visit) -> None:
    sell(site.database)
    niche_id = value(site.database, "select id::text from niches")
    change_niche(site.database, niche_id, NicheChange(phone_region="DE"), OPERATOR)
    [lead_id] = add_waiting(site.database, 1, **ADA)
    page = visit(enrolled_admin(site.database).token)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/overview")
    found = page.locator("#found tbody tr")
    for text in ("löwenh", "ADA LOWEN", "ada@EXAMPLE.com", "030 5550102", "+49 30 5550102", lead_id[:18]):
        page.keyboard.press("/")
        expect(page.locator("#search")).to_be_focused()
        page.locator("#search").fill(text)
        page.keyboard.press("Enter")
        expect(page.locator("#found:not([aria-busy])")).to_be_visible()
        expect(page.locator("[data-found-text]")).to_have_text("1 found")
        expect(found).to_have_count(1)
        expect(found.locator("a")).to_have_attribute("href", f"/leads/{lead_id}")
        expect(found.locator("a")).to_have_text("Ada Löwenherz")
        expect(found.locator("td").last).to_have_text(re.compile(r"^\d{1,2} [A-Z][a-z]+ \d{4}, \d\d:\d\d$"))
        expect(page).to_have_url(f"{site.address}/leads")
        page.locator("#search").fill("")
        page.locator("h1").click()
    assert hindrances(page) == []
    page.locator("#search").fill("unheard of name")
    page.keyboard.press("Enter")
    expect(page.locator("[data-found-text]")).to_contain_text("No lead is found")
    personal = re.compile("wenh|lowen|5550102|example.com|unheard", re.IGNORECASE)
    assert not [each for each in asked if personal.search(each)]
    assert not personal.search(page.evaluate("JSON.stringify(history.state) + JSON.stringify({...sessionStorage})"))


def test_an_answer_that_comes_late_opens_no_lead_while_the_next_search_is_typed(site: Site, visit: Visit) -> None:
    sell(site.database)
    add_waiting(site.database, 1, **ADA)
    page = visit(enrolled_admin(site.database).token)
    page.goto("/leads")
    late: list[Route] = []

    def hold(route: Route) -> None:
        late.append(route)

    page.route("**/lead-search", hold, times=1)
    search, found = page.locator("#search"), page.locator("#found")
    search.fill("Ada")
    search.press("Enter")
    expect(found).to_have_attribute("aria-busy", "true")
    search.fill("löwenh")
    late.pop().continue_()
    expect(found.locator("tbody a")).to_have_text("Ada Löwenherz")
    expect(search).to_be_focused()
    page.route("**/lead-search", hold, times=1)
    search.press("Enter")
    search.fill("unheard of name")
    search.press("Enter")
    expect(page.locator("[data-found-text]")).to_contain_text("No lead is found")
    with page.expect_response("**/lead-search"):
        late.pop().continue_()
    expect(page.locator("[data-found-text]")).to_contain_text("No lead is found")
    expect(page).to_have_url(f"{site.address}/leads")


def test_what_was_selected_before_the_script_was_there_begins_a_range(site: Site, visit: Visit) -> None:
    sell(site.database)
    add_waiting(site.database, 4)
    page = visit(enrolled_admin(site.database).token)
    late: list[Route] = []

    def hold(route: Route) -> None:
        late.append(route)

    page.route("**/lead-selection.js", hold, times=1)
    page.goto("/leads?status=pending_approval", wait_until="commit")
    boxes = page.locator("input[name=lead_ids]")
    expect(boxes).to_have_count(4)
    boxes.nth(0).check()
    while not late:
        page.wait_for_timeout(10)
    late.pop().continue_()
    expect(page.locator("[data-selected]")).to_have_text("1 selected")
    boxes.nth(2).click(modifiers=["Shift"])
    expect(page.locator("[data-selected]")).to_have_text("3 selected")


def test_many_are_selected_by_keys_told_before_and_refused_row_by_row(site: Site, visit: Visit) -> None:
    sell(site.database)  # its levels sell a lead for 2,000 and 500 cents a slot
    waiting = add_waiting(site.database, 6)
    page = visit(enrolled_admin(site.database).token)
    page.goto("/leads?status=pending_approval")
    rows_shown = page.locator("table[data-rows] tbody tr:has(input[name=lead_ids])")
    expect(rows_shown).to_have_count(6)
    page.locator("h1").click()
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-selected]")).to_have_text("1 selected")
    for key in ("j", "j", "Shift+X"):
        page.keyboard.press(key)
    expect(page.locator("[data-selected]")).to_have_text("3 selected")
    page.locator("input[name=lead_ids]").nth(5).click(modifiers=["Shift"])
    expect(page.locator("[data-selected]")).to_have_text("6 selected")
    expect(page.get_by_label("Select all on this page")).to_be_checked()
    page.get_by_label("Select all on this page").uncheck()
    expect(page.locator(".selection")).to_be_hidden()
    page.get_by_label("Select all on this page").check()
    reject_lead(site.database, waiting[2], MEMO, OPERATOR)  # by another operator, meanwhile
    page.locator(".selection").get_by_role("button", name="Approve").click()
    [(most,)] = [
        (each,)
        for each in rows(
            site.database, "select sum(price_cents * max_recipients)::bigint from competition_levels where is_active"
        )
    ]
    told = page.locator("[data-dialog-text]")
    expect(told).to_contain_text("Approves the 6 selected leads")
    expect(told).to_contain_text(f"{6 * most / 100:,.2f}")
    confirm(page)
    expect(page.locator("[data-selected]")).to_have_text("5 of 6 done.")
    refused = rows_shown.filter(has=page.locator(f'a[href="/leads/{waiting[2]}"]'))
    expect(refused.locator("[data-result]")).to_contain_text("cannot be approved: it was rejected")
    expect(rows_shown.locator("[data-result]").filter(has_text="approved now")).to_have_count(5)
    expect(refused.locator("input")).to_be_checked()
    assert {status_of(site.database, each) for each in waiting} == {"approved", "rejected"}
    expect(page.get_by_role("link", name="Load the list anew")).to_be_focused()  # approving them again is no choice
    assert hindrances(page) == []


def test_thirty_leads_are_decided_by_keys_alone(site: Site, visit: Visit) -> None:
    sell(site.database)
    waiting = add_waiting(site.database, 30)
    [twin] = add_waiting(site.database, 1, contact_email="twin@example.com", contact_name="Second Twin")
    [first_twin] = add_waiting(site.database, 1, contact_email="twin@example.com", contact_name="First Twin")
    page = visit(enrolled_admin(site.database).token)
    page.goto("/review")
    await_script(page, "review.js")
    shown = page.locator(".review-lead")
    left = page.locator("[data-left-text]")
    wanted: dict[str, str] = {}
    for number, lead_id in enumerate(waiting):
        expect(shown).to_have_attribute("data-lead", lead_id)
        expect(left).to_have_text(f"{32 - len(wanted)} left")
        expect(shown).to_contain_text("31 others came from the same source: 0 sold, 0 bad")
        if number % 3 == 2:
            page.keyboard.press("r")
            page.keyboard.press("Escape")
            expect(shown.locator("h2")).to_be_focused()  # and the next key is heard
            page.keyboard.press("r")
            page.get_by_label("Why is it rejected?").fill("a test of our own")
            page.keyboard.press("Enter")
            wanted[lead_id] = "rejected"
        elif number == 10:  # passed by, and come back to
            page.keyboard.press("j")
            expect(shown).to_have_attribute("data-lead", waiting[11])
            page.keyboard.press("k")
            expect(shown).to_have_attribute("data-lead", lead_id)
            page.keyboard.press("a")
            wanted[lead_id] = "approved"
        else:
            page.keyboard.press("a")
            wanted[lead_id] = "approved"
        if number == 20:  # taken back, and decided otherwise
            page.keyboard.press("u")
            expect(shown).to_have_attribute("data-lead", lead_id)
            page.keyboard.press("a")
            wanted[lead_id] = "approved"
    expect(shown).to_have_attribute("data-lead", twin)
    expect(shown.locator(f'a[href="/leads/{first_twin}"]')).to_be_visible()  # its duplicate, beside it
    expect(left).to_have_text("2 left")
    assert hindrances(page) == []
    page.goto("/leads")  # leaving sends what was decided
    expect(page.locator("h1")).to_have_text("Leads")
    for _ in range(3):
        page.reload()  # each is a round trip behind the last decision
    assert {each: status_of(site.database, each) for each in waiting} == wanted
    assert status_of(site.database, twin) == "pending_approval"


@pytest.mark.parametrize("status", [None, 429])
def test_a_lead_that_cannot_be_loaded_still_waits(site: Site, visit: Visit, status: int | None) -> None:
    sell(site.database)
    waiting = add_waiting(site.database, 6)
    page = visit(enrolled_admin(site.database).token)
    out_of_reach = f"**/review/leads/{waiting[4]}"

    def refuse(route: Route) -> None:
        if status is None:
            route.abort("connectionreset")
        else:
            route.fulfill(status=status, body="")

    page.route(out_of_reach, refuse)
    page.goto("/review")
    await_script(page, "review.js")
    shown = page.locator(".review-lead")
    for lead_id in waiting[:4]:
        expect(shown).to_have_attribute("data-lead", lead_id)
        page.keyboard.press("j")
    expect(page.get_by_text("This lead could not be loaded")).to_be_visible()
    expect(page.locator("[data-said]")).not_to_contain_text("reviewed already")
    expect(page.locator("[data-left-text]")).to_have_text("6 left")
    page.keyboard.press("a")  # nothing is seen, and so nothing is decided
    page.keyboard.press("j")
    expect(shown).to_have_attribute("data-lead", waiting[5])
    page.keyboard.press("k")
    expect(page.get_by_text("This lead could not be loaded")).to_be_visible()
    page.unroute(out_of_reach)
    page.get_by_role("button", name="Try again").click()
    expect(shown).to_have_attribute("data-lead", waiting[4])
    assert {status_of(site.database, each) for each in waiting} == {"pending_approval"}


@pytest.fixture
def ann(site: Site) -> Person:
    """An operator whose last proof of who it is was an hour ago."""
    person = enrolled_admin(site.database)
    value(site.database, BACK_THEN)
    return person


def mark_bad(page: Page, sale: Sale) -> None:
    """The form on the lead's page is filled in, sent and confirmed."""
    page.goto(f"/leads/{sale.lead_id}")
    page.locator("#mark-bad textarea").fill(MEMO)
    page.locator("#mark-bad").get_by_role("button", name="Mark bad").click()
    expect(page.locator("[data-dialog-text]")).to_contain_text("Refunds 2 providers €25.00 in all")
    confirm(page)


def test_a_fresh_proof_is_asked_for_in_the_middle_of_a_form(site: Site, visit: Visit, ann: Person) -> None:
    sale = sell(site.database)
    page = visit(ann.token)
    mark_bad(page, sale)
    dialog = page.locator("#step-up-dialog")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Code").fill("000000")
    dialog.get_by_role("button", name="Confirm").click()
    expect(dialog.locator("[data-step-up-error]")).to_be_visible()
    dialog.get_by_role("button", name="Cancel").click()
    assert page.locator("#mark-bad textarea").input_value() == MEMO, "what was typed is kept"
    assert status_of(site.database, sale.lead_id) == "distributed"
    page.locator("#mark-bad").get_by_role("button", name="Mark bad").click()
    confirm(page)
    as_if_long_ago(site.database)
    dialog.get_by_label("Code").fill(code(site.database, ann.seed))
    dialog.get_by_role("button", name="Confirm").click()
    expect(page.locator(".heading .label")).to_have_text("bad")
    assert rows(site.database, "select count(*) from ledger_entries where kind = 'refund'") == [2]


def test_a_session_that_was_ended_elsewhere_costs_nothing_that_was_typed(site: Site, visit: Visit, ann: Person) -> None:
    sale = sell(site.database)
    page = visit(ann.token)
    page.goto(f"/leads/{sale.lead_id}")
    page.locator("#mark-bad textarea").fill(MEMO)
    value(site.database, "update sessions set ended_at = now(), ended_why = 'logged out'")
    page.locator("#mark-bad").get_by_role("button", name="Mark bad").click()
    confirm(page)
    expect(page.locator("#mark-bad .form-error")).to_contain_text("Your session has ended. Log in in another tab")
    assert page.locator("#mark-bad textarea").input_value() == MEMO
    value(site.database, "update sessions set ended_at = null, ended_why = null, stepped_up_at = now()")
    page.locator("#mark-bad").get_by_role("button", name="Mark bad").click()
    confirm(page)
    expect(page.locator(".heading .label")).to_have_text("bad")


def test_two_operators_decide_one_lead_and_the_second_is_told(site: Site, visit: Visit, ann: Person) -> None:
    sell(site.database)
    first, second = add_waiting(site.database, 2)
    ben = enrolled_admin(site.database, "ben@example.com")
    here, there = visit(ann.token), visit(ben.token)
    here.goto(f"/leads/{first}")
    there.goto("/review")
    await_script(there, "review.js")
    expect(there.locator(".review-lead")).to_have_attribute("data-lead", first)
    here.locator("#reject textarea").fill("it is a test")
    here.locator("#reject").get_by_role("button", name="Reject").click()
    expect(here.locator(".heading .label")).to_have_text("rejected")
    there.keyboard.press("a")
    expect(there.locator(".review-lead")).to_have_attribute("data-lead", second)
    expect(there.locator("[data-said]")).to_contain_text("it was rejected")
    # It stays said when the lead, loaded anew, turns out to need no decision any more.
    expect(there.locator("[data-left-text]")).to_have_text("1 left")
    expect(there.locator("[data-said]")).to_contain_text("it was rejected")
    assert status_of(site.database, first) == "rejected"
    # On the lead's own page, too, whose buttons are of the state before.
    here.goto(f"/leads/{second}")
    reject_lead(site.database, second, MEMO, OPERATOR)
    here.get_by_role("button", name="Approve").click()
    expect(here.locator("#announcements")).to_contain_text("it was rejected")


@pytest.mark.parametrize("arrives", [True, False])
def test_an_answer_that_is_lost_never_makes_a_second_adjustment(site: Site, visit: Visit, *, arrives: bool) -> None:
    sale = sell(site.database)
    page = visit(enrolled_admin(site.database).token)

    def cut(route: Route) -> None:
        if arrives:
            route.fetch()
        route.abort("connectionreset")

    page.goto(f"/providers/{sale.anchor_id}")
    form = page.locator("#adjust form")
    form.get_by_label("Amount").fill("10.00")
    form.get_by_label("Why").fill("goodwill for a late lead")
    page.route("**/adjustments", cut, times=1)
    form.get_by_role("button").click()
    confirm(page)
    expect(form.locator(".form-error")).to_contain_text("The server could not be reached")
    form.get_by_label("Why").fill("goodwill for two late leads")  # the memo is put right, the money is the same
    form.get_by_role("button").click()
    confirm(page)
    if arrives:
        expect(form.locator(".form-error")).to_contain_text("What you sent before did arrive")
        form.get_by_label("Why").fill("goodwill for three late leads")
        form.get_by_role("button").click()
        confirm(page)
        expect(form.locator(".form-error")).to_contain_text("What you sent before did arrive")
    else:
        expect(page.locator("#announcements")).to_contain_text("The balance was adjusted")
    written = "goodwill for a late lead" if arrives else "goodwill for two late leads"
    assert rows(site.database, "select memo from ledger_entries where kind = 'manual_credit'") == [written]


def test_a_view_is_saved_shared_found_again_and_deleted(site: Site, visit: Visit) -> None:
    sell(site.database)
    add_waiting(site.database, 3)
    page = visit(enrolled_admin(site.database).token)
    page.goto("/leads")
    page.locator("#filter-status").select_option("pending_approval")
    page.locator("#filter-source").fill("newsletter")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".heading .sub")).to_have_text("3 leads in all")
    page.locator("summary", has_text="Columns").click()
    page.get_by_label("Revenue").uncheck()
    page.get_by_label("Id", exact=True).check()
    page.get_by_role("button", name="Show", exact=True).first.click()
    expect(page.locator("th", has_text="Revenue")).to_have_count(0)
    page.locator("summary", has_text="Save view").click()
    page.get_by_label("Name", exact=True).fill("From the newsletter")
    page.get_by_label("Share with all operators").check()
    page.get_by_role("button", name="Save", exact=True).click()
    views = page.get_by_role("navigation", name="Views")
    expect(views.locator("[aria-current]")).to_contain_text("From the newsletter")
    ben = visit(enrolled_admin(site.database, "ben@example.com").token)
    ben.goto("/leads")
    ben.get_by_role("link", name="From the newsletter").click()
    expect(ben.locator(".chip")).to_have_count(2)
    expect(ben.locator("tbody tr:has(input[name=lead_ids])")).to_have_count(3)
    expect(ben.locator("th", has_text="Id")).to_be_visible()
    assert hindrances(ben) == []
    ben.locator("summary", has_text="Save view").click()
    ben.get_by_role("button", name="Delete From the newsletter").click()
    confirm(ben)
    expect(ben).to_have_url(f"{site.address}/leads")
    expect(ben.get_by_role("link", name="From the newsletter")).to_have_count(0)
    actions = rows(site.database, "select action from audit_log where entity = 'lead_view' order by seq")
    assert actions == ["lead_view.saved", "lead_view.deleted"]
