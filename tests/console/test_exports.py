"""Exports: which there are to request, the form with a list's filters, and what is told of each."""

import re
from html import unescape

from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.console.operator.exports import KIND_TEXTS
from fairlead.flows.exporting.kinds import KINDS
from fairlead.store.connection import Database
from tests.api.asking import a_provider
from tests.flows.access.people import value
from tests.flows.exporting.exports import builder, forget_jobs
from tests.flows.sales import Sale

EXPORTS = "/api/v1/admin/exports"


def requested(ann: TestClient, kind: str, **more: object) -> str:
    return ann.post(EXPORTS, json={"kind": kind, **more}).json()["export_id"]


def test_nothing_yet_says_how_to_begin(ann: TestClient) -> None:
    text = ann.get("/exports").text
    assert "No export was requested" in text
    assert 'href="/exports/new"' in text


def test_every_kind_is_offered_with_its_form(ann: TestClient, sale: Sale) -> None:
    text = ann.get("/exports/new").text
    assert list(KIND_TEXTS) == list(KINDS)
    for name, kind in KINDS.items():
        assert f'href="/exports/new?kind={name}"' in text
        form = ann.get("/exports/new", params={"kind": name})
        assert form.status_code == 200
        assert 'data-api="POST /api/v1/admin/exports"' in form.text
        for column in kind.columns:
            assert f'value="{column.name}"' in form.text


def test_a_list_leads_to_the_form_with_its_filters(ann: TestClient, sale: Sale) -> None:
    given = {
        "kind": "leads",
        "niche": "hosting",
        "status": "distributed",
        "source": "newsletter",
        "outcome": "sold",
        "created_from": "2026-01-01T00:00:00Z",
        "created_before": "2026-02-01T00:00:00Z",
        "id_prefix": "01",
    }
    text = ann.get("/exports/new", params=given).text
    for said in (
        '<option value="hosting" selected>',
        '<option value="distributed" selected>',
        '<option value="sold" selected>',
        'value="newsletter"',
        'value="2026-01-01"',
        'value="2026-01-31"',
    ):
        assert said in text, said
    assert '<option value="approved" selected>' in ann.get("/exports/new?kind=leads&state=approved").text
    assert ann.get("/exports/new?kind=secrets").status_code == 404
    assert ann.get("/exports/new?kind=leads&other=1").status_code == 404


def test_what_runs_shows_how_far_it_is_and_what_is_ready_can_be_fetched(
    ann: TestClient, database: Database, sale: Sale
) -> None:
    ready, waiting = requested(ann, "ledger", filters={"niche": "hosting"}), requested(ann, "leads")
    assert builder(database).build(ready)
    forget_jobs(database)
    value(database, "update exports set rows_written = 40, rows_expected = 100 where id = %s", waiting)
    text = ann.get("/exports").text
    assert f'href="{EXPORTS}/{ready}/content"' in text
    assert f'data-api="POST {EXPORTS}/{waiting}/cancel"' in text
    assert 'value="0.4"' in text
    assert "40 of about 100 rows" in text
    assert f'href="{EXPORTS}/{waiting}/content"' not in text
    one = ann.get(f"/exports/{ready}").text
    assert "Hosting" in one
    assert "in the file" in one
    assert ann.get(f"{EXPORTS}/{ready}/content").status_code == 200
    assert waiting not in ann.get("/exports?state=ready").text


def test_one_that_failed_says_why_and_where(ann: TestClient, database: Database, sale: Sale) -> None:
    export_id = requested(ann, "leads")
    assert builder(database, export_max_megabytes=1, export_max_rows=1).build(export_id) is True
    value(database, "update exports set state = state where id = %s", export_id)
    more = requested(ann, "ledger")
    assert builder(database, export_max_rows=1).build(more)
    forget_jobs(database)
    assert "more than 1 rows" in ann.get(f"/exports/{more}").text
    [letter] = ann.get("/api/v1/admin/dead-letters?queue=export").json()["items"]
    page = ann.get(f"/operations/dead-letters/{letter['dead_letter_id']}").text
    assert f'href="/exports/{more}"' in page
    assert f'href="/exports/{more}"' in ann.get("/operations/dead-letters").text


def test_the_email_leads_to_the_page(ann: TestClient, database: Database, sale: Sale) -> None:
    export_id = requested(ann, "ledger", is_email_wanted=True)
    assert builder(database).build(export_id)
    forget_jobs(database)
    assert ann.get(f"/exports/{export_id}").status_code == 200
    assert ann.get(f"/exports/{sale.lead_id}").status_code == 404


def test_providers_see_none_and_have_their_own(app: FastAPI, database: Database, sale: Sale) -> None:
    sam = a_provider(app, database, sale.anchor_id)
    assert sam.get("/exports").status_code == 403
    for path, what in (("/portal/inbox", "leads"), ("/portal/balance", "ledger"), ("/portal/receipts", "receipts")):
        [export] = set(re.findall(rf'href="(/api/v1/provider/exports/{what}[^"]*)"', sam.get(path).text))
        assert sam.get(unescape(export)).status_code == 200
