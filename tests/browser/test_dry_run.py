"""An operator tries a lead that does not exist, in a real browser: it is drawn, and a refusal takes nothing away."""

import re
from datetime import datetime, timedelta

from playwright.sync_api import Page, expect

from fairlead.store.connection import Database
from tests.browser.site import Site
from tests.browser.watched import Visit, hindrances
from tests.flows.access.people import enrolled_admin
from tests.flows.marketplaces import HOSTING, declare, everything

MOVED_BY_READING = {"sessions", "rate_buckets", "live_head", "live_entries", "live_cursors"}
"""What a logged-in visitor moves by reading: the overview follows what commits, which is numbered for its readers."""


def test_a_lead_is_tried_refused_and_tried_again(database: Database, site: Site, visit: Visit) -> None:
    declare(database, HOSTING)
    page = visit(enrolled_admin(database).token)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/overview")
    page.get_by_role("link", name="Dry run").click()
    before = everything(database)
    page.get_by_label("Cores").fill("many")
    page.get_by_role("radio", name="north").check()
    page.get_by_role("button", name="Try it").click()
    expect(page.locator("[data-error-of='attributes/cores']")).to_be_visible()
    page.get_by_label("Cores").fill("8")
    moment = page.get_by_label(re.compile("As if it were"))
    moment.fill("2020-02-29T12:00")
    _try(page)
    expect(page.locator("[data-error-of='at']")).to_contain_text("this moment is over")
    expect(page.get_by_label("Cores")).to_have_value("8")
    expect(page.get_by_role("radio", name="north")).to_be_checked()
    expect(moment).to_have_value("2020-02-29T12:00")
    assert hindrances(page) == []
    moment.fill("")
    _try(page)
    picture = page.get_by_role("region", name="What would happen")
    expect(picture).to_contain_text("Nothing was written, and no turn has moved.")
    expect(picture.locator(".candidate.received")).to_have_count(2)
    expect(page.get_by_role("region", name="Who would pay what").get_by_role("row")).to_have_count(3)
    assert hindrances(page) == []
    page.get_by_label("Cores").fill("2")
    expect(page.locator("[data-stale]")).to_be_visible()
    later = datetime.now() + timedelta(days=3)  # noqa: DTZ005 - as an input has it
    moment.fill(later.strftime("%Y-%m-%dT%H:%M"))
    _try(page)
    expect(page.locator("[data-stale]")).to_be_hidden()
    expect(page.locator("[data-outcome]")).to_contain_text("Turns, balances and filters are those of now.")
    expect(picture).to_contain_text("they take 4 or more")
    assert hindrances(page) == []
    assert not [url for url in asked if "cores" in url or "north" in url], "answers stand in no address"
    after = everything(database)
    assert {table for table, rows in after.items() if rows != before[table]} <= MOVED_BY_READING


def _try(page: Page) -> None:
    with page.expect_response(re.compile("/dry-run/outcome")):
        page.get_by_role("button", name="Try it").click()
