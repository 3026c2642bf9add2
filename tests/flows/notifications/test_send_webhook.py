"""A lead reaches the provider's own system: signed, once, and tried again for days."""

import json
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from standardwebhooks import Webhook

from fairlead.delivery.outcome import Delivery, NotSent, Sent
from fairlead.delivery.secret_box import new_secret_key
from fairlead.flows.notifications import send_webhook as flow
from fairlead.flows.notifications.send_webhook import WebhookSender
from fairlead.store.connection import Database
from fairlead.telemetry.metrics import counting_in, make_metrics
from tests.delivery.receiver import closed_port, receiver, says
from tests.flows.notifications.hooks import Moody, endpoint_row, job_of, sell_for_anchor, send, webhooks
from tests.flows.notifications.stage import (
    CANARY_EMAIL,
    CANARY_NAME,
    CANARY_PHONE,
    assert_nothing_personal,
    finish,
    jobs,
    notification,
    open_marketplace,
    query,
    row_of,
    sell_lead,
    set_endpoint,
    settings_for,
    states,
    work_off,
)


def test_the_lead_arrives_signed_with_all_that_was_paid_for(database: Database) -> None:
    open_marketplace(database)
    metrics = make_metrics()
    with receiver(says(204)) as crm, counting_in(metrics):
        secret = set_endpoint(database, crm.url()).secret
        lead_id = sell_lead(database)
        work_off(database, settings_for(), rounds=2)
    [request] = crm.requests
    assert secret is not None
    body = Webhook(secret).verify(request.body, request.signed_headers())
    told = notification(database, channel="webhook")
    assert request.headers["webhook-id"] == told
    assert body["type"] == "lead.assigned"
    assert body["data"]["lead_id"] == lead_id
    assert body["data"]["attributes"] == {"cores": 8, "region": "north"}
    assert (body["data"]["price_cents"], body["data"]["currency"]) == (2000, "EUR")
    contact = [body["data"][name] for name in ("contact_name", "contact_email", "contact_phone")]
    assert contact == [CANARY_NAME, CANARY_EMAIL, CANARY_PHONE]
    row = row_of(database, told)
    assert (row["state"], row["last_answer"], row["attempts"]) == ("sent", "HTTP 204", 1)
    assert metrics.deliveries.labels("webhook", "sent")._value.get() == 1
    assert_nothing_personal(database)


def test_a_field_mapping_shapes_the_body(database: Database) -> None:
    open_marketplace(database)
    with receiver(says(200)) as crm:
        set_endpoint(database, crm.url(), field_mapping={"mail": "contact_email", "cpu": "attributes.cores"})
        sell_lead(database)
        work_off(database, settings_for())
    assert json.loads(crm.requests[0].body)["data"] == {"mail": CANARY_EMAIL, "cpu": 8}


def test_every_attempt_carries_the_same_id_and_bytes(database: Database) -> None:
    open_marketplace(database)
    answer = Moody(says(500))
    with receiver(answer) as crm:
        set_endpoint(database, crm.url())
        told = sell_for_anchor(database)
        assert send(database, told) == NotSent("HTTP 500", is_permanent=False)
        row = row_of(database, told)
        assert (row["state"], row["attempts"], row["last_error"]) == ("queued", 1, "HTTP 500")
        assert (endpoint_row(database)["failure_count"], endpoint_row(database)["state"]) == (1, "active")
        answer.answer = says(200)
        assert send(database, told) == Sent("HTTP 200")
    first, second = crm.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == told
    assert first.body == second.body
    row = endpoint_row(database)
    assert (row["failure_count"], row["failing_since"], row["state"]) == (0, None, "active")
    assert query(database, "select outcome from job_attempts order by ended_at") == [("failed",), ("succeeded",)]


