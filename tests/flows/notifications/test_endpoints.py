"""Endpoints are set, rotated, paused, resumed and removed, by people and by what their receivers answer."""

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from standardwebhooks import Webhook

from fairlead.core.errors import BadInput, Refused
from fairlead.delivery.outcome import NotSent
from fairlead.flows.notifications import send_webhook as flow
from fairlead.flows.notifications.dispatch import dispatch_notifications
from fairlead.flows.notifications.endpoint_secrets import retire_previous_secret, rotate_webhook_secret
from fairlead.flows.notifications.endpoints import (
    pause_webhook_endpoint,
    remove_webhook_endpoint,
    resume_webhook_endpoint,
)
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.delivery.receiver import receiver, says
from tests.flows.marketplaces import provider_id
from tests.flows.notifications.hooks import Moody, endpoint_row, job_of, sell_for_anchor, send, webhooks
from tests.flows.notifications.stage import (
    ANCHOR,
    assert_nothing_personal,
    box,
    finish,
    jobs,
    open_marketplace,
    query,
    row_of,
    sell_lead,
    set_endpoint,
    settings_for,
    states,
    work_off,
)
from tests.race.processes import wait_until_blocked


def test_during_a_rotation_both_secrets_verify(database: Database) -> None:
    open_marketplace(database)
    with receiver(says(200)) as crm:
        made = set_endpoint(database, crm.url())
        rotated = rotate_webhook_secret(database, box(), made.endpoint_id, OPERATOR)
        sell_for_anchor(database)
        with pytest.raises(Refused) as caught:
            rotate_webhook_secret(database, box(), made.endpoint_id, OPERATOR)
        assert caught.value.code == "webhook_rotation_under_way"
        work_off(database, settings_for())
        assert retire_previous_secret(database, made.endpoint_id, OPERATOR).took_effect
        assert not retire_previous_secret(database, made.endpoint_id, OPERATOR).took_effect
        sell_for_anchor(database)
        work_off(database, settings_for())
    during, afterwards = crm.requests
    old, new = made.secret, rotated.secret
    assert old is not None
    assert new is not None
    assert old != new
    for secret in (old, new):
        Webhook(secret).verify(during.body, during.signed_headers())
    Webhook(new).verify(afterwards.body, afterwards.signed_headers())
    assert len(afterwards.headers["webhook-signature"].split()) == 1
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(old).verify(afterwards.body, afterwards.signed_headers())
    assert_nothing_personal(database)


def test_failures_in_a_row_pause_the_endpoint_and_hold_back_what_waits(database: Database) -> None:
    open_marketplace(database)
    answer = Moody(says(503))
    with receiver(answer) as crm:
        set_endpoint(database, crm.url())
        failing, waiting = sell_for_anchor(database), sell_for_anchor(database)
        for _ in range(3):
            send(database, failing)
        row = endpoint_row(database)
        assert (row["state"], row["failure_count"]) == ("paused", 3)
        assert row["state_reason"] == "3 deliveries failed in a row, the last with: HTTP 503"
        assert row_of(database, failing)["attempts"] == 3
        assert [row_of(database, each)["enqueued_at"] for each in (failing, waiting)] == [None, None]
        assert jobs(database, "send_webhook") == []
        # What comes while it is paused waits too, and nothing is tried.
        later = sell_for_anchor(database)
        dispatch_notifications(database)
        assert jobs(database, "send_webhook") == []
        assert len(crm.requests) == 3
        [(memo, new)] = query(
            database, "select memo, new from audit_log where action = 'webhook_endpoint.paused' and actor = 'fairlead'"
        )
        assert "HTTP 503" in memo
        assert new["held_back_count"] == 1
        assert states(database, "operator_alert") == ["queued"]

        answer.answer = says(200)
        resumed = resume_webhook_endpoint(database, str(row["id"]), "mended", OPERATOR)
        assert (resumed.state, resumed.took_effect) == ("active", True)
        work_off(database, settings_for())
    assert [request.headers["webhook-id"] for request in crm.requests[3:]] == sorted([failing, waiting, later])
    assert states(database, channel="webhook") == ["sent"] * 3
    assert endpoint_row(database)["failure_count"] == 0
    assert_nothing_personal(database)


