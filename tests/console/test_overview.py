"""The overview: what waits first, then the figures that the API's reports have."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.console.operator.attention import KINDS
from fairlead.flows.money.bad_leads import report_bad_lead
from fairlead.store.connection import Database
from tests.api.asking import a_provider
from tests.flows.access.people import add_provider
from tests.flows.sales import PORTAL, Sale


def test_an_empty_marketplace_says_what_would_be_here(ann: TestClient) -> None:
    text = ann.get("/overview").text
    assert "Nothing waits for you" in text
    assert "No slot stayed open" in text


def test_what_waits_is_told_and_counted_in_the_rail_of_every_page(
    ann: TestClient, database: Database, sale: Sale
) -> None:
    report_bad_lead(database, sale.anchor_id, sale.anchor, "spam", None, PORTAL)
    text = ann.get("/overview").text
    assert "1 report of a bad lead" in text
    assert 'href="/money/reports"' in text
    for path in ("/overview", "/design"):
        rail = ann.get(path).text.split('href="/money"')[1].split("</a>")[0]
        assert '<span class="count" title="waiting for someone to act">1</span>' in rail, path


def test_a_provider_is_told_nothing_of_what_waits(app: FastAPI, database: Database, sale: Sale) -> None:
    provider = a_provider(app, database, sale.anchor_id)
    assert provider.get("/overview").status_code == 403


def test_the_figures_are_those_of_the_report(ann: TestClient, sale: Sale) -> None:
    figures = ann.get("/api/v1/admin/reports/period").json()["figures"]
    text = ann.get("/overview?period=7").text
    assert figures["net_cents"] == 2500
    assert "€25.00" in text
    assert "100.0%" in text
    assert "Hosting" in text


@pytest.mark.parametrize(
    "query", ["period=99", "from=yesterday", "from=2026-02-02&to=2026-01-01", "from=2020-01-01&to=2026-01-01"]
)
def test_days_that_cannot_be_are_a_page_that_says_so(ann: TestClient, query: str) -> None:
    answer = ann.get(f"/overview?{query}", headers={"Accept": "text/html"})
    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"].startswith("text/html")


def test_names_are_shown_as_text(ann: TestClient, database: Database) -> None:
    add_provider(database, "<b>Bold</b>", "pending")
    text = ann.get("/overview").text
    assert "&lt;b&gt;Bold&lt;/b&gt;" in text
    assert "<b>Bold" not in text


@pytest.mark.parametrize("kind", KINDS)
def test_every_task_leads_to_a_page(ann: TestClient, kind: str) -> None:
    assert ann.get(KINDS[kind].address).status_code == 200
