"""Sending again what failed or was sent: one notification, or all that an endpoint missed."""

from datetime import datetime, timedelta

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.delivery.outcome import Sent
from fairlead.flows.notifications import replay as flow
from fairlead.flows.notifications.endpoints import pause_webhook_endpoint, remove_webhook_endpoint
from fairlead.flows.notifications.replay import (
    Replayed,
    replay_endpoint,
    replay_notification,
    requeue_notification,
)
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from fairlead.store.leads.rows import clock
from tests.delivery.mail_servers import Inbox, mail_server
from tests.delivery.receiver import receiver, says
from tests.flows.notifications.stage import (
    ANCHOR,
    assert_nothing_personal,
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


def ids_to_anchor(inbox: Inbox) -> list[str]:
    """The Message-IDs of what Anchor received."""
    received = zip(inbox.messages, inbox.recipients, strict=True)
    return [str(message["Message-ID"]) for message, recipient in received if recipient == ANCHOR]


def test_a_sent_mail_that_is_replayed_is_a_new_message(database: Database) -> None:
    open_marketplace(database)
    sell_lead(database)
    inbox = Inbox()
    with mail_server(inbox) as port:
        work_off(database, settings_for(port))
        told = notification(database)
        assert replay_notification(database, told.upper(), OPERATOR) == Replayed(told, "email", "sent", True)
        assert replay_notification(database, told, OPERATOR) == Replayed(told, "email", "queued", False)
        row = row_of(database, told)
        assert (row["state"], row["attempts"], row["sent_at"]) == ("queued", 0, None)
        work_off(database, settings_for(port))
    assert ids_to_anchor(inbox) == [f"<{told}@example.net>", f"<{told}.1@example.net>"]
    events = query(database, "select old from audit_log where action = 'notification.replayed'")
    assert events == [({"state": "sent", "channel": "email"},)]


def test_a_mail_that_failed_keeps_its_message_id_and_its_dead_letter_is_resolved(database: Database) -> None:
    open_marketplace(database)
    sell_lead(database)
    inbox = Inbox(answer_to_data="554 no")  # which some servers say after they took it
    with mail_server(inbox) as port:
        work_off(database, settings_for(port))
        told = notification(database)
        assert row_of(database, told)["state"] == "failed"
        assert replay_notification(database, told, OPERATOR).took_effect
        letters = query(database, "select resolution, resolved_by from dead_letters where notification_id = %s", told)
        assert letters == [("retried", "operator")]
        inbox.answer_to_data = "250 OK"
        work_off(database, settings_for(port))
    assert f"<{told}@example.net>" in ids_to_anchor(inbox)
    assert row_of(database, told)["attempts"] == 1


def test_requeueing_is_part_of_the_callers_transaction(database: Database) -> None:
    open_marketplace(database)
    sell_lead(database)
    inbox = Inbox()
    with mail_server(inbox) as port:
        work_off(database, settings_for(port))
    told = notification(database)

    def requeue_and_fail() -> None:
        with database.transaction() as conn:
            assert requeue_notification(conn, told, clock(conn))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        requeue_and_fail()
    assert (row_of(database, told)["state"], jobs(database)) == ("sent", [])
    with database.transaction() as conn:
        assert requeue_notification(conn, told, clock(conn))
        assert not requeue_notification(conn, told, clock(conn))
        assert not requeue_notification(conn, new_id(), clock(conn))
    assert [job["payload"]["notification_id"] for job in jobs(database, "send_email")] == [told]


def test_what_cannot_be_replayed(database: Database) -> None:
    open_marketplace(database)
    with receiver(says(200)) as crm:
        made = set_endpoint(database, crm.url())
        sell_lead(database)
        work_off(database, settings_for())
    remove_webhook_endpoint(database, made.endpoint_id, OPERATOR)
    told = notification(database, channel="webhook")
    with pytest.raises(Refused) as caught:
        replay_notification(database, told, OPERATOR)
    assert caught.value.code == "webhook_endpoint_removed"
    with database.transaction() as conn:
        assert not requeue_notification(conn, told, clock(conn))
    with pytest.raises(Refused) as caught:
        replay_notification(database, new_id(), OPERATOR)
    assert caught.value.code == "notification_unknown"
    with pytest.raises(BadInput, match="is no notification id"):
        replay_notification(database, "17", OPERATOR)
    now = database.run(clock)
    with pytest.raises(Refused) as caught:
        replay_endpoint(database, made.endpoint_id, now, OPERATOR)
    assert caught.value.code == "webhook_endpoint_unknown"
    with pytest.raises(BadInput, match="time zone"):
        replay_endpoint(database, made.endpoint_id, datetime(2026, 1, 1), OPERATOR)  # noqa: DTZ001


def test_an_endpoint_receives_again_what_it_had_since_then(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "BATCH_NOTIFICATIONS", 2)
    open_marketplace(database)
    with receiver(says(200)) as crm:
        made = set_endpoint(database, crm.url())
        sell_lead(database)
        since = database.run(clock)
        for _ in range(3):
            sell_lead(database)
        work_off(database, settings_for())
        first = [(request.headers["webhook-id"], request.body) for request in crm.requests]
        assert len(first) == 4
        assert replay_endpoint(database, made.endpoint_id, since, OPERATOR) == 3
        work_off(database, settings_for())
        again = [(request.headers["webhook-id"], request.body) for request in crm.requests[4:]]
    assert sorted(again) == sorted(first)[1:]  # the same ids, by which the receiver knows them, and the same bytes
    counts = query(
        database, "select (new ->> 'count')::integer from audit_log where action = 'webhook_endpoint.replayed'"
    )
    assert counts == [(2,), (1,)]
    assert_nothing_personal(database)


def test_what_is_replayed_to_a_paused_endpoint_waits(database: Database) -> None:
    open_marketplace(database)
    with receiver(says(200)) as crm:
        made = set_endpoint(database, crm.url())
        sell_lead(database)
        work_off(database, settings_for())
        pause_webhook_endpoint(database, made.endpoint_id, "maintenance", OPERATOR)
        since = database.run(clock) - timedelta(hours=1)
        assert replay_endpoint(database, made.endpoint_id, since, OPERATOR) == 1
        assert replay_endpoint(database, made.endpoint_id, since, OPERATOR) == 0
        outcomes = work_off(database, settings_for())
    assert Sent("HTTP 200") not in outcomes
    assert states(database, channel="webhook") == ["queued"]
    assert len(crm.requests) == 1


def test_failed_deliveries_are_replayed_with_their_dead_letters(database: Database) -> None:
    open_marketplace(database)
    with receiver(says(410)) as crm:
        made = set_endpoint(database, crm.url())
        sell_lead(database)
        work_off(database, settings_for())
    with receiver(says(200)) as crm:
        set_endpoint(database, crm.url())
        since = database.run(clock) - timedelta(hours=1)
        assert replay_endpoint(database, made.endpoint_id, since, OPERATOR) == 1
        work_off(database, settings_for())
    assert states(database, channel="webhook") == ["sent"]
    told = notification(database, channel="webhook")
    letters = query(database, "select resolution from dead_letters where notification_id = %s", told)
    assert letters == [("retried",)]
