"""What waits, the days in figures, and shares, over HTTP: the same as the other reports and the tables say."""

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.flows.distribute_niche import distribute_niche
from fairlead.flows.distributor import Distributor
from fairlead.flows.money.refund import refund_assignment
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import a_provider
from tests.flows.access.people import value
from tests.flows.sales import MEMO, Sale

ADMIN = "/api/v1/admin"


def report(client: TestClient, name: str, **wanted: Any) -> dict[str, Any]:
    answer = client.get(f"{ADMIN}/reports/{name}", params=wanted)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_figures_are_those_of_the_other_reports(ann: TestClient, database: Database, sale: Sale) -> None:
    refund_assignment(database, sale.bowline, MEMO, OPERATOR)
    submit_leads(database, "hosting", [{"cores": 2, "region": "south"}], OPERATOR, approve=False)
    told = report(ann, "period")
    now = told["figures"]
    funnel = report(ann, "funnel")["items"]
    money = report(ann, "revenue")["items"]
    fill = report(ann, "fill-rate", niche="hosting")["items"]
    assert now["received_count"] == sum(each["received_count"] for each in funnel) == 2
    assert now["sold_count"] == sum(each["distributed_count"] for each in funnel) == 1
    assert now["net_cents"] == sum(each["net_cents"] for each in money) == 2000
    assert now["refunded_cents"] == 500
    assert (now["assignments"], now["recipients_per_lead"], now["sold_share"]) == (2, 2.0, 0.5)
    assert now["assignment_seconds_p95"] == pytest.approx(
        value(database, "select extract(epoch from distributed_at - approved_at)::float8 from leads limit 1"), rel=0.06
    )
    assert told["slots"]["offered"] == sum(each["offered_slots"] for each in fill)
    assert told["slots"]["open"] == sum(each["offered_slots"] - each["filled_slots"] for each in fill)
    assert sum(each["slots"] for each in told["slots"]["reasons"]) == told["slots"]["open"]
    assert sum(each["received_count"] for each in told["buckets"]) == 2
    assert sum(each["decisions"] for each in told["buckets"]) == 1


def test_the_time_before_is_as_long_and_ends_where_the_days_begin(ann: TestClient, sale: Sale) -> None:
    told = report(ann, "period", day_from="2026-03-10", day_before="2026-03-12", timezone="Europe/Madrid")
    assert (told["earlier_since"], told["earlier_before"]) == ("2026-03-07T23:00:00Z", "2026-03-09T23:00:00Z")
    assert told["figures"]["received_count"] == 0
    assert told["figures"]["sold_share"] is told["figures"]["recipients_per_lead"] is None
    assert (told["is_hourly"], len(told["buckets"])) == (True, 48)
    assert not report(ann, "period", day_from="2026-03-10", day_before="2026-03-20")["is_hourly"]


def test_days_of_a_clock_change_have_as_many_hours_as_they_have(ann: TestClient, sale: Sale) -> None:
    for day, after, hours in (("2026-03-29", "2026-03-30", 23), ("2026-10-25", "2026-10-26", 25)):
        told = report(ann, "period", day_from=day, day_before=after, timezone="Europe/Madrid")
        assert len(told["buckets"]) == hours


def test_shares_are_those_of_the_assignments(ann: TestClient, sale: Sale) -> None:
    gold, silver = report(ann, "shares", niche="hosting")["items"]
    fair = {each["level_name"]: each for each in report(ann, "fairness", niche="hosting")["items"]}
    for level in (gold, silver):
        received = [each["received"] for each in level["subscriptions"]]
        assert level["assignments"] == sum(received) == fair[level["level_name"]]["assignments"]
        assert level["longest_wait"] == fair[level["level_name"]]["longest_wait"]
    by_provider = {each["provider_name"]: each for each in gold["subscriptions"]}
    assert (by_provider["Anchor"]["received"], by_provider["Anchor"]["reasons"]) == (1, [])
    assert by_provider["Bowline"]["received"] == 0


def test_who_received_less_than_others_is_told_why(ann: TestClient, database: Database, sale: Sale) -> None:
    # Both want the second lead at silver; Bowline's money is spent.
    submit_leads(database, "hosting", [{"cores": 2, "region": "north"}] * 3, OPERATOR, approve=True)

    niche_id = value(database, "select id::text from niches")
    assert list(distribute_niche(Distributor(database), niche_id))
    _, silver = report(ann, "shares", niche="hosting")["items"]
    bowline = next(each for each in silver["subscriptions"] if each["provider_name"] == "Bowline")
    assert bowline["ratio"] < 0.8
    assert "out_of_money" in bowline["reasons"]
    assert 1 / 2 <= silver["jain_index"] < 1


def test_what_waits_is_told_with_its_money(ann: TestClient, database: Database, sale: Sale) -> None:
    submit_leads(database, "hosting", [{"cores": 2, "region": "south"}], OPERATOR, approve=False)
    told = ann.get(f"{ADMIN}/attention").json()
    assert told["currency"] == "EUR"
    assert {each["kind"]: each["count"] for each in told["items"]} == {
        "leads_to_review": 1,
        "providers_out_of_money": 1,
    }


def test_providers_and_unknown_niches_get_none_of_it(
    app: FastAPI, ann: TestClient, database: Database, sale: Sale
) -> None:
    provider = a_provider(app, database, sale.anchor_id)
    for path in ("attention", "reports/period", "reports/shares?niche=hosting"):
        assert provider.get(f"{ADMIN}/{path}").status_code == 403
    assert ann.get(f"{ADMIN}/reports/shares", params={"niche": "nothing-here"}).json()["code"] == "niche_unknown"
