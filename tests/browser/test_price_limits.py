"""Before a level is made dearer, its forms say whom that leaves out; a provider left out reads it in the portal."""

import os
from collections.abc import Mapping

import pytest
from playwright.sync_api import Page, expect

from fairlead.flows.configuration.levels import LevelChange, change_level
from fairlead.flows.configuration.price_rules import set_price_rules
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.portal import subscription
from tests.browser.site import Site
from tests.browser.test_every_page import too_wide
from tests.browser.watched import Visit, await_script, hindrances
from tests.flows.access.people import enrolled_admin, provider_user
from tests.flows.marketplaces import declare
from tests.flows.sales import query, sell, told

pytestmark = pytest.mark.slow

OLD = {"name": "Old ones", "price_cents": 1500, "lead_age_minutes": {"from": 120}}
SAID: Mapping[str, tuple[str, str, str]] = {
    "en": (
        "2 subscriptions get no lead any more: each pays at most less than the level then asks. "
        "Their 2 providers are told.",
        "One subscription gets no lead any more: it pays at most less than the level then asks. Its provider is told.",
        "No subscription stops or starts.",
    ),
    "de": (
        "2 Abonnements erhalten keine Leads mehr: Jedes zahlt höchstens weniger, als die Stufe dann verlangt. "
        "Ihre 2 Anbieter werden benachrichtigt.",
        "Ein Abonnement erhält keine Leads mehr: Es zahlt höchstens weniger, als die Stufe dann verlangt. "
        "Sein Anbieter wird benachrichtigt.",
        "Kein Abonnement hält an oder läuft an.",
    ),
}


def pay_at_most(database: Database, **cents: int) -> None:
    """So much these providers pay at most for a lead of the level gold."""
    own = '[[provider]]\nemail = "{}@example.com"\nsubscription = [{{ niche = "hosting", level = "gold", {} }}]\n'
    declare(database, "".join(own.format(name, f"max_price_cents = {most}") for name, most in cents.items()))


def picture(page: Page, name: str) -> None:
    """Kept where FAIRLEAD_PICTURES names a folder, for those who look at them."""
    if folder := os.environ.get("FAIRLEAD_PICTURES"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.parametrize("language", SAID)
def test_a_dearer_level_says_on_its_forms_whom_it_leaves_out(
    language: str, database: Database, site: Site, visit: Visit
) -> None:
    both, one, nothing = SAID[language]
    sale = sell(database)
    pay_at_most(database, anchor=2400, bowline=2000)
    [(niche_id, gold)] = query(database, "select niche_id::text, id::text from competition_levels where name = 'gold'")
    page = visit(enrolled_admin(database).token, dark=language == "de", phone=language == "de")
    page.context.add_cookies([{"name": "language", "value": language, "url": site.address}])
    page.goto(f"/niches/{niche_id}")
    form = page.locator(f"form[data-preview$='/levels/{gold}/preview'][data-started]")
    expect(form).to_be_attached()
    page.locator("details", has=form).locator("summary").click()
    outcome = form.locator("[data-outcome]")
    for amount, said in (("25.00", both), ("24.00", one), ("19.00", nothing), ("20.01", one)):
        form.locator("[name=price_cents]").fill(amount)
        expect(outcome).to_have_text(said)
    picture(page, f"level-{language}")
    assert (hindrances(page), too_wide(page)) == ([], [])
    form.locator("button[type=submit]").click()
    expect(page.locator("#confirm-dialog")).to_contain_text(one)
    with page.expect_navigation():
        page.locator("#confirm-dialog button.primary, #confirm-dialog button.danger").first.click()
    assert told(database, "price_limit_passed") == [("Bowline", {"lowest_price_cents": 2001, "max_price_cents": 2000})]

    set_price_rules(database, gold, {"version": 1, "rules": [OLD]}, OPERATOR)
    pay_at_most(database, anchor=1600, bowline=2000)
    page.goto(f"/niches/{niche_id}/levels/{gold}/price-rules")
    await_script(page, "price-rules.js")
    form = page.locator("form[data-module='price-rules.js']")
    for amount, said in (("16.00", nothing), ("19.50", one)):
        form.locator("[data-part=price]").fill(amount)
        expect(form.locator("[data-outcome]")).to_have_text(said)
    picture(page, f"rules-{language}")
    assert (hindrances(page), too_wide(page)) == ([], [])
    form.locator("button[type=submit]").click()
    expect(page.locator("#confirm-dialog")).to_contain_text(one)

    change_level(database, gold, LevelChange(price_cents=2600), OPERATOR)
    set_price_rules(database, gold, {"version": 1, "rules": []}, OPERATOR)
    portal = visit(provider_user(database, sale.anchor_id).token, phone=language == "de")
    portal.context.add_cookies([{"name": "language", "value": language, "url": site.address}])
    portal.goto(f"/portal/subscriptions/{subscription(database, sale.anchor_id, 'gold')}")
    warned = {"en": "never asks less than €26.00, and you pay €16.00 at most", "de": "und Sie zahlen höchstens"}
    expect(portal.locator(".form-error", has_text=warned[language])).to_be_visible()
    picture(portal, f"portal-{language}")