def test_a_job_that_meets_a_paused_endpoint_holds_its_notification_back(database: Database) -> None:
    open_marketplace(database)
    with receiver(says(200)) as crm:
        made = set_endpoint(database, crm.url())
        told = sell_for_anchor(database)
        job_id = job_of(database, told)
        pause_webhook_endpoint(database, made.endpoint_id, "maintenance", OPERATOR)
        assert webhooks(database).send(told, job_id) is None
        row = row_of(database, told)
        assert (row["state"], row["enqueued_at"], row["claimed_by_job"], row["attempts"]) == ("queued", None, None, 0)
    assert crm.requests == []


def test_a_delivery_under_way_while_its_endpoint_is_paused_is_held_back_when_it_fails(database: Database) -> None:
    open_marketplace(database)
    made = None

    def answer(connection: socket.socket) -> None:
        assert made is not None
        pause_webhook_endpoint(database, made.endpoint_id, "maintenance", OPERATOR)
        says(500)(connection)

    with receiver(answer) as crm:
        made = set_endpoint(database, crm.url())
        told = sell_for_anchor(database)
        assert send(database, told) == NotSent("HTTP 500", is_permanent=False)
    row = row_of(database, told)
    assert (row["state"], row["enqueued_at"], row["attempts"]) == ("queued", None, 1)
    assert endpoint_row(database)["state_reason"] == "maintenance"
    assert jobs(database, "send_webhook") == []


def test_gone_disables_the_endpoint(database: Database) -> None:
    open_marketplace(database)
    with receiver(says(410)) as crm:
        made = set_endpoint(database, crm.url())
        waiting, told = sell_for_anchor(database), sell_for_anchor(database)
        outcome = send(database, told)
    assert outcome == NotSent("HTTP 410", is_permanent=True, is_gone=True)
    assert (row_of(database, told)["state"], row_of(database, waiting)["enqueued_at"]) == ("failed", None)
    assert endpoint_row(database)["state"] == "disabled"
    assert query(database, "select error, task from dead_letters") == [("HTTP 410", "send_webhook")]
    assert query(database, "select count(*) from audit_log where action = 'webhook_endpoint.disabled'") == [(1,)]
    # Leads that are sold now are told by email only.
    before = len(states(database, channel="webhook"))
    sell_lead(database)
    assert len(states(database, channel="webhook")) == before
    # Another address is another receiver.
    with receiver(says(200)) as crm:
        changed = set_endpoint(database, crm.url())
        assert (changed.endpoint_id, changed.state, changed.secret) == (made.endpoint_id, "active", None)
        work_off(database, settings_for())
    assert [request.headers["webhook-id"] for request in crm.requests] == [waiting]


def test_setting_an_endpoint(database: Database) -> None:
    open_marketplace(database)
    made = set_endpoint(database, "https://crm.example.com/leads?token=sesame")
    assert (made.state, made.took_effect) == ("active", True)
    assert made.secret is not None
    assert made.secret not in repr(made)
    row = endpoint_row(database)
    assert made.secret.encode().hex() not in str(row["secret"])
    again = set_endpoint(database, "https://crm.example.com/leads?token=sesame")
    assert (again.endpoint_id, again.took_effect, again.secret) == (made.endpoint_id, False, None)
    moved = set_endpoint(database, "https://other.example.com/", field_mapping={"id": "lead_id"})
    assert (moved.endpoint_id, moved.took_effect, moved.secret) == (made.endpoint_id, True, None)
    events = query(database, "select action, new from audit_log where entity = 'webhook_endpoint' order by seq")
    assert [action for action, _ in events] == ["webhook_endpoint.created", "webhook_endpoint.changed"]
    assert [new["host"] for _, new in events] == ["crm.example.com", "other.example.com"]
    assert "sesame" not in str(events)
    with pytest.raises(BadInput) as caught:
        set_endpoint(database, "http://127.0.0.1/", allow_private=False, field_mapping={"x": "password"})
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["url", "url", "url", "field_mapping.x"]


def test_one_endpoint_however_many_set_it_at_once(database: Database) -> None:
    open_marketplace(database)
    with ThreadPoolExecutor(6) as pool:
        urls = [f"https://crm.example.com/{number}" for number in range(6)]
        made = list(pool.map(lambda url: set_endpoint(database, url), urls))
    assert len({each.endpoint_id for each in made}) == 1
    assert sum(each.secret is not None for each in made) == 1


