"""Operators make messages their own over HTTP, see them first, never overwrite each other, and can go back."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.api.concurrency_limits import PREVIEWS
from fairlead.core.permissions import Permission
from fairlead.delivery.template_variables import KINDS
from fairlead.store.connection import Database
from tests.api.asking import a_provider, an_admin, logged_in, machine
from tests.api.keys import operators_key
from tests.flows.access.people import add_provider, enrolled_admin, rows, value

ADDRESS = "/api/v1/admin/templates/lead_assigned"
OURS = {
    "subject": "New: {{ niche_name }}",
    "html": "<p>Hello {{ provider_name }}, lead {{ lead_id }}</p>",
    "text": "Hello {{ provider_name }}, lead {{ lead_id }}",
}


def test_a_template_is_looked_at_changed_and_restored(ann: TestClient, database: Database) -> None:
    listed = ann.get("/api/v1/admin/templates").json()["items"]
    assert [each["kind"] for each in listed if each["language"] == "en"] == list(KINDS)
    assert [each["kind"] for each in listed if each["language"] == "de"] == [
        kind for kind in KINDS if kind != "operator_alert"
    ]
    shown = ann.get(ADDRESS)
    assert (shown.json()["version"], shown.json()["is_default"]) == (None, True)
    assert "niche_name" in [each["name"] for each in shown.json()["variables"]]

    etag = {"If-Match": shown.headers["etag"]}
    saved = ann.put(ADDRESS, json={**OURS, "memo": "our tone"}, headers=etag)
    assert (saved.status_code, saved.json()) == (200, {"kind": "lead_assigned", "version": 1, "took_effect": True})
    overtaken = ann.put(ADDRESS, json={**OURS, "subject": "Mine", "memo": "mine"}, headers=etag)
    assert (overtaken.status_code, overtaken.json()["code"]) == (412, "version_conflict")
    assert ann.post(f"{ADDRESS}/restore", json={}, headers=etag).status_code == 412
    now = ann.get(ADDRESS)
    assert {name: now.json()[name] for name in OURS} == OURS
    assert now.headers["etag"] != shown.headers["etag"]

    newest = {"If-Match": now.headers["etag"]}
    restored = ann.post(f"{ADDRESS}/restore", json={"version": None}, headers=newest)
    assert restored.json()["version"] == 2
    versions = ann.get(f"{ADDRESS}/versions").json()["items"]
    assert [(each["version"], each["is_default"], each["memo"]) for each in versions] == [
        (2, True, "restored the default"),
        (1, False, "our tone"),
    ]
    assert ann.get(f"{ADDRESS}/versions/1").json()["subject"] == OURS["subject"]
    [actor] = rows(database, "select distinct actor from audit_log where action = 'template.saved'")
    assert actor.startswith("user:")


def test_a_preview_shows_no_real_data_and_saves_nothing(ann: TestClient, database: Database) -> None:
    shown = ann.post(f"{ADDRESS}/preview", json=OURS).json()
    assert shown["subject"] == "New: Heat pumps"
    assert "Example Services Ltd" in shown["text"]
    assert rows(database, "select count(*) from notification_templates") == [0]


def test_what_cannot_be_is_refused(ann: TestClient, database: Database) -> None:
    assert ann.put(ADDRESS, json={**OURS, "memo": "x"}).json()["code"] == "precondition_required"
    bad = {**OURS, "subject": "{{ nobody }}"}
    for answer in (
        ann.put(ADDRESS, json={**bad, "memo": "x"}, headers={"If-Match": "*"}),
        ann.post(f"{ADDRESS}/preview", json=bad),
    ):
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/subject")
    unknown = "/api/v1/admin/templates/gossip"
    for answer in (
        ann.get(unknown),
        ann.put(unknown, json={**OURS, "memo": "x"}, headers={"If-Match": "*"}),
        ann.post(f"{unknown}/preview", json=OURS),
        ann.post(f"{unknown}/restore", json={}, headers={"If-Match": "*"}),
        ann.get(f"{unknown}/versions"),
        ann.get(f"{ADDRESS}/versions/9"),
        ann.post(f"{ADDRESS}/restore", json={"version": 9}, headers={"If-Match": "*"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "template_unknown")
    assert rows(database, "select count(*) from notification_templates") == [0]


@pytest.mark.parametrize("kind", ["user_invited", "password_reset"])
def test_a_message_that_opens_an_account_is_changed_by_people_with_a_fresh_proof_alone(
    app: FastAPI, database: Database, kind: str
) -> None:
    address = f"/api/v1/admin/templates/{kind}"
    key = machine(app, operators_key(database, Permission.NOTIFICATIONS_READ, Permission.NOTIFICATIONS_WRITE))
    elsewhere = "https://elsewhere.example/?{{ link_url }}"
    asked = {"subject": "x", "html": f"<img src='{elsewhere}'>", "text": elsewhere, "memo": "ours"}
    any_version = {"If-Match": "*"}
    for refused in (
        key.put(address, json=asked, headers=any_version),
        key.post(f"{address}/restore", json={}, headers=any_version),
    ):
        assert (refused.status_code, refused.json()["code"]) == (403, "permission_missing")
    person = enrolled_admin(database)
    ann = logged_in(app, person.token)
    value(
        database, "update sessions set stepped_up_at = now() - interval '11 minutes' where user_id = %s", person.user_id
    )
    late = ann.put(address, json=asked, headers=any_version)
    assert (late.status_code, late.json()["code"]) == (403, "step_up_required")
    assert rows(database, "select count(*) from notification_templates") == [0]
    assert an_admin(app, database, "eve@example.com").put(address, json=asked, headers=any_version).status_code == 200
    assert key.put(ADDRESS, json={**OURS, "memo": "our tone"}, headers=any_version).status_code == 200


def test_providers_have_no_say_in_it(app: FastAPI, database: Database) -> None:
    sam = a_provider(app, database, add_provider(database))
    for answer in (
        sam.get(ADDRESS),
        sam.put(ADDRESS, json={**OURS, "memo": "x"}, headers={"If-Match": "*"}),
        sam.post(f"{ADDRESS}/preview", json=OURS),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_missing")


def test_only_so_many_previews_are_made_at_once(ann: TestClient) -> None:
    with PREVIEWS.slot("one operator"), PREVIEWS.slot("another"):
        busy = ann.post(f"{ADDRESS}/preview", json=OURS)
    assert (busy.status_code, busy.json()["code"]) == (429, "too_many_attempts")
    assert ann.post(f"{ADDRESS}/preview", json=OURS).status_code == 200
