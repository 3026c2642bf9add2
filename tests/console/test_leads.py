"""The pages of leads: what they show is what the API says, and nothing personal stands in an address."""

import re
from datetime import UTC

from babel import Locale
from starlette.testclient import TestClient

from fairlead.api.concurrency_limits import REPLAYS
from fairlead.console.operator.decision_picture import picture_of
from fairlead.console.viewer import Viewer
from fairlead.flows.approve_lead import approve_lead
from fairlead.flows.configuration.provider_status import suspend_provider
from fairlead.flows.configuration.subscriptions import unsubscribe
from fairlead.flows.explaining.decision_queues import recorded_queues
from fairlead.flows.intake.confirmation import confirm_lead
from fairlead.flows.money.bad_leads import mark_lead_bad
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from tests.flows.access.people import rows, value
from tests.flows.intake.senders import VISITOR, link, open_niche, visit
from tests.flows.sales import MEMO, sell

ENGLISH = Viewer("en", Locale.parse("en"), UTC, "UTC", None)


def text_of(ann: TestClient, path: str, status: int = 200) -> str:
    """The page without its tags."""
    answer = ann.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == status, answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def test_a_lead_s_page_shows_its_decision_level_by_level(ann: TestClient, database: Database) -> None:
    sale = sell(database)
    page = text_of(ann, f"/leads/{sale.lead_id}")
    for each in (
        "distributed",
        "2 of 4 slots",
        "€50.00",
        "€30.00",
        "Charged €25.00 in one transaction",
        "next lead: 2",
    ):
        assert each in page
    assert "gold" in page.split("silver")[0], "the level that it starts at comes first"
    assert "Refunds 2 providers €25.00 in all" in page
    assert "Cores" in page, "answers have the form's labels"


def test_a_provider_is_told_why(ann: TestClient, database: Database) -> None:
    sale = sell(database)
    page = text_of(ann, f"/leads/{sale.lead_id}?provider={sale.bowline_id}")
    assert "Bowline and this lead" in page
    api = ann.get(f"/api/v1/admin/leads/{sale.lead_id}/explain", params={"provider_id": sale.bowline_id}).json()
    refused = [re.sub(r"([\d.]+) EUR", r"€\1", each["sentence"]) for each in api["levels"] if not each["received"]]
    assert refused
    assert all(each in page for each in refused), "the same sentence, with amounts as the page has them"


def test_leads_in_every_state_have_a_page(ann: TestClient, database: Database) -> None:
    sale = sell(database)
    [waiting] = submit_leads(database, "hosting", [{"cores": 1, "region": "south"}], OPERATOR, approve=False)
    page = text_of(ann, f"/leads/{waiting}")
    assert "It waits for approval" in page
    assert "Approve" in page
    assert "Verify" not in page
    mark_lead_bad(database, sale.lead_id, MEMO, OPERATOR)
    page = text_of(ann, f"/leads/{sale.lead_id}")
    assert "Net: €25.00 charged, €25.00 refunded" in page
    assert "Refunds 2" not in page
    text_of(ann, f"/leads/{new_id()}", 404)
    text_of(ann, "/leads/no-id", 404)
    text_of(ann, f"/leads/{sale.lead_id}?entry=1", 409)


def test_the_picture_has_every_number_that_the_journal_has(database: Database) -> None:
    sale = sell(database)
    story = recorded_queues(database, sale.lead_id)
    picture = picture_of(story, ENGLISH)
    assert (picture.charged_cents, picture.recipient_count, picture.slot_count) == (2500, 2, 4)
    for level, queue in zip(picture.levels, story.levels, strict=True):
        counted = sum(queue.result.counts.values()) + len(queue.result.refused) + len(queue.result.recipients)
        assert len(level.all_rows) + level.behind_count + level.outside_count == counted


def test_the_list_is_filtered_by_what_its_address_says(ann: TestClient, database: Database) -> None:
    sale = sell(database)
    [waiting] = submit_leads(database, "hosting", [{"cores": 1, "region": "south"}], OPERATOR, approve=False)
    page = ann.get("/leads").text
    assert f"/leads/{sale.lead_id}" in page
    assert f"/leads/{waiting}" in page
    page = ann.get("/leads?status=pending_approval&niche=").text
    assert f"/leads/{sale.lead_id}" not in page
    assert f"/leads/{waiting}" in page
    assert 'rel="next"' in ann.get("/leads?limit=1").text
    assert "No lead fits these filters" in text_of(ann, "/leads?status=bad")
    for wrong in ("status=odd", "limit=0", "cursor=x", "created_from=yesterday"):
        text_of(ann, f"/leads?{wrong}", 404)


def test_an_empty_marketplace_has_its_pages(ann: TestClient) -> None:
    assert "No leads yet" in text_of(ann, "/leads")
    assert "Nothing waits for approval" in text_of(ann, "/review")