def test_pausing_and_resuming_again_changes_nothing(database: Database) -> None:
    open_marketplace(database)
    made = set_endpoint(database, "https://crm.example.com/")
    assert not resume_webhook_endpoint(database, made.endpoint_id, "x", OPERATOR).took_effect
    assert pause_webhook_endpoint(database, made.endpoint_id, "maintenance", OPERATOR).took_effect
    assert not pause_webhook_endpoint(database, made.endpoint_id, "again", OPERATOR).took_effect
    assert endpoint_row(database)["state_reason"] == "maintenance"
    changed = set_endpoint(database, "https://crm.example.com/other")
    assert changed.state == "paused"
    events = query(database, "select memo from audit_log where action = 'webhook_endpoint.paused'")
    assert events == [("maintenance",)]
    with pytest.raises(BadInput, match="one line of 1 to 500"):
        pause_webhook_endpoint(database, made.endpoint_id, "\n", OPERATOR)
    with pytest.raises(Refused) as caught:
        pause_webhook_endpoint(database, provider_id(database, ANCHOR), "x", OPERATOR)
    assert caught.value.code == "webhook_endpoint_unknown"


def test_what_waits_for_a_removed_endpoint_is_skipped(database: Database) -> None:
    open_marketplace(database)
    made = set_endpoint(database, "https://crm.example.com/")
    told = sell_for_anchor(database)
    job_id = job_of(database, told)
    assert remove_webhook_endpoint(database, made.endpoint_id, OPERATOR).state == "removed"
    row = row_of(database, told)
    assert (row["state"], row["last_answer"]) == ("skipped", "the webhook endpoint was removed")
    assert webhooks(database).send(told, job_id) is None
    stored = endpoint_row(database)
    assert (stored["secret"], stored["previous_secret"]) == ("\\x", None)
    with pytest.raises(Refused, match="there is no webhook endpoint"):
        remove_webhook_endpoint(database, made.endpoint_id, OPERATOR)
    # A notification that was written while the endpoint was being removed is skipped when it is handed out.
    with database.transaction() as conn:
        conn.execute("update notifications set state = 'queued', enqueued_at = null where id = %s", (told,))
    dispatch_notifications(database)
    assert row_of(database, told)["state"] == "skipped"
    assert set_endpoint(database, "https://crm.example.com/").endpoint_id != made.endpoint_id


def test_an_endpoint_is_not_resumed_between_a_look_at_it_and_holding_back(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else all that waits would be handed out just before one more began to wait, and that for ever."""
    open_marketplace(database)
    made = set_endpoint(database, "https://crm.example.com/")
    told = sell_for_anchor(database)
    job_id = job_of(database, told)
    pause_webhook_endpoint(database, made.endpoint_id, "maintenance", OPERATOR)
    claim = flow.claim
    with ThreadPoolExecutor(1) as pool:

        def claim_meanwhile(*arguments: Any) -> object:
            resumed = pool.submit(resume_webhook_endpoint, database, made.endpoint_id, "over", OPERATOR)
            wait_until_blocked(database.url, resumed)
            return claim(*arguments)

        monkeypatch.setattr(flow, "claim", claim_meanwhile)
        assert webhooks(database).send(told, job_id) is None
    finish(database, job_id)
    assert dispatch_notifications(database) > 0
    assert [job["payload"]["notification_id"] for job in jobs(database, "send_webhook")] == [told]


def test_resuming_races_with_jobs_that_hold_back(database: Database) -> None:
    """However a resume and the jobs fall together, nothing is left behind that waits without a job."""
    open_marketplace(database)
    with receiver(says(200)) as crm, ThreadPoolExecutor(4) as pool:
        made = set_endpoint(database, crm.url())
        told = [sell_for_anchor(database) for _ in range(2)]
        taken = [(each, job_of(database, each)) for each in told]
        pause_webhook_endpoint(database, made.endpoint_id, "maintenance", OPERATOR)
        running = [pool.submit(webhooks(database).send, *each) for each in taken]
        resumed = pool.submit(resume_webhook_endpoint, database, made.endpoint_id, "over", OPERATOR)
        for each in (*running, resumed):
            each.result()
        for _, job_id in taken:
            finish(database, job_id)
        work_off(database, settings_for())
    assert states(database, channel="webhook") == ["sent"] * 2
    assert len(crm.requests) == 2
