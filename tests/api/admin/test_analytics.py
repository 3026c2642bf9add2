"""Reports that are read together: each part is what it is by itself."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.flows.money.refund import refund_assignment
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import a_provider
from tests.flows.sales import MEMO, Sale

REPORTS = "/api/v1/admin/reports"
PARTS = {
    "funnel": "funnel",
    "revenue": "revenue",
    "outcomes": "outcomes",
    "recipients": "recipients",
    "refunds": "refunds",
    "provider_activity": "provider-activity",
    "sources": "sources",
    "refusals": "refusals",
}


def told(client: TestClient, name: str, **wanted: Any) -> dict[str, Any]:
    answer = client.get(f"{REPORTS}/{name}", params=wanted)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("wanted", [{}, {"niche": "hosting"}, {"timezone": "Asia/Tokyo"}], ids=["all", "niche", "zone"])
def test_analytics_are_the_reports_one_by_one(
    ann: TestClient, database: Database, sale: Sale, wanted: dict[str, str]
) -> None:
    refund_assignment(database, sale.bowline, MEMO, OPERATOR)
    found = told(ann, "analytics", **wanted)
    for part, name in PARTS.items():
        assert found[part] == told(ann, name, **wanted)["items"] != [], part
    fill = told(ann, "fill-rate", **wanted)["items"] if "niche" in wanted else []
    assert found["fill_rate"] == fill
    figures = told(ann, "figures", **wanted)
    assert {name: found[name] for name in figures} == figures
    period = told(ann, "period", **wanted)
    for name in ("day_from", "day_before", "timezone", "currency", "figures", "earlier"):
        assert figures[name] == period[name], name
    assert figures["figures"]["refunded_cents"] == 500
    assert figures["earlier_day_before"] == figures["day_from"]


def test_analytics_by_month_begin_with_its_first_day(ann: TestClient, sale: Sale) -> None:
    by_day, by_month = told(ann, "analytics"), told(ann, "analytics", by_month=True)
    for part in ("funnel", "revenue", "refusals"):
        assert {each["day"][-2:] for each in by_month[part]} == {"01"}, part
        assert [each["day"][:7] for each in by_month[part]] == [each["day"][:7] for each in by_day[part]]


def test_money_is_the_statement_of_the_days_and_of_as_many_before(ann: TestClient, sale: Sale) -> None:
    found = told(ann, "money")
    now = datetime.now(UTC)
    span = {
        "created_from": (now - timedelta(days=2)).isoformat(),
        "created_before": (now + timedelta(days=2)).isoformat(),
    }
    assert found["statement"] == ann.get("/api/v1/admin/statement", params=span).json()
    assert found["earlier_totals"] == []
    tomorrow = (now + timedelta(days=1)).date()
    later = told(ann, "money", day_from=tomorrow, day_before=tomorrow + timedelta(days=1))
    assert (later["statement"]["totals"], later["earlier_totals"]) == ([], found["statement"]["totals"])
    years = told(ann, "money", day_from="2020-01-01")
    assert (years["statement"], years["day_from"]) == (found["statement"], "2020-01-01")


def test_providers_unknown_niches_and_bad_days_get_none_of_it(
    app: FastAPI, ann: TestClient, database: Database, sale: Sale
) -> None:
    provider = a_provider(app, database, sale.anchor_id)
    for name in ("analytics", "figures", "money"):
        assert provider.get(f"{REPORTS}/{name}").status_code == 403
        refused = ann.get(f"{REPORTS}/{name}", params={"day_from": "2026-02-02", "day_before": "2026-01-01"})
        assert refused.status_code == 422
        assert ann.get(f"{REPORTS}/{name}", params={"timezone": "Mars/Olympus"}).status_code == 422
    for name in ("analytics", "figures"):
        assert ann.get(f"{REPORTS}/{name}?niche=nothing-here").json()["code"] == "niche_unknown"
        assert ann.get(f"{REPORTS}/{name}?day_from=2020-01-01").status_code == 422
