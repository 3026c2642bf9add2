"""Fairness and analytics: the figures of the API's reports, as pages and as files that a spreadsheet may open."""

import csv
import io

from starlette.testclient import TestClient

from fairlead.flows.verifications import verify_requested
from fairlead.store.connection import Database
from tests.flows.maintenance.workers import maintenance_of
from tests.flows.sales import sell


def table_of(client: TestClient, path: str) -> list[dict[str, str]]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["content-disposition"]
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def test_without_anything_the_pages_say_what_would_be_here(ann: TestClient) -> None:
    assert "No subscriptions yet" in ann.get("/fairness").text
    text = ann.get("/analytics").text
    assert "Nothing was sold in these days" in text
    assert "Choose a niche" in text


def test_pages_and_files_say_what_the_reports_say(ann: TestClient, database: Database) -> None:
    sell(database)
    shares = ann.get("/api/v1/admin/reports/shares?niche=hosting").json()["items"]
    text = ann.get("/fairness").text
    assert "fairlead verify --niche hosting" in text
    assert all(each["provider_name"] in text for level in shares for each in level["subscriptions"])
    rows = table_of(ann, "/fairness/shares.csv?niche=hosting")
    assert [int(each["received"]) for each in rows] == [
        each["received"] for level in shares for each in level["subscriptions"]
    ]

    money = ann.get("/api/v1/admin/reports/revenue").json()["items"]
    text = ann.get("/analytics?niche=hosting").text
    assert "€20.00" in text
    assert "silver" in text
    assert [int(each["net_cents"]) for each in table_of(ann, "/analytics/revenue.csv")] == [
        each["net_cents"] for each in money
    ]
    assert table_of(ann, "/analytics/funnel.csv?period=7")[0]["distributed_count"] == "1"
    assert {each["provider_name"] for each in table_of(ann, "/analytics/providers.csv")} == {"Anchor", "Bowline"}
    assert sum(int(each["received_count"]) for each in table_of(ann, "/analytics/leads.csv")) == 1
    slots = ann.get("/api/v1/admin/reports/period").json()["slots"]
    assert sum(int(each["slots"]) for each in table_of(ann, "/analytics/open-slots.csv?period=30")) == slots["open"]


def test_a_niche_that_is_not_there_is_a_page_that_says_so(ann: TestClient) -> None:
    for path in ("/fairness", "/analytics"):
        answer = ann.get(f"{path}?niche=nothing-here", headers={"Accept": "text/html"})
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")


def test_pages_say_when_the_past_was_verified(ann: TestClient, database: Database) -> None:
    sell(database)
    for path in ("/overview", "/fairness", "/money"):
        assert "not verified yet" in ann.get(path).text, path
    asked = ann.post("/api/v1/admin/verifications", json={}).json()
    assert f'data-verification="{asked["verification_id"]}"' in ann.get("/fairness").text
    verify_requested(maintenance_of(database))
    for path in ("/overview", "/fairness", "/money", "/fairness/proofs"):
        assert "1 decision taken again, byte for byte" in ann.get(path).text, path
    text = ann.get("/fairness/proofs").text
    assert "nothing to check" in text
    assert "all niches" in text


def test_sources_and_refusals_are_told_as_the_reports_have_them(ann: TestClient, database: Database) -> None:
    sell(database)
    [source] = ann.get("/api/v1/admin/reports/sources?niche=hosting").json()["items"]
    assert (source["source"], source["received_count"], source["assignments"], source["net_cents"]) == ("", 1, 2, 2500)
    assert (source["sold_share"], source["recipients_per_lead"], source["refund_rate"]) == (1.0, 2.0, 0.0)
    text = ann.get("/analytics").text
    assert "none given" in text
    assert "Refused while a slot stayed open, by day" in text
    [row] = table_of(ann, "/analytics/sources.csv")
    assert (row["assigned_leads"], row["net_cents"]) == ("1", "2500")
    refused = ann.get("/api/v1/admin/reports/refusals").json()["items"]
    fill = ann.get("/api/v1/admin/reports/fill-rate?niche=hosting").json()["items"]
    by_reason = {each["reason"]: each["open_slot_count"] for each in refused if each["open_slot_count"]}
    assert by_reason == {reason: count for level in fill for reason, count in level["reasons"].items()}
    assert len(table_of(ann, "/analytics/refusals.csv")) == len(refused)
