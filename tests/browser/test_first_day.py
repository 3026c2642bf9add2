"""The first day of a marketplace in a real browser: from `fairlead serve` on an empty machine to a refund."""

import re
import time
from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pyotp.totp import TOTP

from tests.browser.site import Site
from tests.browser.watched import Watched, await_script, hindrances
from tests.cli.test_serve import Served, data_dir, serving
from tests.core.test_picture import png
from tests.flows.access.people import NEW_PASSWORD, PASSWORD
from tests.waiting import wait_until

__all__ = ["data_dir"]

CONFIRMATION = re.compile(r"http://127\.0\.0\.1:\d+/confirm-lead#[\w-]+")


@pytest.fixture
def served(data_dir: Path) -> Generator[Served]:
    """`fairlead serve`, with no setting but where its ports and its data are."""
    with serving(data_dir) as process:
        yield process


class Operator:
    """The first operator's window, and its authenticator app."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.seed = ""
        self._used = ""

    def code(self) -> str:
        """A code that was not given yet: the next one, if this half minute's was."""
        totp = TOTP(self.seed)
        for offset in (0, 1):
            code = totp.at(int(time.time()), counter_offset=offset)
            if code != self._used:
                break
        else:
            code = ""
        self._used = code
        return code

    def button(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def says(self, text: str) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible()

    def steps_done(self, count: int) -> None:
        """The list of first steps says so, and the page is one that every operator can use."""
        self.page.goto("/overview")
        expect(self.page.locator("#first-steps")).to_contain_text(f"{count} of 10 done")
        assert hindrances(self.page) == []


def test_from_an_empty_machine_to_a_refund(browser: Browser, served: Served) -> None:
    site, _, token = served.link().partition("/setup#")
    watched = Watched(browser, Site(site, None))  # pyright: ignore[reportArgumentType]  # no test looks into it
    ann = Operator(watched.open(zone="Europe/Lisbon"))
    _become_the_operator(ann, token)
    _configure(ann, watched)
    _open_a_niche(ann)
    provider = _add_a_provider(ann)
    sam = watched.open(phone=True)
    _join(ann, sam, provider)
    _fund_and_subscribe(ann, sam, provider)
    ann.steps_done(8)
    _send_a_lead(watched, served)
    _sell(ann, sam)
    _refund(ann, sam)
    watched.close()


def _become_the_operator(ann: Operator, token: str) -> None:
    page = ann.page
    page.goto(f"/setup#{token}")
    expect(page).to_have_url(re.compile("/setup$"))
    assert hindrances(page) == []
    page.get_by_label("Your name").fill("Ann Example")
    page.locator("#field-email").fill("ann@example.com")
    page.locator("#field-password").fill("password1234")
    ann.button("Continue")
    ann.says("easy to guess")
    page.locator("#field-password").fill(PASSWORD)
    ann.button("Continue")
    expect(page).to_have_url(re.compile("/login/enrolment"))
    ann.button("Begin")
    secret = page.locator("#enrolment-secret")
    expect(secret).to_be_visible()
    ann.seed = secret.inner_text().replace(" ", "")
    page.get_by_role("textbox", name="Code").fill(ann.code())
    ann.button("Confirm")
    page.get_by_role("link", name="I have kept them").click()
    expect(page).to_have_url(re.compile("/overview"))
    ann.steps_done(1)
    other = page.context.new_page()
    other.goto(f"/setup#{token}")
    expect(other.get_by_role("heading", name="Set up already")).to_be_visible()
    assert hindrances(other) == []
    other.close()
    page.get_by_role("button", name="I have a copy").click()
    expect(page.locator("#first-steps")).to_contain_text("2 of 10 done")


def _configure(ann: Operator, watched: Watched) -> None:
    page = ann.page
    page.get_by_role("link", name=re.compile("^Open settings")).click()
    page.locator("#field-name").fill("Harbour Leads")
    page.locator("#field-timezone").fill("Europe/Lisbon")
    page.get_by_role("button", name="Save", exact=True).first.click()
    expect(page).to_have_title("Settings · Harbour Leads")
    page.get_by_label("Currency of all amounts").fill("CHF")
    page.get_by_role("region", name="Currency").get_by_role("button", name="Save").click()
    with page.expect_navigation():
        page.locator("#confirm-dialog").get_by_role("button", name="Save").click()
    expect(page.locator("#field-currency")).to_have_value("CHF")
    page.get_by_label("Picture").set_input_files({"name": "logo.png", "mimeType": "image/png", "buffer": png(64, 32)})
    ann.button("Use this picture")
    logo = page.locator(".rail-brand img")
    expect(logo).to_be_visible()
    assert logo.evaluate("(image) => image.naturalWidth") == 64
    assert hindrances(page) == []
    dark = watched.open(dark=True)
    dark.goto("/login")
    expect(dark.locator(".plain-brand img")).to_be_visible()
    assert hindrances(dark) == []


def _open_a_niche(ann: Operator) -> None:
    """From a template, open to the public."""
    page = ann.page
    ann.steps_done(3)
    page.get_by_role("link", name=re.compile("^Add a niche")).click()
    page.get_by_role("link", name="Moving companies").click()
    expect(page.get_by_label("Price of level 1")).to_have_value("45.00")
    assert hindrances(page) == []
    page.get_by_label("Price of level 3").fill("9.50")
    ann.button("Add the niche")
    expect(page.get_by_role("heading", name="Moving companies", level=1)).to_be_visible()
    ann.says("9.50")
    page.get_by_label("The public may send leads").check()
    page.locator("#intake").get_by_role("button", name="Save").click()
    ann.says("/forms/moving")


def _add_a_provider(ann: Operator) -> str:
    page = ann.page
    ann.steps_done(5)
    page.get_by_role("link", name=re.compile("^Add a provider")).click()
    expect(page.locator("#field-timezone")).to_have_value("Europe/Lisbon")
    page.locator("#field-name").fill("Anchor Removals")
    page.locator("#field-email").fill("leads@anchor.example")
    ann.button("Add the provider")
    expect(page.get_by_role("heading", name="Anchor Removals", level=1)).to_be_visible()
    return page.url.partition("#")[0]


def _join(ann: Operator, sam: Page, provider: str) -> None:
    """Without mail the operator hands over the link; the provider's user sets a password by it."""
    page = ann.page
    page.goto(provider)
    page.get_by_text("Invite a user").click()
    users = page.locator("#users")
    users.get_by_label("Name").fill("Sam Sales")
    users.get_by_label("Email address").fill("sam@anchor.example")
    users.get_by_role("button", name="Invite", exact=True).click()
    page.get_by_role("button", name="Show the invitation link").click()
    link = users.locator(".handed-over code")
    expect(link).to_contain_text("/accept-invite#")
    assert hindrances(page) == []
    sam.goto(link.inner_text())
    sam.locator("#field-password").fill(NEW_PASSWORD)
    sam.get_by_role("button", name="Set the password").click()
    sam.locator("#field-email").fill("sam@anchor.example")
    sam.locator("#field-password").fill(NEW_PASSWORD)
    sam.get_by_role("button", name="Log in").click()
    expect(sam).to_have_url(re.compile("/portal/"))
    ann.steps_done(7)


def _fund_and_subscribe(ann: Operator, sam: Page, provider: str) -> None:
    page = ann.page
    page.goto(provider)
    adjust = page.locator("#adjust")
    adjust.get_by_label("Direction").select_option("credit")
    adjust.get_by_label("Amount in CHF").fill("200")
    adjust.get_by_label("Why").fill("the opening deposit, by bank transfer")
    adjust.get_by_role("button", name="Adjust").click()
    page.locator("#confirm-dialog").get_by_role("button", name="Adjust").click()
    ann.says("The balance was adjusted.")
    sam.goto("/portal/subscriptions")
    sam.get_by_role("row", name=re.compile("Open")).get_by_role("link", name="Look and subscribe").click()
    sam.get_by_role("button", name="Subscribe").click()
    expect(sam).to_have_url(re.compile("/portal/subscriptions/"))


def _send_a_lead(watched: Watched, served: Served) -> None:
    """By the public form; the message that asks to confirm it is printed, because no mail is sent."""
    page = watched.open(phone=True)
    page.goto("/forms/moving")
    expect(page.locator(".consumer-brand")).to_contain_text("Harbour Leads")
    assert hindrances(page) == []
    page.get_by_label("A home").check()
    _go_on(page)
    for answer in ("1000-205", "4000-322", "", "3", ""):
        page.locator("[data-question]:visible").get_by_role("textbox").fill(answer)
        _go_on(page)
    page.get_by_label("Within four weeks").check()
    _go_on(page)
    page.get_by_label("Packing").check()
    _go_on(page)
    page.locator("#contact-name").fill("Cora Canary")
    page.locator("#contact-email").fill("cora.canary@example.com")
    page.get_by_role("checkbox", name="I agree").check()
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("One more step: confirm your request")).to_be_visible()
    wait_until(lambda: CONFIRMATION.search(served.said) is not None, "the message that asks to confirm", 180)
    found = CONFIRMATION.search(served.said)
    assert found is not None
    page.goto(found[0])
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("link", name="See your request")).to_be_visible()


