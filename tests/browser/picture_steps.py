"""What is done on a page before its picture is taken where it shows nothing by itself, and an operator's first day."""

import time
from collections.abc import Callable, Iterator, Mapping
from itertools import count, islice

from playwright.sync_api import Page, expect
from pyotp.totp import TOTP

from fairlead.cli.demo.stream import by_niche, demo_leads
from fairlead.flows.distribute_niche import distribute_niche
from fairlead.flows.distributor import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.lookups import niches_with_waiting_leads
from tests.browser.watched import await_script
from tests.flows.access.people import PASSWORD

_SEEDS = count(100)


def try_a_lead(page: Page, _database: Database) -> None:
    """The dry run has an outcome with refusals in it."""
    await_script(page, "dry-run.js")
    form = page.locator("form[data-module='dry-run.js'], [data-module='dry-run.js'] form").first
    for group in ("general purpose", "Debian", "Europe", "No"):
        form.get_by_role("radio", name=group, exact=True).check()
    for field, answer in (("Virtual cores", "4"), ("Memory in GB", "8"), ("Storage in GB", "80")):
        form.get_by_label(field).fill(answer)
    form.get_by_label("Monthly budget in EUR").fill("40")
    form.get_by_role("button", name="Try it").click()
    expect(page.locator("[data-outcome] .candidate.received").first).to_be_visible()


def decide_leads(page: Page, database: Database) -> None:
    """The page of what happens has seen some decisions."""
    expect(page.locator("[data-state]")).to_have_text("connected")
    for slug, leads in by_niche(list(islice(demo_leads(next(_SEEDS), 0), 9))).items():
        answers, details = [each.attributes for each in leads], [each.details for each in leads]
        submit_leads(database, slug, answers, OPERATOR, approve=True, details=details)
    with database.snapshot() as conn:
        niche_ids = [each.niche_id for each in niches_with_waiting_leads(conn, None)]
    for niche_id in niche_ids:
        for _ in distribute_niche(Distributor(database, 50), niche_id):
            pass
    expect(page.locator(".lane-row.is-sold").nth(5)).to_be_visible()


STEPS: Mapping[str, Callable[[Page, Database], None]] = {"/dry-run": try_a_lead, "/live": decide_leads}
"""By the path of the page."""


def first_day(page: Page, token: str) -> Iterator[tuple[str, str | None]]:
    """Walks on from the set-up link; yields what to call the picture of where the walk has come,
    and the selector of the part that it is about, if it is not the page from its top."""
    page.goto(f"/setup#{token}")
    yield "setup", None
    page.get_by_label("Your name").fill("Ann Example")
    page.locator("#field-email").fill("ann@harbour.example")
    page.locator("#field-password").fill(PASSWORD)
    _press(page, "Continue")
    _press(page, "Begin")
    secret = page.locator("#enrolment-secret")
    expect(secret).to_be_visible()
    yield "setup-second-factor", None
    code = TOTP(secret.inner_text().replace(" ", "")).at(int(time.time()))
    page.get_by_role("textbox", name="Code").fill(code)
    _press(page, "Confirm")
    kept = page.get_by_role("link", name="I have kept them")
    expect(kept).to_be_visible()
    yield "setup-recovery-codes", None
    kept.click()
    expect(page.locator("#first-steps")).to_be_visible()
    yield "first-steps", None
    yield from _first_niche(page)
    yield from _first_provider(page)
    yield from _niche_by_hand(page)
    page.goto("/overview")
    yield "first-steps-later", None


def _first_niche(page: Page) -> Iterator[tuple[str, str | None]]:
    page.goto("/niches/new")
    page.get_by_role("link", name="Moving companies").click()
    expect(page.get_by_label("Price of level 1")).to_be_visible()
    yield "first-niche", None
    _press(page, "Add the niche")
    expect(page.get_by_role("heading", name="Moving companies", level=1)).to_be_visible()
    page.get_by_label("The public may send leads").check()
    page.locator("#intake").get_by_role("button", name="Save").click()
    expect(page.get_by_text("It holds from the next lead on.")).to_be_visible()
    page.goto("/forms/moving")
    page.get_by_label("A home").check()
    yield "first-form", None
    _send_form(page)
    yield "first-form-sent", None


def _send_form(page: Page) -> None:
    """The consumer answers the other questions, one at a time, and sends the form."""
    _press(page, "Continue")
    for answer in ("10115", "20095", "290", "3", "2"):
        page.get_by_role("textbox").locator("visible=true").first.fill(answer)
        _press(page, "Continue")
    page.get_by_label("Later").check()
    _press(page, "Continue")
    page.get_by_label("Packing").check()
    _press(page, "Continue")
    page.get_by_label("Name").fill("Cora Canary")
    page.get_by_label("Email address").fill("cora.canary@example.com")
    page.get_by_role("checkbox", name="I agree").check()
    _press(page, "Send")
    expect(page.get_by_text("One more step: confirm your request")).to_be_visible()


def _niche_by_hand(page: Page) -> Iterator[tuple[str, str | None]]:
    page.goto("/niches/new")
    page.locator("#field-name").fill("Garden design")
    page.locator("#field-slug").fill("garden-design")
    _press(page, "Add the niche")
    expect(page.get_by_role("heading", name="Garden design", level=1)).to_be_visible()
    yield "niche-by-hand", None


def _first_provider(page: Page) -> Iterator[tuple[str, str | None]]:
    page.goto("/providers/new")
    page.locator("#field-name").fill("Anchor Removals")
    page.locator("#field-email").fill("leads@anchor.example")
    yield "first-provider", None
    _press(page, "Add the provider")
    page.get_by_text("Invite a user").click()
    users = page.locator("#users")
    users.get_by_label("Name").fill("Sam Sales")
    users.get_by_label("Email address").fill("sam@anchor.example")
    users.get_by_role("button", name="Invite", exact=True).click()
    page.get_by_role("button", name="Show the invitation link").click()
    expect(users.locator(".handed-over code")).to_contain_text("/accept-invite#")
    yield "first-invitation", "#users"


def _press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
