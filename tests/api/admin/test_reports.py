"""Reports, the overview, ledgers and sales over HTTP: the figures of the tables, for the days that are meant."""

from datetime import date, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.flows.access.read_limits import REPORTS_OF_CALLER
from fairlead.flows.money.refund import refund_assignment
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import a_provider
from tests.by_hand import APPROVED, CAME_IN, rows_by_hand
from tests.flows.access.people import rows, value
from tests.flows.sales import MEMO, Sale

ADMIN = "/api/v1/admin"
REPORTS = ("fairness", "fill-rate", "revenue", "funnel", "provider-activity")


def report(client: TestClient, name: str, **wanted: Any) -> dict[str, Any]:
    answer = client.get(f"{ADMIN}/reports/{name}", params=wanted)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_fairness_and_fill_rate_of_a_niche(ann: TestClient, sale: Sale) -> None:
    fair = {each["level_name"]: each for each in report(ann, "fairness", niche="hosting")["items"]}
    assert [(name, each["starts"], each["assignments"]) for name, each in fair.items()] == [
        ("gold", 1, 1),
        ("silver", 0, 1),
    ]
    assert sum(each["expected_starts"] for each in fair.values()) == 1
    filled = {each["level_name"]: each for each in report(ann, "fill-rate", niche="hosting")["items"]}
    assert (filled["gold"]["fill_rate"], filled["silver"]["offered_slots"], filled["silver"]["filled_slots"]) == (
        1.0,
        3,
        1,
    )


def test_revenue_funnel_and_activity(ann: TestClient, database: Database, sale: Sale) -> None:
    refund_assignment(database, sale.bowline, MEMO, OPERATOR)
    money = report(ann, "revenue", niche="hosting")
    assert money["currency"] == "EUR"
    sums = {each["level_name"]: (each["gross_cents"], each["refunded_cents"]) for each in money["items"]}
    assert sums == {"gold": (2000, 0), "silver": (500, 500)}
    assert {each["level_name"]: each["net_cents"] for each in money["items"]} == {"gold": 2000, "silver": 0}
    [day] = report(ann, "funnel")["items"]
    assert (day["niche"], day["received_count"], day["distributed_count"]) == ("hosting", 1, 1)
    active = report(ann, "provider-activity")["items"]
    assert [(each["provider_id"], each["spent_cents"]) for each in active] == [
        (sale.anchor_id, 2000),
        (sale.bowline_id, 500),
    ]
    [own] = report(ann, "provider-activity", provider_id=sale.bowline_id)["items"]
    assert (own["refunded_cents"], own["acceptance_rate"]) == (500, None)


@rows_by_hand(APPROVED, CAME_IN)
def test_days_are_those_of_the_time_zone(ann: TestClient, database: Database, sale: Sale) -> None:
    value(database, "update leads set created_at = '2026-03-01T23:30:00Z'")
    asked = {"day_from": "2026-03-01", "day_before": "2026-03-02"}
    assert [each["day"] for each in report(ann, "funnel", **asked)["items"]] == ["2026-03-01"]
    assert report(ann, "funnel", **asked, timezone="Europe/Madrid")["items"] == []
    next_day = report(ann, "funnel", day_from="2026-03-02", day_before="2026-03-03", timezone="Europe/Madrid")
    assert [each["day"] for each in next_day["items"]] == ["2026-03-02"]
    assert next_day["timezone"] == "Europe/Madrid"