def _go_on(page: Page) -> None:
    page.get_by_role("button", name="Continue").click()


def _sell(ann: Operator, sam: Page) -> None:
    """Approved in the review, distributed by the worker, and in the provider's inbox."""
    page = ann.page
    ann.steps_done(9)
    page.goto("/review")
    await_script(page, "review.js")
    expect(page.get_by_text("Cora Canary").first).to_be_visible()
    page.locator("[data-do=approve]").click()
    expect(page.get_by_text("All reviewed")).to_be_visible()
    deadline = time.monotonic() + 180
    while "Cora Canary" not in sam.locator("main").inner_text():
        assert time.monotonic() < deadline, "the lead is not in the inbox"
        sam.goto("/portal/inbox")
    # All is done, so the list is gone.
    page.goto("/overview")
    expect(page.locator("#first-steps")).to_have_count(0)


def _refund(ann: Operator, sam: Page) -> None:
    page = ann.page
    page.goto("/leads")
    page.get_by_role("link", name=re.compile("Cora Canary")).first.click()
    bad = page.locator("#mark-bad")
    bad.get_by_label("Why").fill("the telephone number belongs to another person")
    bad.get_by_role("button", name="Mark bad").click()
    page.locator("#confirm-dialog").get_by_role("button", name="Mark bad").click()
    ann.says("Marked bad.")
    sam.goto("/portal/balance")
    expect(sam.locator("main")).to_contain_text("CHF200.00")
    expect(sam.locator("main")).to_contain_text("refunded CHF9.50")
