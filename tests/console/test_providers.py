"""Pages of providers: what they show is what the flows and the API say."""

from starlette.testclient import TestClient

from fairlead.flows.money.bad_leads import report_bad_lead
from fairlead.store.connection import Database
from tests.flows.access.people import provider_user
from tests.flows.configuration.market import UNKNOWN
from tests.flows.sales import PORTAL, Sale


def seen(client: TestClient, path: str, **filters: str) -> str:
    """The page's text, with its spaces made one."""
    answer = client.get(path, params=filters)
    assert answer.status_code == 200, answer.text
    return " ".join(answer.text.split())


def test_a_marketplace_without_providers_says_how_there_come_to_be_some(ann: TestClient) -> None:
    text = seen(ann, "/providers")
    assert "No providers yet" in text
    assert 'href="/providers/new"' in text


def test_the_list_shows_balances_and_who_is_out_of_money(ann: TestClient, sale: Sale) -> None:
    text = seen(ann, "/providers")
    assert sale.anchor_id in text
    assert "€30.00" in text, "Anchor's balance after it bought gold"
    anchor, bowline = (text.index(each) for each in (sale.anchor_id, sale.bowline_id))
    assert text.rindex("out of money") > min(anchor, bowline), "beside the name, not only among the choices"
    assert "2 of 2" in text
    assert "0 of 2" in text


def test_what_the_overview_counts_as_out_of_money_is_listed(ann: TestClient, database: Database, sale: Sale) -> None:
    [waiting] = [each for each in ann.get("/api/v1/admin/attention").json()["items"] if "out_of_money" in each["kind"]]
    assert 'href="/providers?out_of_money=true"' in ann.get("/overview").text
    rows = ann.get("/providers?out_of_money=true").text.split("<tbody>")[1]
    assert rows.count("<tr>") == waiting["count"] == 1
    assert waiting["first_provider"] in rows
    assert "No provider is like that" in ann.get("/providers?out_of_money=true&q=Zephyr").text
    listed = ann.get("/api/v1/admin/providers?out_of_money=true").json()["items"]
    assert [each["name"] for each in listed] == [waiting["first_provider"]]
    others = ann.get("/api/v1/admin/providers?out_of_money=false").json()["items"]
    assert {each["name"] for each in [*listed, *others]} == {"Anchor", "Bowline"}


def test_the_list_is_searched_by_name_and_status_and_read_page_by_page(ann: TestClient, sale: Sale) -> None:
    assert sale.bowline_id not in seen(ann, "/providers", q="Anch")
    assert "No provider is like that" in seen(ann, "/providers", status="suspended")
    assert sale.anchor_id in seen(ann, "/providers", q="")
    first = seen(ann, "/providers", limit="1")
    assert "cursor=" in first
    assert ann.get("/providers", params={"status": "odd"}).status_code == 404


def test_a_provider_is_shown_with_what_it_got_and_pays(ann: TestClient, database: Database, sale: Sale) -> None:
    provider_user(database, sale.anchor_id)
    report_bad_lead(database, sale.anchor_id, sale.anchor, "unreachable", "rang for days", PORTAL)
    ann.post(f"/api/v1/admin/providers/{sale.anchor_id}/notes", json={"note": "pays late"})
    text = seen(ann, f"/providers/{sale.anchor_id}")
    for each in ("€30.00", "€20.00", "Cores at least 4", "rang for days", "pays late", "sales@anchor.example"):
        assert each in text, each
    assert sale.lead_id in text, "the cause of a purchase is a link"
    assert "2 active subscriptions stop" in text


def test_a_provider_that_lacks_money_is_shown_why_it_was_passed_over(ann: TestClient, sale: Sale) -> None:
    text = seen(ann, f"/providers/{sale.bowline_id}")
    report = ann.get(f"/api/v1/admin/providers/{sale.bowline_id}/activity").json()
    assert report["total"]["spent_cents"] == 500
    assert [each["received_count"] for each in report["items"]] == [1]
    assert "out of money" in text
    for each in report["passed_over"]:
        assert each["count"] == 1


def test_when_it_is_told_of_a_low_balance_is_changed_where_it_is_shown(ann: TestClient, sale: Sale) -> None:
    path = f"/api/v1/admin/providers/{sale.anchor_id}"
    assert "it is not told" in seen(ann, f"/providers/{sale.anchor_id}")
    change = {"low_balance_threshold_cents": 1550, "low_balance_days": 7}
    done = ann.patch(path, json=change, headers={"If-Match": ann.get(path).headers["ETag"]})
    assert done.status_code == 200, done.text
    text = seen(ann, f"/providers/{sale.anchor_id}")
    assert ("told below €15.50" in text, "told when it lasts for less than 7 days" in text) == (True, True)
    for name, value in (("low_balance_threshold_cents", "15.50"), ("low_balance_days", "7")):
        field = text.partition(f'name="{name}"')[2].partition(">")[0]
        assert (f'value="{value}"' in field, "data-null" in field) == (True, True), "emptied, it is not told"
    new = seen(ann, "/providers/new")
    assert ('name="low_balance_days"' in new, 'name="low_balance_threshold_cents"' in new) == (True, True)


def test_a_provider_that_is_not_there_is_a_page(ann: TestClient) -> None:
    for path in (f"/providers/{UNKNOWN}", "/providers/odd"):
        answer = ann.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 404
        assert "text/html" in answer.headers["content-type"]


def test_the_ledger_shows_each_cause_and_offers_what_can_be_refunded(ann: TestClient, sale: Sale) -> None:
    path = f"/providers/{sale.anchor_id}/ledger"
    refund = f"POST /api/v1/admin/assignments/{sale.anchor}/refund"
    text = seen(ann, path)
    assert all(each in text for each in ("\N{MINUS SIGN}€20.00", "€30.00", sale.lead_id, refund))
    assert sale.lead_id not in seen(ann, path, kind="deposit")
    done = ann.post(
        refund.removeprefix("POST "), json={"memo": "the number is not in use"}, headers={"Idempotency-Key": "a" * 32}
    )
    assert done.status_code == 200, done.text
    text = seen(ann, path)
    assert refund not in text
    assert "+€20.00" in text
    assert "the number is not in use" in text
    assert ann.get(f"/providers/{UNKNOWN}/ledger").status_code == 404
