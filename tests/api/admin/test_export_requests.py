"""Exports that a worker builds, over HTTP: requested, watched, fetched in parts, cancelled, deleted."""

from hashlib import sha256
from typing import get_args

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.api.openapi import api_routes
from fairlead.api.routes.admin.operations.export_requests import Kind
from fairlead.core.permissions import Permission
from fairlead.flows.exporting.kinds import KINDS
from fairlead.flows.exporting.report_rows import REPORTS
from fairlead.store.connection import Database
from tests.api.asking import a_provider, an_admin, machine
from tests.api.keys import operators_key
from tests.flows.access.people import rows, value
from tests.flows.exporting.exports import builder, forget_jobs
from tests.flows.sales import Sale, audited

EXPORTS = "/api/v1/admin/exports"


def build(database: Database, export_id: str) -> None:
    """As a worker does."""
    assert builder(database).build(export_id)
    forget_jobs(database)


def test_an_export_is_requested_watched_and_fetched(ann: TestClient, database: Database, sale: Sale) -> None:
    asked = ann.post(
        EXPORTS, json={"kind": "ledger", "filters": {"provider_id": sale.anchor_id}, "is_email_wanted": True}
    )
    assert asked.status_code == 202
    said = asked.json()
    assert (said["state"], said["progress"], said["rows_written"]) == ("waiting", None, 0)
    address = f"{EXPORTS}/{said['export_id']}"
    assert ann.get(address).headers["etag"] == '"0-waiting-0"'
    early = ann.get(f"{address}/content")
    assert (early.status_code, early.json()["code"]) == (409, "export_not_ready")
    build(database, said["export_id"])
    ready = ann.get(address).json()
    assert (ready["state"], ready["progress"], ready["rows_written"]) == ("ready", 1.0, 2)
    answer = ann.get(f"{address}/content")
    assert answer.status_code == 200
    assert answer.headers["content-length"] == str(ready["byte_count"]) == str(len(answer.content))
    assert answer.headers["etag"] == f'"{ready["checksum"]}"' == f'"{sha256(answer.content).hexdigest()}"'
    assert ready["file_name"] in answer.headers["content-disposition"]
    again = ann.get(f"{address}/content", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    part = ann.get(f"{address}/content", headers={"Range": "bytes=5-8"})
    assert (part.status_code, part.content) == (206, answer.content[5:9])
    assert part.headers["content-range"] == f"bytes 5-8/{len(answer.content)}"
    beyond = ann.get(f"{address}/content", headers={"Range": "bytes=999999-"})
    assert (beyond.status_code, beyond.json()["code"]) == (416, "range_not_satisfiable")
    assert [each["export_id"] for each in ann.get(EXPORTS, params={"state": "ready"}).json()["items"]] == [
        said["export_id"]
    ]
    assert ann.get(EXPORTS, params={"kind": "leads"}).json()["items"] == []
    [(kind, detail)] = rows(database, "select kind, detail from notifications where kind = 'export_ready'")
    assert (kind, detail["export_id"], detail["row_count"]) == ("export_ready", said["export_id"], 2)
    assert len(audited(database, "export.downloaded")) == 2
    assert ann.delete(address).status_code == 204
    assert ann.get(address).json()["code"] == "export_unknown"


def test_the_same_request_sent_twice_is_one_export(ann: TestClient, database: Database, sale: Sale) -> None:
    headers = {"Idempotency-Key": "once"}
    first = ann.post(EXPORTS, json={"kind": "journal"}, headers=headers)
    again = ann.post(EXPORTS, json={"kind": "journal"}, headers=headers)
    assert first.json() == again.json()
    assert rows(database, "select count(*) from exports") == [1]


def test_it_can_be_cancelled_and_only_then_deleted(ann: TestClient, database: Database, sale: Sale) -> None:
    address = f"{EXPORTS}/{ann.post(EXPORTS, json={'kind': 'leads'}).json()['export_id']}"
    assert ann.delete(address).json()["code"] == "export_under_way"
    assert ann.post(f"{address}/cancel").json()["state"] == "cancelled"
    assert ann.delete(address).status_code == 204


def test_an_export_whose_time_is_over_is_gone(ann: TestClient, database: Database, sale: Sale) -> None:
    export_id = ann.post(EXPORTS, json={"kind": "leads"}).json()["export_id"]
    build(database, export_id)
    value(database, "update exports set expires_at = now()")
    answer = ann.get(f"{EXPORTS}/{export_id}/content")
    assert (answer.status_code, answer.json()["code"]) == (410, "export_expired")


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "secrets"},
        {"kind": "leads", "format": "xlsx"},
        {"kind": "leads", "columns": ["attributes_salt"]},
        {"kind": "journal", "filters": {"status": "active"}},
        {"kind": "leads", "filters": {"niche": "' or 1=1"}},
        {"kind": "report_shares"},
        {"kind": "leads", "time_from": "2026-02-01T00:00:00Z", "time_before": "2026-01-01T00:00:00Z"},
        {"kind": "report_revenue", "timezone": "Nowhere/Else"},
    ],
)
def test_what_cannot_be_exported_is_refused(ann: TestClient, body: dict[str, object]) -> None:
    answer = ann.post(EXPORTS, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "input_invalid")


def test_a_key_has_what_its_scopes_say(app: FastAPI, database: Database, sale: Sale) -> None:
    scopes = (Permission.EXPORTS_READ, Permission.EXPORTS_WRITE, Permission.REPORTS_READ)
    key = machine(app, operators_key(database, *scopes))
    refused = key.post(EXPORTS, json={"kind": "ledger"})
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_missing")
    said = key.post(EXPORTS, json={"kind": "leads"}).json()
    assert said["with_contact_data"] is False
    assert said["file_name"].endswith("-without-contact-data.csv")
    build(database, said["export_id"])
    assert key.get(f"{EXPORTS}/{said['export_id']}/content").status_code == 200
    # What an operator requested in full is not for this key.
    full = an_admin(app, database).post(EXPORTS, json={"kind": "leads"}).json()
    assert full["with_contact_data"] is True
    build(database, full["export_id"])
    lost = key.get(f"{EXPORTS}/{full['export_id']}/content")
    assert (lost.status_code, lost.json()["code"]) == (403, "permission_missing")


def test_a_reader_without_the_right_gets_direct_files_without_addresses(
    app: FastAPI, database: Database, sale: Sale
) -> None:
    money = machine(app, operators_key(database, Permission.MONEY_READ))
    text = money.get(f"{EXPORTS}/ledger").text
    assert "withheld" in text
    assert "anchor@example.com" not in text


def test_providers_reach_none_of_it(app: FastAPI, database: Database, sale: Sale) -> None:
    sam = a_provider(app, database, sale.anchor_id)
    for answer in (sam.get(EXPORTS), sam.post(EXPORTS, json={"kind": "ledger"})):
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_missing")


PUT_TOGETHER = {"analytics", "figures", "money"}
"""Reports of what others tell one by one, and can be exported so."""


def test_every_report_of_the_api_can_be_exported(app: FastAPI) -> None:
    prefix = "/api/v1/admin/reports/"
    paths = [str(route.path_format) for route in api_routes(app)]
    reports = {path.removeprefix(prefix) for path in paths if path.startswith(prefix)}
    assert reports == {each.path for each in REPORTS.values()} | PUT_TOGETHER


def test_the_document_names_the_kinds_that_there_are() -> None:
    assert get_args(Kind) == tuple(KINDS)