def test_the_review_begins_with_the_lead_that_waits_longest(ann: TestClient, database: Database) -> None:
    sell(database)
    waiting = [
        submit_leads(database, "hosting", [{"cores": number, "region": "south"}], OPERATOR, approve=False)[0]
        for number in (1, 2)
    ]
    page = ann.get("/review").text
    assert f'data-lead="{waiting[0]}"' in page
    assert page.index(waiting[0]) < page.index(waiting[1])
    assert "2 left" in page
    assert "1 sold, 0 bad" in text_of(ann, f"/review/leads/{waiting[1]}")
    items = ann.get("/api/v1/admin/pending-leads").json()["items"]
    assert [each["lead_id"] for each in items] == waiting
    worth = ann.get(f"/api/v1/admin/leads/{waiting[1]}/source-worth").json()
    assert (worth["looked_at"], worth["lead_count"], worth["sold_count"], worth["net_cents"]) == (3, 2, 1, 2500)


def test_the_list_says_what_became_of_each_lead_and_leads_to_its_export(ann: TestClient, database: Database) -> None:
    sale = sell(database)
    details = [{"contact_name": "Ada Example", "utm_source": "newsletter"}]
    [waiting] = submit_leads(
        database, "hosting", [{"cores": 1, "region": "south"}], OPERATOR, approve=False, details=details
    )
    page = text_of(ann, "/leads")
    for each in ("2 leads in all", "Ada Example", "newsletter", "sold 2 of 4", "€25.00", f"Lead {sale.lead_id[:8]}"):
        assert each in page
    html = ann.get("/leads?niche=hosting&outcome=sold&period=7&columns=niche&columns=revenue&order=oldest").text
    assert f"/leads/{sale.lead_id}" in html
    assert f"/leads/{waiting}" not in html
    assert "columns=niche%2Crevenue&amp;order=oldest" in html
    [address] = re.findall(r'href="(/exports/new\?[^"]+)"', html)
    assert address.startswith("/exports/new?kind=leads&amp;niche=hosting&amp;outcome=sold&amp;created_from=")
    export = ann.get(address.replace("&amp;", "&"), headers={"Accept": "text/html"})
    assert export.status_code == 200, "the exports page takes the list's own parameters"
    assert "None among the leads looked at" not in text_of(ann, "/leads?from=2026-01-01&to=2026-01-02")
    for wrong in ("columns=salt", "from=1999-01-01", "outcome=odd", "order=best", "period=8"):
        assert ann.get(f"/leads?{wrong}", headers={"Accept": "text/html"}).status_code in (404, 422)


def test_a_provider_that_is_gone_is_told_why_at_each_decision(ann: TestClient, database: Database) -> None:
    sale = sell(database)
    subscription = value(database, "select id::text from subscriptions where provider_id = %s limit 1", sale.bowline_id)
    unsubscribe(database, subscription, OPERATOR, of_provider_id=None)
    suspend_provider(database, sale.bowline_id, OPERATOR)
    page = text_of(ann, f"/leads/{sale.lead_id}?provider={sale.bowline_id}")
    assert "Bowline and this lead" in page
    assert "received the lead" in page.split("Bowline and this lead")[1]
    [entry] = rows(database, "select seq from niche_journal where kind = 'decision'")
    assert "Bowline and this lead" in text_of(ann, f"/leads/{sale.lead_id}?provider={sale.bowline_id}&entry={entry}")
    text_of(ann, f"/leads/{sale.lead_id}?provider={sale.bowline_id}&entry={entry + 1}", 409)


def test_pages_take_the_limit_of_replays_and_are_there_without_the_decision(
    ann: TestClient, database: Database
) -> None:
    sale = sell(database)
    with REPLAYS.slot("one operator"), REPLAYS.slot("another"):
        assert ann.get(f"/api/v1/admin/leads/{sale.lead_id}/queues").status_code == 429
        page = text_of(ann, f"/leads/{sale.lead_id}")
    assert "Its decision is not shown" in page
    assert "what each provider paid" in page
    assert "2 of 4 slots" in text_of(ann, f"/leads/{sale.lead_id}")


def test_the_timeline_goes_from_the_first_byte_to_the_last_message(ann: TestClient, database: Database) -> None:
    open_niche(database, is_public=True)
    lead_id = visit(database).lead_id
    confirm_lead(database, link(database, lead_id), VISITOR)
    approve_lead(database, lead_id, OPERATOR)
    page = text_of(ann, f"/leads/{lead_id}")
    moments = page[page.index("Timeline") :]
    told = [moments.index(each) for each in ("Received from outside", "Confirmed by the consumer", "Approved")]
    assert told == sorted(told)
    assert "Lead to be confirmed" in page, "among the messages"