def test_a_worker_that_dies_after_the_receivers_yes_sends_the_same_id_again(database: Database) -> None:
    open_marketplace(database)

    class Dies(WebhookSender):
        def _record(self, *_: object, **__: object) -> bool:
            raise SystemExit

    with receiver(says(200)) as crm:
        set_endpoint(database, crm.url())
        told = sell_for_anchor(database)
        job_id = job_of(database, told)
        with pytest.raises(SystemExit):
            Dies(database, settings_for()).send(told, job_id)
        assert webhooks(database).send(told, 999_999) is None  # the queue takes the first for running
        finish(database, job_id)
        assert webhooks(database).send(told, 999_999) == Sent("HTTP 200")
    first, second = crm.requests
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)


def test_two_jobs_at_once_send_once(database: Database) -> None:
    open_marketplace(database)
    slow, together = threading.Event(), threading.Barrier(2)

    def answer(connection: socket.socket) -> None:
        slow.wait(0.5)
        says(200)(connection)

    with receiver(answer) as crm, ThreadPoolExecutor(2) as pool:
        set_endpoint(database, crm.url())
        told = sell_for_anchor(database)
        with database.transaction() as conn:
            conn.execute(
                "insert into jobs (queue, task, payload) "
                "select queue, task, payload from jobs where payload ->> 'notification_id' = %s",
                (told,),
            )
        twice = [job_of(database, told), job_of(database, told)]

        def run(job_id: int) -> Delivery | None:
            together.wait(10)
            return webhooks(database).send(told, job_id)

        outcomes = list(pool.map(run, twice))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", "Sent"]
    assert len(crm.requests) == 1


def test_retries_over_days_end_in_a_dead_letter(database: Database) -> None:
    open_marketplace(database)
    with closed_port() as port:
        set_endpoint(database, f"http://127.0.0.1:{port}/leads")
        told = sell_for_anchor(database)
        with database.transaction() as conn:  # nine attempts, some days later
            conn.execute("update notifications set attempts = 9 where id = %s", (told,))
        assert send(database, told) == NotSent("connection refused", is_permanent=False)
    row = row_of(database, told)
    assert (row["state"], row["attempts"]) == ("failed", 10)
    assert query(database, "select error, attempts from dead_letters") == [("connection refused", 10)]
    assert len(states(database, "operator_alert")) == 1


def test_the_schedule_is_that_of_the_receiver_where_it_asks_for_more(database: Database) -> None:
    open_marketplace(database)
    with receiver(says(429, "Retry-After: 1200")) as crm:
        set_endpoint(database, crm.url())
        told = sell_for_anchor(database)
        send(database, told)
    [again] = jobs(database, "send_webhook")
    assert 1_190 < again["due_in"] <= 1_200


@pytest.mark.parametrize("keys", [None, new_secret_key()], ids=["none", "another"])
def test_missing_keys_are_not_the_receivers_fault(database: Database, keys: str | None) -> None:
    open_marketplace(database)
    with receiver(says(200)) as crm:
        set_endpoint(database, crm.url())
        told = sell_for_anchor(database)
        outcome = WebhookSender(database, settings_for(encryption_keys=keys)).send(told, job_of(database, told))
    assert isinstance(outcome, NotSent)
    assert "FAIRLEAD_ENCRYPTION_KEYS" in outcome.answer
    assert crm.requests == []
    assert row_of(database, told)["attempts"] == 1
    assert endpoint_row(database)["failure_count"] == 0


def test_a_bug_of_ours_is_a_failed_attempt_and_not_the_receivers_fault(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_marketplace(database)
    set_endpoint(database, "https://crm.example.com/")
    told = sell_for_anchor(database)

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError(CANARY_NAME)

    for name in ("send_webhook", "lead_assigned_body"):
        monkeypatch.setattr(flow, name, broken)
        assert send(database, told) == NotSent("ZeroDivisionError", is_permanent=False)
        monkeypatch.undo()
    assert row_of(database, told)["attempts"] == 2
    assert endpoint_row(database)["failure_count"] == 0
    assert_nothing_personal(database)