@rows_by_hand(APPROVED, CAME_IN)
@pytest.mark.parametrize(
    ("timezone", "moment", "day"),
    [
        # Both halves of the hour that comes twice, and what is just outside.
        ("Atlantic/Azores", "2026-10-24T23:59:59Z", "2026-10-24"),
        ("Atlantic/Azores", "2026-10-25T00:30:00Z", "2026-10-25"),
        ("Atlantic/Azores", "2026-10-25T01:30:00Z", "2026-10-25"),
        ("America/Havana", "2026-11-01T04:30:00Z", "2026-11-01"),
        ("America/Havana", "2026-11-01T03:59:59Z", "2026-10-31"),
        ("Africa/Cairo", "2026-04-23T22:00:00Z", "2026-04-24"),
    ],
)
def test_a_midnight_that_comes_twice_or_never_is_on_its_day(
    ann: TestClient, database: Database, sale: Sale, timezone: str, moment: str, day: str
) -> None:
    value(database, "update leads set created_at = %s", moment)
    for offset in (-1, 0, 1):
        asked = date.fromisoformat(day) + timedelta(days=offset)
        span = {"day_from": str(asked), "day_before": str(asked + timedelta(days=1))}
        told = report(ann, "funnel", **span, timezone=timezone)["items"]
        assert [each["day"] for each in told] == ([day] if offset == 0 else [])


def test_without_days_it_is_the_last_thirty(ann: TestClient, database: Database, sale: Sale) -> None:
    [(tomorrow, first)] = rows(
        database,
        "select (now() at time zone 'Asia/Tokyo')::date + 1, (now() at time zone 'Asia/Tokyo')::date - 29",
    )
    told = report(ann, "funnel", timezone="Asia/Tokyo")
    assert (told["day_from"], told["day_before"]) == (str(first), str(tomorrow))
    assert report(ann, "funnel", day_before="2026-03-31")["day_from"] == "2026-03-01"


@pytest.mark.parametrize(
    "wanted",
    [
        {"day_from": "2026-03-02", "day_before": "2026-03-02"},
        {"day_from": "2025-01-01", "day_before": "2026-12-31"},
        {"timezone": "Mars/Olympus"},
        {"timezone": "localtime"},
        {"timezone": "Factory", "day_from": "2026-03-01", "day_before": "2026-03-02"},
        {"timezone": "posixrules"},
        {"day_before": "0001-01-01"},
        {"day_before": "9999-12-31"},
        {"day_from": "yesterday"},
    ],
)
def test_days_that_cannot_be_are_refused(ann: TestClient, sale: Sale, wanted: dict[str, str]) -> None:
    for name in REPORTS:
        answer = ann.get(f"{ADMIN}/reports/{name}", params={"niche": "hosting", **wanted})
        assert (answer.status_code, answer.json()["code"]) == (422, "input_invalid"), name


def test_a_niche_that_is_not_there(ann: TestClient, sale: Sale) -> None:
    for name in REPORTS:
        answer = ann.get(f"{ADMIN}/reports/{name}", params={"niche": "nothing-here"})
        assert (answer.status_code, answer.json()["code"]) == (404, "niche_unknown")


def test_the_overview_counts_what_there_is(ann: TestClient, sale: Sale) -> None:
    seen = ann.get(f"{ADMIN}/overview").json()
    assert (seen["providers"], seen["balances_cents"]) == ({"active": 2}, 3100)
    assert seen["ledger_total_cents"] == seen["balances_cents"]
    [niche] = seen["niches"]
    assert (niche["slug"], niche["leads"], niche["assignments"]) == ("hosting", {"distributed": 1}, 2)


