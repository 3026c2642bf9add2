"""Queues, dead letters, deliveries and their attempts as operators look at them; an endpoint's also as its provider."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fairlead.store.connection import Database
from fairlead.store.failures.dead_letters import (
    DeadLetterFilter,
    NewDeadLetter,
    dead_letter_page,
    open_dead_letter,
    resolve,
)
from fairlead.store.jobs.queue_views import QueueState, queue_states
from fairlead.store.leads.runs import JobAttempt, add_attempt
from fairlead.store.notifications.delivery_pages import (
    DeliveryFilter,
    delivery_attempts,
    delivery_page,
    endpoint_deliveries,
)
from tests.by_hand import TOLD_OF_SALES, rows_by_hand
from tests.flows.sales import query, sell
from tests.store.two_providers import two_providers

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def add_job(database: Database, queue: str, state: str, due_in_seconds: int | None, made_seconds_ago: int) -> None:
    with database.transaction() as conn:
        conn.execute(
            """
            insert into jobs (queue, task, state, scheduled_at, enqueued_at)
            values (%s, 'some_task', %s, now() + make_interval(secs => %s), now() - make_interval(secs => %s))
            """,
            (queue, state, due_in_seconds, made_seconds_ago),
        )


def test_every_queue_says_what_waits_runs_and_is_put_off(database: Database) -> None:
    add_job(database, "email", "waiting", None, 40)
    add_job(database, "email", "waiting", None, 30)
    add_job(database, "email", "waiting", -90, 500)
    add_job(database, "email", "waiting", 600, 5)
    add_job(database, "email", "running", None, 10)
    add_job(database, "odd", "waiting", 300, 5)
    with database.transaction() as conn:
        open_dead_letter(conn, NewDeadLetter("send_webhook", {}, "Broken", None, 3), NOW)
    states = {state.queue: state for state in database.read(queue_states)}
    assert list(states) == ["dispatch", "distribute", "email", "export", "odd", "webhook"]
    email = states["email"]
    assert (email.waiting_count, email.scheduled_count, email.running_count, email.open_dead_letter_count) == (
        3,
        1,
        1,
        0,
    )
    assert email.oldest_waiting_seconds == pytest.approx(90, abs=20)
    assert email.next_scheduled_at is not None
    assert states["dispatch"] == QueueState("dispatch", 0, 0, 0, 0, None, None)
    assert (states["odd"].scheduled_count, states["odd"].oldest_waiting_seconds) == (1, None)
    assert states["webhook"].open_dead_letter_count == 1


@pytest.mark.parametrize("limit", [1, 50])
def test_dead_letters_come_newest_first_and_by_filter(database: Database, limit: int) -> None:
    sale = sell(database)
    with database.transaction() as conn:
        lead = open_dead_letter(
            conn, NewDeadLetter("distribute_lead", {}, "Broken", "the trace", 6, lead_id=sale.lead_id), NOW
        )
        mail = open_dead_letter(conn, NewDeadLetter("send_email", {}, "refused", None, 3), NOW + MINUTE)
        done = open_dead_letter(conn, NewDeadLetter("send_email", {}, "refused", None, 3), NOW + 2 * MINUTE)
        resolve(conn, done, "resolved", "clerk", None, NOW + 3 * MINUTE)

    def found(**wanted: Any) -> list[str]:
        ids: list[str] = []
        after = None
        while True:
            page = database.read(
                lambda conn, after=after: dead_letter_page(conn, DeadLetterFilter(**wanted), after, limit)
            )
            ids += [letter.dead_letter_id for letter in page.items]
            assert all(letter.trace is None for letter in page.items)
            if (after := page.next_after) is None:
                return ids

    assert found() == [done, mail, lead]
    assert found(is_open=True) == [mail, lead]
    assert found(is_open=False) == [done]
    assert found(queue="distribute") == [lead]
    assert found(lead_id=sale.lead_id) == [lead]
    assert found(failed_from=NOW + MINUTE) == [done, mail]
    assert found(failed_before=NOW + MINUTE, is_open=True) == [lead]
    with database.transaction() as conn:
        for letter in (lead, mail):
            resolve(conn, letter, "resolved", "clerk", None, NOW)


@pytest.mark.parametrize("limit", [1, 50])
def test_deliveries_come_newest_first_and_by_filter(database: Database, limit: int) -> None:
    sides = two_providers(database)
    every = query(
        database,
        "select id::text, provider_id::text, kind, channel, state, created_at from notifications order by id desc",
    )
    assert len({row[2] for row in every}) > 1

    def found(**wanted: Any) -> list[str]:
        ids: list[str] = []
        after = None
        while True:
            page = database.read(lambda conn, after=after: delivery_page(conn, DeliveryFilter(**wanted), after, limit))
            ids += [each.notification_id for each in page.items]
            if (after := page.next_after) is None:
                return ids

    assert found() == [row[0] for row in every]
    assert found(provider_id=sides.anchor.provider) == [row[0] for row in every if row[1] == sides.anchor.provider]
    assert found(kind="lead_assigned") == [row[0] for row in every if row[2] == "lead_assigned"]
    assert found(channel="email", state="queued") == [row[0] for row in every if row[3:5] == ("email", "queued")]
    assert found(state="failed") == []
    moment = every[len(every) // 2][5]
    assert found(created_from=moment) == [row[0] for row in every if row[5] >= moment]
    assert found(created_before=moment) == [row[0] for row in every if row[5] < moment]
    assert found(created_before=moment - timedelta(days=1)) == []
    with database.transaction() as conn:
        conn.execute("update notifications set state = 'failed' where id = %s", (every[0][0],))
    assert found(state="failed") == [every[0][0]]
    with database.transaction() as conn:
        conn.execute("update notifications set state = 'queued' where id = %s", (every[0][0],))


@rows_by_hand(TOLD_OF_SALES)
def test_an_endpoints_deliveries_are_its_providers_and_no_others(database: Database) -> None:
    sides = two_providers(database)
    with database.transaction() as conn:
        conn.execute(
            """
            update notifications set channel = 'webhook', webhook_endpoint_id = %s
            where kind = 'lead_assigned' and channel = 'email' and provider_id = %s and assignment_id = %s
            """,
            (sides.anchor.endpoint, sides.anchor.provider, sides.anchor.assignment),
        )
    [(expected, count)] = query(
        database,
        "select max(id::text), count(*) from notifications where webhook_endpoint_id = %s",
        sides.anchor.endpoint,
    )
    assert count >= 1
    own = sides.anchor.provider
    for connection in (database, database.bound_to(own)):
        page = connection.read(lambda conn: endpoint_deliveries(conn, sides.anchor.endpoint, own, None, 50))
        assert (page.items[0].notification_id, len(page.items)) == (expected, count)
    others = database.read(
        lambda conn: endpoint_deliveries(conn, sides.anchor.endpoint, sides.bowline.provider, None, 50)
    )
    assert others.items == ()
    assert (
        len(database.read(lambda conn: endpoint_deliveries(conn, sides.anchor.endpoint, None, None, 50)).items) == count
    )


def test_attempts_come_newest_first(database: Database) -> None:
    sell(database)
    [(notification,), *_] = query(database, "select id::text from notifications order by id")
    with database.transaction() as conn:
        for minutes, outcome in enumerate(("failed", "crashed", "succeeded")):
            add_attempt(
                conn,
                JobAttempt(1, "send_email", outcome, None, NOW + minutes * MINUTE, None, notification_id=notification),
            )
    found = database.read(lambda conn: delivery_attempts(conn, notification))
    assert [attempt.outcome for attempt in found] == ["succeeded", "crashed", "failed"]
    assert len(database.read(lambda conn: delivery_attempts(conn, notification, 2))) == 2
