"""A consumer fills in the form of a niche, here and inside another site, and confirms what was sent."""

import re
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files

import pytest
from playwright.sync_api import Page, expect

from fairlead.flows.approve_lead import approve_lead
from fairlead.flows.declaring.apply_marketplace import apply_marketplace
from fairlead.flows.declaring.declaration import parse_declaration
from fairlead.flows.distributor import Distributor
from fairlead.flows.intake.own_request import link_to_request
from fairlead.flows.intake.policy import change_intake_policy
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.intake import IntakePolicy
from fairlead.store.leads.rows import clock
from tests.browser.showcase import send_from_form
from tests.browser.site import Site
from tests.browser.watched import Visit, hindrances
from tests.delivery.mail_servers import Inbox, mail_server
from tests.flows.access.people import rows, value
from tests.flows.notifications.mail import text_of
from tests.flows.notifications.stage import settings_for, work_off


@pytest.fixture
def demo(site: Site) -> Database:
    """The demo's niches, of which VPS hosting lets the public in."""
    text = files("fairlead.cli.demo").joinpath("marketplace.toml").read_text(encoding="utf-8")
    apply_marketplace(site.database, parse_declaration(text), OPERATOR)
    change_intake_policy(site.database, "vps-hosting", IntakePolicy(is_public=True), OPERATOR)
    return site.database


