"""An operator erases a consumer and archives a niche in a real browser; what is gone is gone from every page."""

import json
import re

from playwright.sync_api import Page, expect

from fairlead.flows.distributor import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.browser.site import Site
from tests.browser.watched import Visit, hindrances
from tests.flows.access.people import enrolled_admin, provider_user, rows, value
from tests.flows.sales import Sale, sell

CORA = {"contact_name": "Cora Canary", "contact_email": "Cora.Canary@example.com", "contact_phone": "+49 30 7654321"}
PERSONAL = re.compile("canary|7654321", re.IGNORECASE)


def sell_to_anchor(database: Database) -> tuple[Sale, list[str]]:
    """Two leads of one person, of which Anchor bought both; and one of another person."""
    sale = sell(database)
    leads = [{"cores": 2, "region": "south"}] * 2
    lead_ids = submit_leads(database, "hosting", leads, OPERATOR, approve=True, details=[CORA, CORA])
    Distributor(database).distribute_waiting(value(database, "select id::text from niches"))
    return sale, list(lead_ids)


def confirm(page: Page) -> None:
    page.locator("#confirm-dialog [data-dialog-button]").click()


def test_a_person_is_looked_for_handed_over_and_erased(database: Database, site: Site, visit: Visit) -> None:
    sale, lead_ids = sell_to_anchor(database)
    page = visit(enrolled_admin(database).token)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/settings/personal-data")
    expect(page.get_by_text("Nothing was erased yet")).to_be_visible()
    person = page.get_by_label("Email address or telephone number")
    person.fill("cora.canary@EXAMPLE.com")
    page.get_by_role("button", name="Show what would go").click()
    expect(page.locator("[data-summary]")).to_have_text("2 leads would be erased.")
    expect(page.locator("[data-rows-of-person] tr").first).to_contain_text("Anchor")
    assert hindrances(page) == []
    with page.expect_download() as download:
        page.get_by_role("button", name="All that is held of this person").click()
    assert not PERSONAL.search(download.value.suggested_filename)
    held = json.dumps(json.loads(download.value.path().read_text(encoding="utf-8")))
    assert all(each in held for each in (*lead_ids, "Cora Canary"))
    assert sale.lead_id not in held
    erase = page.locator("form[data-erase]")
    erase.get_by_label("Why").select_option(index=1)
    erase.get_by_role("button", name="Erase all of them").click()
    expect(page.locator("[data-dialog-text]")).to_contain_text("those who bought one are told to erase it, too")
    confirm(page)
    expect(page.get_by_role("region", name="Erased so far").get_by_role("row")).to_have_count(3)
    assert hindrances(page) == []
    assert not PERSONAL.search(" ".join(asked))
    assert rows(database, "select count(*) from leads where erased_at is not null") == [2]
    _is_gone(page, lead_ids[0])
    _is_gone_for_its_buyer(database, visit, sale, lead_ids[0])


def _is_gone(page: Page, lead_id: str) -> None:
    """From the lead's page, whose decision is still there and still verifies."""
    page.goto(f"/leads/{lead_id}")
    expect(page.get_by_text("Its personal data was erased on")).to_be_visible()
    assert not PERSONAL.search(page.content())
    page.get_by_role("button", name="Verify").click()
    expect(page.locator("[data-verified]")).to_have_class(re.compile("text-ok"))
    assert hindrances(page) == []


def _is_gone_for_its_buyer(database: Database, visit: Visit, sale: Sale, lead_id: str) -> None:
    page = visit(provider_user(database, sale.anchor_id).token, phone=True)
    page.goto("/portal/inbox")
    assert not PERSONAL.search(page.content())
    bought = value(
        database, "select id::text from assignments where lead_id = %s and provider_id = %s", lead_id, sale.anchor_id
    )
    page.goto(f"/portal/leads/{bought}")
    expect(page.get_by_role("heading", name="Erased lead")).to_be_visible()
    expect(page.get_by_text("Please erase what you have of it too")).to_be_visible()
    assert not PERSONAL.search(page.content())
    assert hindrances(page) == []


def test_a_niche_is_archived_and_restored(database: Database, site: Site, visit: Visit) -> None:
    sell(database)
    niche_id = value(database, "select id::text from niches")
    submit_leads(database, "hosting", [{"cores": 8, "region": "north"}], OPERATOR, approve=True)
    page = visit(enrolled_admin(database).token)
    page.goto(f"/niches/{niche_id}")
    page.locator("summary", has_text="Archive the niche").click()
    card = page.locator("details[open]", has_text="Archive the niche")
    expect(card).to_contain_text("1 approved lead is not distributed while the niche is archived.")
    expect(card).to_contain_text("4 subscriptions receive nothing; providers with one: 2.")
    assert hindrances(page) == []
    card.get_by_label("Why").fill("the season is over")
    card.get_by_role("button", name="Archive the niche").click()
    confirm(page)
    expect(page).to_have_url(re.compile("archived=true"))
    expect(page.get_by_role("row", name=re.compile("Hosting.*archived"))).to_be_visible()
    assert hindrances(page) == []
    page.get_by_role("link", name="Hosting").click()
    expect(page.get_by_text("This niche is archived")).to_be_visible()
    assert hindrances(page) == []
    page.get_by_role("button", name="Restore").click()
    expect(page.locator(".heading .label")).to_have_text("disabled")
    audited = rows(database, "select memo from audit_log where action = 'niche.archived'")
    assert audited == ["the season is over"]
