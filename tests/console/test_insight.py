"""Fairness and analytics: the figures of the API's reports, as pages and as files that a spreadsheet may open."""

import csv
import io
from datetime import date

import pytest
from starlette.testclient import TestClient

from fairlead.flows.configuration.levels import LevelChange, change_level
from fairlead.flows.distributor import Distributor
from fairlead.flows.maintenance.count_entitlement import count_decisions
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.proving.verifications import verify_requested
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.maintenance.workers import maintenance_of
from tests.flows.sales import MEMO, query, sell


def table_of(client: TestClient, path: str) -> list[dict[str, str]]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["content-disposition"]
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


def test_without_anything_the_pages_say_what_would_be_here(ann: TestClient) -> None:
    assert ann.get("/fairness").text.count("No decision in these days") == 2
    text = ann.get("/analytics").text
    assert "Nothing was sold in these days" in text
    assert "Choose a niche" in text


def test_pages_and_files_say_what_the_reports_say(ann: TestClient, database: Database) -> None:
    sell(database)
    shares = ann.get("/api/v1/admin/reports/shares?niche=hosting").json()["items"]
    assert "Not counted yet" in ann.get("/fairness").text
    count_decisions(database)
    text = ann.get("/fairness").text
    assert "1 decision of these days counted from the journal" in text
    assert "fairlead verify --niche hosting" in text
    assert all(each["provider_name"] in text for level in shares for each in level["subscriptions"])
    rows = table_of(ann, "/fairness/shares.csv?niche=hosting")
    assert [int(each["received"]) for each in rows] == [
        each["received"] for level in shares for each in level["subscriptions"]
    ]

    levels = ann.get("/api/v1/admin/reports/entitlement?niche=hosting").json()["items"]
    rows = table_of(ann, "/fairness/entitlement.csv?niche=hosting")
    told = [each for level in levels for each in level["subscriptions"]]
    assert [(each["provider_id"], int(each["received"])) for each in rows] == [
        (each["provider_id"], each["received"]) for each in told
    ]
    assert all(each["provider_name"] in text for each in told)
    starts = ann.get("/api/v1/admin/reports/fairness?niche=hosting").json()["items"]
    assert [(each["level"], float(each["expected_starts"])) for each in table_of(ann, "/fairness/starts.csv")] == [
        (each["level_name"], each["expected_starts"]) for each in starts
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


def test_a_level_that_went_by_weights_in_these_days_has_no_bound_on_waits(ann: TestClient, database: Database) -> None:
    def bounds() -> dict[str, int | None]:
        count_decisions(database)
        levels = ann.get("/api/v1/admin/reports/entitlement?niche=hosting").json()["items"]
        told = {each["level_name"]: each["wait_bound"] for each in levels}
        in_file = {
            each["level"]: each["wait_bound"] for each in table_of(ann, "/fairness/entitlement.csv?niche=hosting")
        }
        assert in_file == {name: "" if bound is None else str(bound) for name, bound in told.items()}
        assert ann.get("/fairness").text.count("of at most") == sum(bound is not None for bound in told.values())
        return told

    sell(database)
    ann.get("/fairness")  # days are counted in the zones that were asked for
    assert bounds() == {"gold": 1, "silver": 0}
    [(silver, niche_id)] = query(
        database, "select id::text, niche_id::text from competition_levels where name = 'silver'"
    )
    for order in ("weighted", "least_recently_served"):
        change_level(database, silver, LevelChange(order=order), OPERATOR)
        submit_leads(database, "hosting", [{"cores": 8, "region": "north"}], OPERATOR, approve=True)
        Distributor(database).distribute_waiting(niche_id)
        assert bounds() == {"gold": 1, "silver": None}


def test_how_decisions_ended_and_what_was_refunded_are_told_as_the_reports_have_them(
    ann: TestClient, database: Database
) -> None:
    sale = sell(database)
    refund_assignment(database, sale.bowline, MEMO, OPERATOR)
    text = ann.get("/analytics").text
    for title in ("Success rate", "Assignments per decided lead", "Refund rates", "Hosting"):
        assert title in text
    rates = ann.get("/api/v1/admin/reports/refunds").json()["items"]
    assert {(each["group"], each["name"], each["refunded_count"], each["refund_rate"]) for each in rates} == {
        ("level", "gold", 0, 0.0),
        ("level", "silver", 1, 1.0),
        ("provider", "Anchor", 0, 0.0),
        ("provider", "Bowline", 1, 1.0),
        ("source", "", 1, 0.5),
    }
    assert [each["key"] for each in table_of(ann, "/analytics/refunds.csv")] == [each["key"] for each in rates]
    [outcome] = ann.get("/api/v1/admin/reports/outcomes").json()["items"]
    [row] = table_of(ann, "/analytics/outcomes.csv?niche=hosting")
    assert (row["niche"], int(row["decisions"]), float(row["success_rate"])) == ("hosting", 1, outcome["success_rate"])
    sizes = ann.get("/api/v1/admin/reports/recipients").json()["items"]
    assert [(each["recipients"], each["decisions"]) for each in sizes] == [(0, 0), (1, 0), (2, 1)]
    assert [int(each["decisions"]) for each in table_of(ann, "/analytics/recipients.csv")] == [0, 0, 1]


@pytest.mark.parametrize("period", ["period=90", "period=365", "from=2026-01-01&to=2026-02-28", "period=7"])
def test_each_span_is_told_beside_as_many_days_before(ann: TestClient, database: Database, period: str) -> None:
    sell(database)
    now, before = table_of(ann, f"/analytics/figures.csv?{period}&niche=hosting")
    first, end = date.fromisoformat(now["day_from"]), date.fromisoformat(now["day_before"])
    assert before["day_before"] == now["day_from"]
    assert date.fromisoformat(before["day_from"]) == first - (end - first)
    told = ann.get(
        "/api/v1/admin/reports/period",
        params={"day_from": now["day_from"], "day_before": now["day_before"], "niche": "hosting"},
    ).json()
    for row, figures in ((now, told["figures"]), (before, told["earlier"])):
        assert (int(row["assignments"]), int(row["net_cents"])) == (figures["assignments"], figures["net_cents"])
    for page in ("/analytics", "/fairness", "/money", "/overview"):
        assert ann.get(f"{page}?{period}").status_code == 200


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


def test_the_page_and_its_files_say_what_the_api_says_in_one_answer(ann: TestClient, database: Database) -> None:
    refund_assignment(database, sell(database).bowline, MEMO, OPERATOR)
    told = ann.get("/api/v1/admin/reports/analytics?niche=hosting").json()
    text = ann.get("/analytics?niche=hosting").text
    assert f"€{told['figures']['net_cents'] / 100:.2f}" in text
    assert all(each["provider_name"] in text for each in told["provider_activity"])
    assert all(each["level_name"] in text for each in told["fill_rate"])
    files = {"funnel": "funnel", "revenue": "revenue", "provider_activity": "providers", "sources": "sources"}
    for part, name in {**files, "refunds": "refunds", "outcomes": "outcomes", "refusals": "refusals"}.items():
        rows = table_of(ann, f"/analytics/{name}.csv?niche=hosting")
        assert len(rows) == len(told[part]) > 0, part
        for row, said in zip(rows, told[part], strict=True):
            shared = row.keys() & said.keys()
            assert {key: row[key] for key in shared} == {
                key: "" if said[key] is None else str(said[key]) for key in shared
            }, part
    [figures, earlier] = table_of(ann, "/analytics/figures.csv?niche=hosting")
    assert (figures["day_from"], figures["day_before"]) == (told["day_from"], told["day_before"])
    assert int(figures["net_cents"]) == told["figures"]["net_cents"] == 2000
    assert (earlier["day_from"], earlier["day_before"]) == (told["earlier_day_from"], told["earlier_day_before"])
