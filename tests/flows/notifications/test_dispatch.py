"""Waiting notifications are handed out once, to whom wants them."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.core.errors import BadInput, Refused
from fairlead.flows.notifications import dispatch as flow
from fairlead.flows.notifications.dispatch import dispatch_notifications
from fairlead.flows.notifications.preferences import set_notification_preferences
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from fairlead.store.leads.rows import clock
from fairlead.store.notifications.rows import claim
from tests.flows.marketplaces import provider_id
from tests.flows.notifications.stage import (
    ANCHOR,
    assert_nothing_personal,
    forget,
    jobs,
    notification,
    open_marketplace,
    query,
    row_of,
    sell_lead,
    set_endpoint,
    states,
)
from tests.race.processes import wait_until_blocked


def test_each_notification_gets_one_job_of_its_channel(database: Database) -> None:
    open_marketplace(database)
    set_endpoint(database, "https://crm.example.com/leads")
    sell_lead(database)
    assert len(jobs(database, "dispatch_notifications")) == 1
    waiting = query(database, "select id::text, channel, correlation_id from notifications order by id")
    assert dispatch_notifications(database) == len(waiting) >= 4
    delivering = [*jobs(database, "send_email"), *jobs(database, "send_webhook")]
    handed = [(job["payload"]["notification_id"], job["task"].removeprefix("send_")) for job in delivering]
    assert sorted(handed) == sorted((notification_id, channel) for notification_id, channel, _ in waiting)
    assert {len(job["payload"]) for job in jobs(database, "send_email")} == {2}
    assert "request-1" in {job["payload"]["correlation_id"] for job in jobs(database, "send_webhook")}
    assert dispatch_notifications(database) == 0
    assert_nothing_personal(database)


def test_many_at_once_hand_out_each_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "BATCH_NOTIFICATIONS", 7)
    open_marketplace(database)
    anchor = provider_id(database, ANCHOR)
    with database.transaction() as conn:
        for _ in range(100):
            conn.execute(
                """
                insert into notifications (id, kind, channel, provider_id, detail, created_at)
                values (%s, 'low_balance', 'email', %s, '{"threshold_cents": 1}', now())
                """,
                (new_id(), anchor),
            )
    with ThreadPoolExecutor(6) as pool:
        counts = list(pool.map(lambda _: dispatch_notifications(database), range(6)))
    assert sum(counts) == 100
    ids = [job["payload"]["notification_id"] for job in jobs(database, "send_email")]
    assert len(ids) == len(set(ids)) == 100
    forget(database)


def test_marking_and_enqueueing_happen_together_or_not_at_all(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_marketplace(database)
    sell_lead(database)

    def fails(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(flow, "enqueue", fails)
        with pytest.raises(ZeroDivisionError):
            dispatch_notifications(database)
    assert query(database, "select count(*) from notifications where enqueued_at is not null") == [(0,)]
    assert dispatch_notifications(database) == len(jobs(database, "send_email")) == 3


def test_a_claim_that_had_to_wait_sees_who_has_it_now(database: Database) -> None:
    """The winner's job began to run only after the other's transaction had begun: its snapshot would not show it."""
    open_marketplace(database)
    sell_lead(database)
    dispatch_notifications(database)
    told = notification(database)
    winner = next(job["id"] for job in jobs(database, "send_email") if job["payload"]["notification_id"] == told)
    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as conn:
            conn.execute("update jobs set state = 'running' where id = %s", (winner,))
            assert claim(conn, {told: winner}, clock(conn))
            late = pool.submit(database.run, lambda other: claim(other, {told: 999}, clock(other)))
            wait_until_blocked(database.url, late)
        assert late.result(10) == []


def test_what_a_provider_does_not_want_is_skipped(database: Database) -> None:
    open_marketplace(database)
    anchor = provider_id(database, ANCHOR)
    unwanted = {"lead_assigned": {"email": False, "webhook": True}, "low_balance": {"email": False}}
    assert set_notification_preferences(database, anchor, unwanted, OPERATOR) == unwanted
    set_endpoint(database, "https://crm.example.com/leads")
    sell_lead(database)
    dispatch_notifications(database)
    skipped = row_of(database, notification(database))
    assert (skipped["state"], skipped["last_answer"]) == ("skipped", "the provider does not want to be told")
    assert states(database) == ["skipped", "queued"]
    assert states(database, channel="webhook") == ["queued"]
    assert notification(database) not in [job["payload"]["notification_id"] for job in jobs(database, "send_email")]


def test_a_batch_of_skipped_ones_does_not_end_the_dispatch(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "BATCH_NOTIFICATIONS", 1)
    open_marketplace(database)
    unwanted = {"lead_assigned": {"email": False}}
    set_notification_preferences(database, provider_id(database, ANCHOR), unwanted, OPERATOR)
    sell_lead(database)
    assert dispatch_notifications(database) == 2  # Bowline's lead, and that its funds ended
    assert "queued" not in [
        row[0] for row in query(database, "select state from notifications where enqueued_at is null")
    ]


def test_preferences_are_audited_once_and_checked(database: Database) -> None:
    open_marketplace(database)
    anchor = provider_id(database, ANCHOR)
    for _ in range(2):
        set_notification_preferences(database, anchor, {"refund_issued": {"email": False}}, OPERATOR)
    events = query(
        database,
        "select old, new from audit_log where action = 'provider.notification_preferences_changed'",
    )
    assert events == [({}, {"refund_issued": {"email": False}})]
    bad = {"gossip": {}, "low_balance": {"fax": True, "email": "no"}, "refund_issued": []}
    with pytest.raises(BadInput) as caught:
        set_notification_preferences(database, anchor, bad, OPERATOR)
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        "notification_preferences",
        "notification_preferences.low_balance",
        "notification_preferences.low_balance.email",
        "notification_preferences.refund_issued",
    ]
    with pytest.raises(BadInput, match="must be an object"):
        set_notification_preferences(database, anchor, [], OPERATOR)
    with pytest.raises(Refused, match="there is no provider"):
        set_notification_preferences(database, new_id(), {}, OPERATOR)
