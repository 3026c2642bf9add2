"""An operator's day with leads, in a real browser: reviewing by keys, deciding again, the live feed cut twice."""

import os
import re

import pytest
from playwright.sync_api import WebSocketRoute, expect

from fairlead.console.routes.operator import lead
from fairlead.flows.distribute_niche import distribute_niche
from fairlead.flows.distributor import Distributor
from fairlead.flows.explaining.decision_queues import recorded_queues
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.browser.made_decisions import of_size
from tests.browser.site import Site
from tests.browser.watched import Visit, await_script, hindrances
from tests.flows.access.people import enrolled_admin, value
from tests.flows.marketplaces import declare
from tests.flows.sales import ANCHOR, sell


def decide(database: Database, count: int = 1) -> list[str]:
    """So many leads more are decided, one after the other."""
    leads = [{"cores": 8, "region": "north"}] * count
    lead_ids = submit_leads(database, "hosting", leads, OPERATOR, approve=True)
    niche_id = value(database, "select id::text from niches where slug = 'hosting'")
    assert sum(len(each) for each in distribute_niche(Distributor(database), niche_id)) == count
    return list(lead_ids)


LEADS, AT_ONCE = 1_000, 100
_NOTE_WHAT_IS_SHOWN = """() => {
  window.shownLeads = [];
  const note = (rows) => window.shownLeads.push(...rows.map((row) => row.querySelector('a').pathname));
  new MutationObserver((changes) => note(changes.flatMap((each) => [...each.addedNodes])))
    .observe(document.querySelector('.lane-rows'), { childList: true });
}"""
"""A lane keeps its last rows alone: each is noted as it comes."""


def test_a_feed_of_a_thousand_leads_that_is_cut_twice_misses_nothing_and_doubles_nothing(
    site: Site, visit: Visit
) -> None:
    sell(site.database)
    _let_anchor_buy_all(site.database)
    page = visit(enrolled_admin(site.database).token)
    sockets: list[WebSocketRoute] = []

    def through(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.connect_to_server()

    page.route_web_socket("**/api/v1/admin/live*", through)
    page.goto("/live")
    expect(page.locator("[data-state]")).to_have_text("connected")
    page.evaluate(_NOTE_WHAT_IS_SHOWN)
    decided: list[str] = []
    for part in range(1, LEADS // AT_ONCE + 1):
        decided += decide(site.database, AT_ONCE)
        if part in (3, 6):
            sockets[-1].close(code=1011, reason="cut")  # with what was just decided on its way
            expect(page.locator("[data-state]")).to_contain_text("connection lost")
            decided += decide(site.database, AT_ONCE)  # while it is away
            expect(page.locator(".lane [data-total]")).to_contain_text(f"{len(decided):,} decisions")
            expect(page.locator("[data-state]")).to_have_text("connected")
        if len(decided) >= LEADS:
            break
    earned = value(site.database, "select sum(price_cents) from assignments where lead_id = any(%s::uuid[])", decided)
    expect(page.locator(".lane [data-total]")).to_have_text(f"{LEADS:,} decisions, €{earned / 100:,.2f}")
    assert sorted(page.evaluate("window.shownLeads")) == sorted(f"/leads/{each}" for each in decided)
    assert all("last_id=" in each.url for each in sockets[1:])
    assert len(sockets) == 3
    page.get_by_role("button", name="Pause").click()
    decide(site.database)
    expect(page.locator("[data-held-text]")).to_have_text("1 new")
    expect(page.locator(".lane [data-total]")).to_contain_text(f"{LEADS:,} decisions")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator(".lane [data-total]")).to_contain_text(f"{LEADS + 1:,} decisions")
    assert hindrances(page) == []


def _let_anchor_buy_all(database: Database) -> None:
    """Anchor can pay for every lead of the test."""
    deposit = '{ external_id = "for-all", amount_cents = 5_000_000 }'
    declare(database, f'[[provider]]\nemail = "{ANCHOR}"\ndeposit = [{deposit}]\n')


def test_an_operator_reviews_by_keys_and_verifies_the_sale(site: Site, visit: Visit) -> None:
    sale = sell(site.database)
    leads = [{"cores": number, "region": "south"} for number in (1, 2, 3)]
    submit_leads(site.database, "hosting", leads, OPERATOR, approve=False)
    page = visit(enrolled_admin(site.database).token)
    page.goto("/review")
    await_script(page, "review.js")
    expect(page.locator("[data-left-text]")).to_have_text("3 left")
    first = page.locator(".review-lead").get_attribute("data-lead")
    assert hindrances(page) == []
    page.keyboard.press("a")
    expect(page.locator("[data-left-text]")).to_have_text("2 left")
    page.keyboard.press("u")
    expect(page.locator("[data-left-text]")).to_have_text("3 left")
    expect(page.locator(".review-lead")).to_have_attribute("data-lead", str(first))
    assert value(site.database, "select status from leads where id = %s", first) == "pending_approval"
    page.keyboard.press("a")
    expect(page.locator(f'.review-lead:not([data-lead="{first}"])')).to_be_visible()
    second = page.locator(".review-lead").get_attribute("data-lead")
    page.keyboard.press("r")
    page.get_by_label("Why is it rejected?").fill("a test of our own")
    page.keyboard.press("Enter")
    expect(page.locator("[data-left-text]")).to_have_text("1 left")
    page.goto(f"/leads/{sale.lead_id}")  # leaving sends what was decided
    page.get_by_role("button", name="Verify").click()
    expect(page.locator("[data-verified]")).to_contain_text("Verified: decided again, byte for byte")
    assert hindrances(page) == []
    page.goto("/leads")
    assert hindrances(page) == []
    page.goto("/leads?status=rejected")
    expect(page.locator(f'a[href="/leads/{second}"]')).to_be_visible()
    assert value(site.database, "select status from leads where id = %s", first) == "approved"


@pytest.mark.parametrize(("level_count", "recipient_count"), [(1, 1), (3, 5), (12, 30)])
def test_a_decision_of_every_size_fits_its_window_and_prints_on_one_page(
    site: Site, visit: Visit, monkeypatch: pytest.MonkeyPatch, level_count: int, recipient_count: int
) -> None:
    sale = sell(site.database)
    made = of_size(recorded_queues(site.database, sale.lead_id), level_count, recipient_count)
    monkeypatch.setattr(lead, "recorded_queues", lambda *_: made)
    token = enrolled_admin(site.database).token
    for phone in (False, True):
        page = visit(token, phone=phone)
        page.goto(f"/leads/{sale.lead_id}")
        expect(page.locator(".level")).to_have_count(level_count)
        expect(page.locator(".candidate.received")).to_have_count(level_count * recipient_count)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is cut off at the side"
        shots = os.environ.get("LEAD_SHOTS")
        if shots:
            page.screenshot(path=f"{shots}/decision-{level_count}-{phone}.png", full_page=True)
        if not phone:
            printed = page.pdf(prefer_css_page_size=True)
            assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 1
