"""Operators see what was told to whom, and how that went, and have it sent again; they see to webhook endpoints."""

from uuid import uuid4

from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.flows.notifications.dispatch import dispatch_notifications
from fairlead.store.connection import Database
from tests.api.asking import a_provider
from tests.flows.access.people import add_provider, rows, value
from tests.flows.given_up import give_up_notification
from tests.flows.marketplaces import provider_id
from tests.flows.notifications.stage import ANCHOR, CANARIES, open_marketplace, sell_lead, set_endpoint

DELIVERIES, ENDPOINTS = "/api/v1/admin/deliveries", "/api/v1/admin/webhook-endpoints"
URL = "https://crm.example.com/in?token=not-to-be-shown"


def test_notifications_are_listed_page_by_page_and_by_filter(ann: TestClient, database: Database) -> None:
    open_marketplace(database)
    sell_lead(database)
    anchor_id = provider_id(database, ANCHOR)
    everything: list[str] = []
    cursor = None
    while True:
        page = ann.get(DELIVERIES, params={"limit": 1} | ({} if cursor is None else {"cursor": cursor})).json()
        everything += [each["notification_id"] for each in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert everything == rows(database, "select id::text from notifications order by id desc")
    found = ann.get(DELIVERIES, params={"provider_id": anchor_id, "kind": "lead_assigned", "state": "queued"})
    assert {each["provider_id"] for each in found.json()["items"]} == {anchor_id}
    assert ann.get(DELIVERIES, params={"channel": "webhook"}).json()["items"] == []
    assert ann.get(DELIVERIES, params={"created_before": "2020-01-01T00:00:00Z"}).json()["items"] == []
    assert [word for word in CANARIES if word in ann.get(DELIVERIES).text] == []


def test_a_message_that_failed_is_sent_again_once(ann: TestClient, database: Database) -> None:
    notification_id, letter_id = give_up_notification(database)
    shown = ann.get(f"{DELIVERIES}/{notification_id}").json()
    assert (shown["state"], [each["outcome"] for each in shown["attempts_on_record"]]) == ("failed", ["failed"])
    key = {"Idempotency-Key": "send-1"}
    replayed = ann.post(f"{DELIVERIES}/{notification_id}/replay", headers=key)
    assert replayed.json() == {
        "notification_id": notification_id,
        "channel": "email",
        "state_before": "failed",
        "took_effect": True,
    }
    assert rows(database, "select state from notifications where id = %s", notification_id) == ["queued"]
    assert rows(database, "select resolution from dead_letters where id = %s", letter_id) == ["retried"]
    # It was sent meanwhile, and the answer to the first request was lost.
    value(database, "update notifications set state = 'sent', sent_at = now() where id = %s", notification_id)
    assert ann.post(f"{DELIVERIES}/{notification_id}/replay", headers=key).json() == replayed.json()
    assert rows(database, "select state from notifications where id = %s", notification_id) == ["sent"]
    assert ann.post(f"{DELIVERIES}/{notification_id}/replay").json()["state_before"] == "sent"


def test_a_notification_that_is_not_there(ann: TestClient) -> None:
    for answer in (ann.get(f"{DELIVERIES}/{uuid4()}"), ann.post(f"{DELIVERIES}/{uuid4()}/replay")):
        assert (answer.status_code, answer.json()["code"]) == (404, "notification_unknown")


def test_an_endpoint_is_watched_paused_resumed_replayed_and_removed(ann: TestClient, database: Database) -> None:
    open_marketplace(database)
    made = set_endpoint(database, URL)
    sell_lead(database)
    dispatch_notifications(database)
    address = f"{ENDPOINTS}/{made.endpoint_id}"
    shown = ann.get(address)
    assert (shown.json()["host"], shown.json()["state"]) == ("crm.example.com", "active")
    listed = ann.get(ENDPOINTS)
    assert [each["endpoint_id"] for each in listed.json()["items"]] == [made.endpoint_id]
    assert "not-to-be-shown" not in shown.text + listed.text
    waiting = listed.json()["items"][0]["waiting_count"]
    assert waiting > 0

    paused = ann.post(f"{address}/pause", json={"reason": "their certificate has expired"}).json()
    assert (paused["state"], paused["took_effect"]) == ("paused", True)
    assert ann.get(ENDPOINTS, params={"state": "active"}).json()["items"] == []
    assert ann.get(address).json()["state_reason"] == "their certificate has expired"
    resumed = ann.post(f"{address}/resume", json={"reason": "renewed"}).json()
    assert (resumed["state"], resumed["took_effect"]) == ("active", True)

    value(database, "update notifications set state = 'sent', sent_at = now() where channel = 'webhook'")
    replayed = ann.post(f"{address}/replay", json={"created_from": "2026-01-01T00:00:00Z"})
    assert replayed.json() == {"endpoint_id": made.endpoint_id, "count": waiting}
    webhooks = "select distinct state from notifications where channel = 'webhook'"
    assert rows(database, webhooks) == ["queued"]

    assert ann.delete(address).json()["code"] == "precondition_required"
    assert ann.delete(address, headers={"If-Match": '"another"'}).json()["code"] == "version_conflict"
    assert ann.delete(address, headers={"If-Match": shown.headers["etag"]}).status_code == 204
    assert rows(database, webhooks) == ["skipped"]
    sent = rows(database, "select id::text from notifications where channel = 'webhook' limit 1")
    gone = ann.post(f"{DELIVERIES}/{sent[0]}/replay")
    assert (gone.status_code, gone.json()["code"]) == (409, "webhook_endpoint_removed")
    assert ann.get(ENDPOINTS).json()["items"] == []


def test_only_what_failed_is_sent_again_and_the_count_is_said_before(ann: TestClient, database: Database) -> None:
    open_marketplace(database)
    made = set_endpoint(database, URL)
    sell_lead(database)
    sell_lead(database)
    dispatch_notifications(database)
    webhooks = rows(database, "select id::text from notifications where channel = 'webhook' order by id")
    assert len(webhooks) >= 2
    value(database, "update notifications set state = 'sent', sent_at = now() where channel = 'webhook'")
    value(database, "update notifications set state = 'failed', sent_at = null where id = %s", webhooks[0])
    address = f"{ENDPOINTS}/{made.endpoint_id}"
    since = {"created_from": "2026-01-01T00:00:00Z"}
    counted = ann.get(f"{address}/replayable", params=since).json()
    assert (counted["failed_count"], counted["delivered_count"]) == (1, len(webhooks) - 1)
    replayed = ann.post(f"{address}/replay", json=since | {"only_failed": True}).json()
    assert replayed["count"] == 1
    queued = rows(database, "select id::text from notifications where channel = 'webhook' and state = 'queued'")
    assert queued == [webhooks[0]]
    assert ann.get(f"{address}/replayable", params=since).json()["failed_count"] == 0
    event = value(database, "select new from audit_log where action = 'webhook_endpoint.replayed'")
    assert (event["count"], event["only_failed"]) == (1, True)


def test_an_endpoint_that_is_not_there(ann: TestClient) -> None:
    address = f"{ENDPOINTS}/{uuid4()}"
    for answer in (
        ann.get(address),
        ann.get(f"{address}/replayable", params={"created_from": "2026-01-01T00:00:00Z"}),
        ann.post(f"{address}/pause", json={"reason": "x"}),
        ann.post(f"{address}/resume", json={"reason": "x"}),
        ann.post(f"{address}/replay", json={"created_from": "2026-01-01T00:00:00Z"}),
        ann.delete(address, headers={"If-Match": "*"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "webhook_endpoint_unknown")


def test_providers_have_no_say_in_it(app: FastAPI, database: Database) -> None:
    sam = a_provider(app, database, add_provider(database))
    notification_id, _ = give_up_notification(database)
    for answer in (
        sam.get(DELIVERIES),
        sam.get(f"{DELIVERIES}/{notification_id}"),
        sam.post(f"{DELIVERIES}/{notification_id}/replay"),
        sam.get(ENDPOINTS),
        sam.post(f"{ENDPOINTS}/{uuid4()}/pause", json={"reason": "x"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_missing")
    assert rows(database, "select state from notifications where id = %s", notification_id) == ["failed"]


def test_the_first_and_the_last_moment_there_can_be(ann: TestClient, database: Database) -> None:
    give_up_notification(database)
    every = ann.get(DELIVERIES).json()["items"]
    ever = {"created_from": "0001-01-01T00:00:00Z", "created_before": "9999-12-31T23:59:59.999999Z"}
    assert ann.get(DELIVERIES, params=ever).json()["items"] == every != []
