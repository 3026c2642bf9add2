"""Operators see what waits and what was given up, and see to it, over HTTP."""

from uuid import uuid4

from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.store.connection import Database
from tests.api.asking import a_provider
from tests.by_hand import CLOSED, rows_by_hand
from tests.flows.access.people import add_provider, rows, value
from tests.flows.given_up import give_up_lead, give_up_notification

WORKERS = "/api/v1/admin/workers"
LETTERS, RETRIES = "/api/v1/admin/dead-letters", "/api/v1/admin/dead-letter-retries"


def test_the_queues_say_what_waits(ann: TestClient, database: Database) -> None:
    value(database, "delete from jobs")
    give_up_lead(database)
    queues = {each["queue"]: each for each in ann.get("/api/v1/admin/queues").json()["items"]}
    assert {"distribute", "dispatch", "email", "webhook"} <= queues.keys()
    assert queues["distribute"]["open_dead_letter_count"] == 1
    assert queues["email"]["waiting_count"] == 0


def test_dead_letters_are_listed_page_by_page_and_by_filter(ann: TestClient, database: Database) -> None:
    _, lead_id, of_lead = give_up_lead(database)
    notification_id, of_notification = give_up_notification(database)
    first = ann.get(LETTERS, params={"limit": 1}).json()
    second = ann.get(LETTERS, params={"limit": 1, "cursor": first["next_cursor"]}).json()
    found = [each["dead_letter_id"] for each in first["items"] + second["items"]]
    assert found == [of_notification, of_lead]
    assert second["next_cursor"] is None

    def ids(**wanted: str) -> list[str]:
        return [each["dead_letter_id"] for each in ann.get(LETTERS, params=wanted).json()["items"]]

    assert ids(queue="email") == [of_notification]
    assert ids(lead_id=lead_id) == [of_lead]
    assert ids(state="resolved") == []
    assert ids(failed_before="2020-01-01T00:00:00Z") == []
    shown = ann.get(f"{LETTERS}/{of_notification}").json()
    assert (shown["notification_id"], shown["task"]) == (notification_id, "send_email")
    assert [run["outcome"] for run in shown["runs"]] == ["failed"]


def test_what_was_given_up_is_tried_again_once(ann: TestClient, database: Database) -> None:
    _, lead_id, letter_id = give_up_lead(database)
    key = {"Idempotency-Key": "again-1"}
    retried = ann.post(f"{LETTERS}/{letter_id}/retry", headers=key)
    assert (retried.status_code, retried.json()["resolution"], retried.json()["took_effect"]) == (200, "retried", True)
    jobs = "select id from jobs where payload ->> 'lead_id' = %s and state = 'waiting' order by id"
    assert retried.json()["job_id"] in rows(database, jobs, lead_id)
    before = rows(database, jobs, lead_id)
    # The same request has the same answer; another one learns that it was done already.
    assert ann.post(f"{LETTERS}/{letter_id}/retry", headers=key).json() == retried.json()
    assert ann.post(f"{LETTERS}/{letter_id}/retry").json()["took_effect"] is False
    assert rows(database, jobs, lead_id) == before
    [actor] = rows(database, "select actor from audit_log where action = 'dead_letter.retried'")
    assert actor.startswith("user:")
    _, other_id = give_up_notification(database)
    reused = ann.post(f"{LETTERS}/{other_id}/retry", headers=key)
    assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")


@rows_by_hand(CLOSED)
def test_several_at_once_say_what_became_of_each(ann: TestClient, database: Database) -> None:
    _, lead_id, of_lead = give_up_lead(database)
    _, of_notification = give_up_notification(database)
    value(database, "update leads set status = 'rejected', awaits_decision = false where id = %s", lead_id)
    unknown = str(uuid4())
    asked = {"dead_letter_ids": [of_lead, of_notification, unknown, of_notification]}
    answer = ann.post(RETRIES, json=asked).json()
    assert [each["dead_letter_id"] for each in answer["closed"]] == [of_notification]
    refused = {each["dead_letter_id"]: each["code"] for each in answer["refused"]}
    assert refused == {of_lead: "lead_rejected", unknown: "dead_letter_unknown"}
    alone = ann.post(f"{LETTERS}/{of_lead}/retry")
    assert (alone.status_code, alone.json()["code"]) == (409, "lead_rejected")
    assert ann.post(RETRIES, json={"dead_letter_ids": []}).status_code == 422


def test_a_letter_is_closed_with_a_reason(ann: TestClient, database: Database) -> None:
    _, _, letter_id = give_up_lead(database)
    closed = ann.post(f"{LETTERS}/{letter_id}/resolve", json={"memo": "the form had a mistake"})
    assert closed.json()["resolution"] == "resolved"
    shown = ann.get(f"{LETTERS}/{letter_id}").json()
    assert (shown["memo"], shown["resolution"]) == ("the form had a mistake", "resolved")
    assert ann.get(LETTERS, params={"state": "open"}).json()["items"] == []
    assert ann.post(f"{LETTERS}/{letter_id}/resolve", json={"memo": " "}).status_code == 422


def test_a_letter_that_is_not_there(ann: TestClient) -> None:
    unknown = f"{LETTERS}/{uuid4()}"
    for answer in (
        ann.get(unknown),
        ann.post(f"{unknown}/retry"),
        ann.post(f"{unknown}/resolve", json={"memo": "x"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "dead_letter_unknown")


def test_providers_have_no_say_in_it(app: FastAPI, database: Database) -> None:
    sam = a_provider(app, database, add_provider(database))
    _, _, letter_id = give_up_lead(database)
    for answer in (
        sam.get("/api/v1/admin/queues"),
        sam.get(LETTERS),
        sam.get(f"{LETTERS}/{letter_id}"),
        sam.post(f"{LETTERS}/{letter_id}/retry"),
        sam.post(RETRIES, json={"dead_letter_ids": [letter_id]}),
        sam.post(f"{LETTERS}/{letter_id}/resolve", json={"memo": "x"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "permission_missing")
    assert rows(database, "select count(*) from dead_letters where resolved_at is null") == [1]


def test_the_workers_say_who_lives_and_what_each_has_in_hand(app: FastAPI, ann: TestClient, database: Database) -> None:
    value(database, "delete from workers")
    assert ann.get(WORKERS).json()["items"] == []
    alive = value(database, "insert into workers default values returning id")
    silent = value(database, "insert into workers (last_heartbeat) values (now() - interval '10 minutes') returning id")
    for worker_id, task, queue in ((alive, "send_email", "email"), (silent, "distribute_lead", "distribute")):
        value(
            database,
            "insert into jobs (queue, task, state, worker_id) values (%s, %s, 'running', %s)",
            queue,
            task,
            worker_id,
        )
    value(database, "insert into jobs (queue, task, state, worker_id) values ('webhook', 'send_webhook', 'running', 0)")
    found = ann.get(WORKERS).json()
    assert [(each["worker_id"], each["is_alive"], each["in_hand"]) for each in found["items"]] == [
        (alive, True, {"send_email": 1}),
        (silent, False, {"distribute_lead": 1}),
    ]
    assert found["items"][1]["silent_seconds"] >= 600
    assert found["left_behind"] == {"send_webhook": 1}
    sam = a_provider(app, database, add_provider(database))
    assert sam.get(WORKERS).json()["code"] == "permission_missing"
    value(database, "delete from jobs")
