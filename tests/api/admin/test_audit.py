"""Operators look up over HTTP who did what, page by page, and nothing is skipped or shown twice."""

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.store.connection import Database
from tests.api.asking import a_provider
from tests.flows.access.people import rows
from tests.flows.sales import Sale

EVENTS = "/api/v1/admin/audit-events"

pytestmark = pytest.mark.usefixtures("sale")


def events(client: TestClient, **wanted: Any) -> list[dict[str, Any]]:
    """All that is wanted, however many pages that takes."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = client.get(EVENTS, params=wanted | ({} if cursor is None else {"cursor": cursor}))
        assert page.status_code == 200, page.text
        found += page.json()["items"]
        if (cursor := page.json()["next_cursor"]) is None:
            return found


def test_all_pages_together_are_all_that_was_done(ann: TestClient, database: Database) -> None:
    everything = events(ann, limit=3)
    assert len(everything) == rows(database, "select count(*) from audit_events")[0]
    ids = [each["event_id"] for each in everything]
    assert len(ids) == len(set(ids))
    moments = [each["created_at"] for each in everything]
    assert moments == sorted(moments, reverse=True)
    # An event's own id is a place to go on from, too.
    assert ann.get(EVENTS, params={"cursor": ids[2], "limit": 1}).json()["items"][0]["event_id"] == ids[3]


def test_filters_choose(ann: TestClient, sale: Sale) -> None:
    assert {each["action"] for each in events(ann, action="assignment.")} == {"assignment.created"}
    about = events(ann, entity="assignment", entity_id=sale.anchor)
    assert [(each["action"], each["entity_id"]) for each in about] == [("assignment.created", sale.anchor)]
    assert {each["source"] for each in events(ann, niche="hosting")} == {"niche_journal"}
    assert {each["actor"] for each in events(ann, actor="operator")} == {"operator"}
    assert events(ann, niche="nothing-here") == events(ann, created_before="2020-01-01T00:00:00Z") == []
    assert events(ann, created_from="2020-01-01T00:00:00Z") == events(ann)


def test_what_is_no_filter_is_refused(ann: TestClient) -> None:
    for wanted in ({"actor": "ann@example.com"}, {"cursor": "later"}, {"action": "%"}, {"limit": 201}):
        answer = ann.get(EVENTS, params=wanted)
        assert (answer.status_code, answer.json()["code"]) == (422, "input_invalid"), wanted


def test_providers_see_none_of_it(app: FastAPI, database: Database, sale: Sale) -> None:
    answer = a_provider(app, database, sale.anchor_id).get(EVENTS)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_missing")


def test_a_cursor_that_is_no_place_is_told_by_its_name(ann: TestClient) -> None:
    for cursor in ("log:0", "log:999999999", "journal:01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f:1:0"):
        [error] = ann.get(EVENTS, params={"cursor": cursor}).json()["errors"]
        assert (error["location"], error["pointer"]) == ("query", "/cursor")