def pages(client: TestClient, address: str, **wanted: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        answer = client.get(address, params=wanted | ({} if cursor is None else {"cursor": cursor}))
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        if (cursor := answer.json()["next_cursor"]) is None:
            return found


def test_ledgers_page_by_page(ann: TestClient, database: Database, sale: Sale) -> None:
    every = pages(ann, f"{ADMIN}/ledger", limit=1)
    assert len(every) == len({(each["provider_id"], each["seq"]) for each in every}) == 4
    own = pages(ann, f"{ADMIN}/providers/{sale.anchor_id}/ledger", limit=1)
    assert [(each["seq"], each["amount_cents"], each["balance_after_cents"]) for each in own] == [
        (2, -2000, 3000),
        (1, 5000, 5000),
    ]
    assert own[0]["lead_id"] == sale.lead_id
    assert {each["kind"] for each in pages(ann, f"{ADMIN}/ledger", kind="deposit")} == {"deposit"}
    assert ann.get(f"{ADMIN}/ledger").json()["currency"] == "EUR"
    assert pages(ann, f"{ADMIN}/ledger", created_before="2020-01-01T00:00:00Z") == []
    # Any text of the form is a place.
    assert ann.get(f"{ADMIN}/ledger", params={"cursor": "_" * 43}).status_code == 200
    assert ann.get(f"{ADMIN}/ledger", params={"cursor": "f" * 43}).status_code == 200


def test_a_statement_adds_up(ann: TestClient, sale: Sale) -> None:
    span = {"created_from": "2020-01-01T00:00:00Z", "created_before": "2999-01-01T00:00:00Z"}
    told = ann.get(f"{ADMIN}/providers/{sale.anchor_id}/statement", params=span).json()
    assert (told["opening_balance_cents"], told["closing_balance_cents"]) == (0, 3000)
    assert {each["kind"]: each["amount_cents"] for each in told["totals"]} == {"deposit": 5000, "lead_purchase": -2000}
    assert ann.get(f"{ADMIN}/providers/{sale.anchor_id}/statement").status_code == 422


def test_sales_are_listed_by_filter(ann: TestClient, sale: Sale) -> None:
    every = pages(ann, f"{ADMIN}/assignments", limit=1)
    assert {each["assignment_id"] for each in every} == {sale.anchor, sale.bowline}
    assert {each["currency"] for each in every} == {"EUR"}
    [own] = pages(ann, f"{ADMIN}/assignments", provider_id=sale.anchor_id)
    assert (own["assignment_id"], own["price_cents"], own["level_name"]) == (sale.anchor, 2000, "gold")
    assert [each["assignment_id"] for each in pages(ann, f"{ADMIN}/assignments", level_id=own["level_id"])] == [
        sale.anchor
    ]
    assert pages(ann, f"{ADMIN}/assignments", niche="nothing-here") == []
    assert pages(ann, f"{ADMIN}/assignments", status="refunded") == []
    latest = {"assigned_before": "9999-12-31T23:59:59.999999Z"}
    assert len(pages(ann, f"{ADMIN}/assignments", **latest)) == 2


def test_a_provider_that_is_not_there(ann: TestClient, sale: Sale) -> None:
    span = {"created_from": "2020-01-01T00:00:00Z", "created_before": "2999-01-01T00:00:00Z"}
    for answer in (
        ann.get(f"{ADMIN}/providers/{sale.lead_id}/ledger"),
        ann.get(f"{ADMIN}/providers/{sale.lead_id}/statement", params=span),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "provider_unknown")


def test_reports_are_not_for_asking_all_the_time(ann: TestClient, database: Database, sale: Sale) -> None:
    value(
        database,
        "update rate_buckets set full_at = now() + make_interval(secs => %s) where name like 'reports_of_caller%%'",
        REPORTS_OF_CALLER.capacity * REPORTS_OF_CALLER.seconds_per_token,
    )
    report(ann, "funnel")
    value(
        database,
        "update rate_buckets set full_at = now() + make_interval(secs => %s) where name like 'reports_of_caller%%'",
        REPORTS_OF_CALLER.capacity * REPORTS_OF_CALLER.seconds_per_token,
    )
    refused = ann.get(f"{ADMIN}/reports/funnel")
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_attempts")
    assert int(refused.headers["retry-after"]) >= 1
    assert ann.get(f"{ADMIN}/ledger").status_code == 200, "what is cheap is not limited with it"


def test_providers_see_none_of_it(app: FastAPI, database: Database, sale: Sale) -> None:
    sam = a_provider(app, database, sale.anchor_id)
    own = f"{ADMIN}/providers/{sale.anchor_id}"
    addresses = [f"{ADMIN}/reports/{name}?niche=hosting" for name in REPORTS]
    for address in [*addresses, f"{ADMIN}/overview", f"{ADMIN}/ledger", f"{own}/ledger", f"{ADMIN}/assignments"]:
        answer = sam.get(address)
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_missing"), address