@contextmanager
def another_site(body: str) -> Generator[str]:
    """A server that answers everything with this page; its address, of another origin than the console's."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


def _go_on(page: Page) -> None:
    page.get_by_role("button", name="Continue").click()


def _fill_in(page: Page) -> None:
    """Every question, one at a time; the optional ones are passed over."""
    page.get_by_label("general purpose").check()
    _go_on(page)
    for answer in ("4", "8", "80"):
        page.get_by_role("textbox").locator("visible=true").first.fill(answer)
        _go_on(page)
    page.get_by_label("Debian").check()
    _go_on(page)
    page.get_by_role("textbox").locator("visible=true").first.fill("40,5")
    _go_on(page)
    page.get_by_label("Europe").check()
    _go_on(page)
    page.get_by_label("IPv6").check()
    _go_on(page)
    page.get_by_label("Yes").check()
    _go_on(page)
    page.get_by_label("Name").fill("Cora Canary")
    page.get_by_label("Email address").fill("cora.canary@example.com")


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_a_form_is_filled_in_confirmed_by_mail_and_withdrawn_or_erased(
    demo: Database, site: Site, visit: Visit, phone: bool
) -> None:
    page = visit(phone=phone)
    page.goto("/forms/vps-hosting")
    assert hindrances(page) == []
    _go_on(page)
    expect(page.get_by_text("Step 1 of 10")).to_be_visible()  # an answer is missing
    _fill_in(page)
    page.get_by_label("Email address").fill("cora@canary")
    page.get_by_role("checkbox", name="I agree").check()
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-error-of=contact_email]")).to_be_visible()
    page.get_by_label("Email address").fill("cora.canary@example.com")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_text("One more step: confirm your request")).to_be_visible()
    ((lead_id, status, attributes),) = rows(demo, "select id::text, status, attributes from leads")
    assert status == "pending_confirmation"
    assert attributes == {
        "server_type": "general purpose",
        "cores": 4,
        "memory_gb": 8,
        "storage_gb": 80,
        "operating_system": "Debian",
        "budget_eur": 40.5,
        "region": "Europe",
        "extras": ["IPv6"],
        "is_business": True,
    }
    consent = value(demo, "select consent_text from lead_consents")
    assert consent.startswith("I agree that what I wrote here is passed on to up to 9 providers of VPS hosting")

    page.goto(_link_in_mail(demo, site))
    assert value(demo, "select status from leads") == "pending_confirmation", "opening the link changes nothing"
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("heading", name="Your request is confirmed")).to_be_visible()
    assert page.url.endswith("/confirm-lead"), "the token is out of the address"
    assert value(demo, "select status from leads") == "pending_approval"

    page.get_by_role("link", name="See your request").click()
    expect(page.get_by_text("So far it has been passed on to no company.")).to_be_visible()
    assert page.url.endswith("/my-request"), "the token is out of the address"
    assert hindrances(page) == []
    page.reload()
    expect(page.get_by_text("VPS hosting")).to_be_visible()
    if phone:
        _erase_what_was_sold(demo, page, lead_id)
    else:
        _withdraw(demo, page)


def _link_in_mail(database: Database, site: Site) -> str:
    """Where the message leads that asks the consumer to confirm."""
    inbox = Inbox()

    def send() -> None:
        with mail_server(inbox) as port:
            work_off(database, settings_for(port, public_url=site.address))

    # The mail server has an event loop of its own, and this thread's is the browser's.
    with ThreadPoolExecutor(1) as beside:
        beside.submit(send).result()
    assert inbox.recipients == ["cora.canary@example.com"]
    [found] = re.findall(rf"{re.escape(site.address)}/confirm-lead#[\w-]+", text_of(inbox.messages[0]))
    return found


def _withdraw(database: Database, page: Page) -> None:
    page.get_by_role("button", name="Withdraw the request").click()
    expect(page.get_by_text("This cannot be undone.")).to_be_visible()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert value(database, "select status from leads") == "pending_approval"
    page.get_by_role("button", name="Withdraw the request").click()
    page.get_by_role("dialog").get_by_role("button", name="Withdraw the request").click()
    expect(page.get_by_text("You have withdrawn it. It was passed on to no company")).to_be_visible()
    expect(page.get_by_role("button", name="Withdraw the request")).to_be_hidden()
    assert value(database, "select status from leads") == "rejected"


def _erase_what_was_sold(database: Database, page: Page, lead_id: str) -> None:
    """Everything of it, and the link leads nowhere any more; those who bought it are told."""
    approve_lead(database, lead_id, OPERATOR)
    Distributor(database).distribute_waiting(value(database, "select niche_id::text from leads"))
    page.reload()
    expect(page.get_by_text("These companies have what you wrote")).to_be_visible()
    page.get_by_role("button", name="Erase my data").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("The companies that have your request are told to erase it, too.")
    dialog.get_by_role("button", name="Cancel").click()
    assert value(database, "select erased_at from leads") is None
    page.get_by_role("button", name="Erase my data").click()
    dialog.get_by_role("button", name="Erase my data").click()
    expect(page.get_by_text("Your data is erased.")).to_be_visible()
    expect(page.get_by_text("The companies that had your request are told to erase it, too.")).to_be_visible()
    assert hindrances(page) == []
    assert rows(database, "select attributes, contact_name, email_key from leads") == [({}, None, None)]
    bought = value(database, "select count(*) from assignments")
    assert value(database, "select count(*) from notifications where kind = 'lead_erased'") == bought > 0
    page.goto("/my-request")
    expect(page.get_by_text("This address is not complete.")).to_be_visible()


def test_a_consumer_sees_which_companies_have_the_request_and_each_is_told_of_its_withdrawal(
    demo: Database, visit: Visit
) -> None:
    lead_id = send_from_form(demo)
    niche_id = value(demo, "select niche_id::text from leads")
    Distributor(demo).distribute_waiting(niche_id)
    with demo.transaction() as conn:
        url = link_to_request(conn, lead_id, "", clock(conn))
    page = visit(phone=True)
    page.goto(url or "")
    names = rows(demo, "select p.name from assignments a join providers p on p.id = a.provider_id")
    assert names
    for name in names:
        expect(page.get_by_text(name)).to_be_visible()
    assert hindrances(page) == []
    page.get_by_role("button", name="Withdraw the request").click()
    page.get_by_role("dialog").get_by_role("button", name="Withdraw the request").click()
    expect(page.get_by_text("Each of them has been told")).to_be_visible()
    assert value(demo, "select status from leads") == "distributed"
    assert value(demo, "select count(*) from notifications where kind = 'lead_withdrawn'") == len(names)


def test_a_link_that_is_none_says_so(demo: Database, visit: Visit) -> None:
    page = visit()
    page.goto("/my-request")
    expect(page.get_by_text("This address is not complete.")).to_be_visible()
    page.goto("/my-request#made-up")
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("expired, or it never was a link")


def test_what_was_typed_outlives_a_reload_until_it_is_sent(demo: Database, visit: Visit) -> None:
    page = visit(phone=True)
    page.goto("/forms/vps-hosting")
    page.get_by_label("general purpose").check()
    _go_on(page)
    page.get_by_role("textbox").locator("visible=true").first.fill("4")
    page.reload()
    expect(page.get_by_text("Step 2 of 10")).to_be_visible()
    expect(page.get_by_role("textbox").locator("visible=true").first).to_have_value("4")
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_label("general purpose")).to_be_checked()


def test_an_answer_that_is_no_number_is_said_at_its_own_question(demo: Database, visit: Visit) -> None:
    page = visit(phone=True)
    page.goto("/forms/vps-hosting")
    page.get_by_label("general purpose").check()
    _go_on(page)
    cores = page.get_by_label("Virtual cores")
    cores.fill("about four")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Write a number.")).to_be_visible()
    expect(cores).to_be_focused()
    assert hindrances(page) == []
    cores.fill("4")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Memory in GB")).to_be_visible()
    expect(page.get_by_text("Write a number.")).to_be_hidden()


def test_a_program_that_fills_in_everything_sends_nothing(demo: Database, visit: Visit) -> None:
    page = visit()
    page.goto("/forms/vps-hosting")
    _fill_in(page)
    page.get_by_role("checkbox", name="I agree").check()
    page.locator("[data-trap]").evaluate("input => { input.value = 'https://spam.example'; }")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("[data-afterwards]")).to_be_visible()
    assert value(demo, "select count(*) from leads") == 0


def test_another_site_shows_the_form_as_high_as_it_is_in_its_own_colours(
    demo: Database, site: Site, visit: Visit
) -> None:
    body = f"""<!doctype html><html lang="en"><title>Another site</title><body style="--fairlead-accent: #aa0055">
    <script src="{site.address}/forms/embed.js" data-niche="vps-hosting"></script></body></html>"""
    page = visit()
    with another_site(body) as address:
        page.goto(address)
        _looks_embedded(page)


def _looks_embedded(page: Page) -> None:
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="VPS hosting")).to_be_visible()
    expect(frame.locator("html")).to_have_css("--accent", "#aa0055")
    inside = frame.locator("main").evaluate("main => main.scrollHeight")
    expect(page.locator("iframe")).to_have_js_property("clientHeight", inside)
