"""A notification becomes one mail, whichever worker dies or hurries on the way."""

import json
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.delivery.email import Email
from fairlead.delivery.mail_transport import open_mail_transport
from fairlead.delivery.outcome import Delivery, NotSent, Sent
from fairlead.flows.notifications.dispatch import dispatch_notifications
from fairlead.flows.notifications.message import labelled
from fairlead.flows.notifications.outcome import Recorded
from fairlead.flows.notifications.send_email import EmailSender
from fairlead.store.connection import Connection, Database
from fairlead.telemetry.metrics import counting_in, make_metrics
from tests.delivery.mail_servers import Inbox, mail_server
from tests.flows.notifications.mail import Recorder, first_job, sent_to, text_of
from tests.flows.notifications.stage import (
    ANCHOR,
    BOWLINE,
    CANARY_EMAIL,
    CANARY_NAME,
    CANARY_PHONE,
    assert_nothing_personal,
    emails,
    finish,
    jobs,
    notification,
    open_marketplace,
    query,
    row_of,
    sell_lead,
    settings_for,
    states,
    take,
    work_off,
)


def test_every_assignment_is_one_mail(database: Database) -> None:
    open_marketplace(database)
    lead_id = sell_lead(database)
    inbox, metrics = Inbox(), make_metrics()
    with mail_server(inbox) as port, counting_in(metrics):
        work_off(database, settings_for(port))
        work_off(database, settings_for(port))
    [mail] = sent_to(inbox, ANCHOR)
    text = text_of(mail)
    for told in (CANARY_NAME, CANARY_EMAIL, CANARY_PHONE, "Cores", "8", "Region", "north", "Hosting", "gold", lead_id):
        assert told in text, told
    assert "20.00 EUR" in text
    assert mail["Message-ID"] == f"<{notification(database)}@example.net>"
    assert mail["X-Fairlead-Correlation"] == "request-1"
    assert mail["To"] == f"Anchor <{ANCHOR}>"
    assert [message["Subject"] for message in sent_to(inbox, BOWLINE)] != []
    assert states(database) == ["sent", "sent"]
    row = row_of(database, notification(database))
    assert (row["attempts"], row["claimed_by_job"], row["last_error"]) == (1, None, None)
    assert row["last_answer"].startswith("250 ")
    assert jobs(database) == []
    assert metrics.deliveries.labels("email", "sent")._value.get() == len(inbox.messages)
    assert_nothing_personal(database)


def test_every_kind_for_providers_can_be_written_from_the_rows(damaged_database: Database) -> None:
    database = damaged_database  # some of what is told of here never happened
    open_marketplace(database)
    sell_lead(database)
    with database.transaction() as conn:
        conn.execute(
            """
            insert into notifications (id, kind, channel, provider_id, assignment_id, subscription_id, detail,
                                       created_at)
            select gen_random_uuid(), kind, 'email', a.provider_id, case when cause = 'assignment' then a.id end,
                   case when cause = 'subscription' then a.subscription_id end, detail, now()
            from assignments a join providers p on p.id = a.provider_id and p.email = 'anchor@example.com',
                 (values ('refund_issued', 'assignment', '{"reason": "wrong number"}'::jsonb),
                         ('low_balance', 'balance', '{"threshold_cents": 4500}'),
                         ('low_balance', 'balance',
                          '{"days_left": 1, "threshold_days": 9, "daily_cents": 1500, "balance_cents": 3000}'),
                         ('filter_invalidated', 'subscription', null),
                         ('price_limit_passed', 'subscription',
                          '{"lowest_price_cents": 2500, "max_price_cents": 2400}'),
                         ('subscription_deactivated', 'subscription', null),
                         ('subscription_reactivated', 'subscription', null)) as told (kind, cause, detail)
            """
        )
    inbox = Inbox()
    with mail_server(inbox) as port:
        work_off(database, settings_for(port))
    texts = [text_of(mail) for mail in sent_to(inbox, ANCHOR)]
    assert len(texts) == 8
    assert any("25.00 EUR" in text and "24.00 EUR" in text for text in texts)
    assert any(
        "Lasts for: 1 day" in text and "15.00 EUR a day" in text and "less than 9 days" in text for text in texts
    )
    assert any("wrong number" in text and "20.00 EUR" in text for text in texts)
    assert any("45.00 EUR" in text and "30.00 EUR" in text for text in texts)  # the threshold, and the balance
    assert query(database, "select count(*) from notifications where state <> 'sent'") == [(0,)]


def test_a_lead_whose_data_was_erased_can_still_be_told_of(database: Database) -> None:
    open_marketplace(database)
    sell_lead(database)
    with database.transaction() as conn:
        conn.execute("update leads set contact_name = null, contact_email = null, contact_phone = null")
        conn.execute("update niches set form_schema = '{\"version\": 0}'")
    transport = Recorder(Sent("ok"))
    dispatch_notifications(database)
    job_id = first_job(database, notification(database))
    sender = EmailSender(database, transport, settings_for())
    assert sender.send(notification(database), job_id) == Sent("ok")
    assert "None" not in transport.emails[0].text
    with database.transaction() as conn:  # the journal knows the form, and so must the row
        conn.execute(
            """
            update niches set form_schema = (select payload -> 'form_schema' from niche_journal where kind = 'niche'
                                             order by seq desc limit 1)
            """
        )


def test_answers_are_in_the_order_of_the_form_as_it_is_now() -> None:
    form = {
        "version": 1,
        "fields": [
            {"key": "zip", "label": "Postcode", "type": "text"},
            {"key": "tags", "label": "Wishes", "type": "multi-select", "options": ["a", "b"]},
            {"key": "own", "label": "Owner?", "type": "boolean"},
        ],
    }
    given = {"gone": 4.5, "own": False, "tags": ["a", "b"], "zip": "10115", "empty": None}
    told = [("Postcode", "10115"), ("Wishes", "a, b"), ("Owner?", "no"), ("gone", "4.5")]
    assert labelled(given, json.dumps(form)) == told
    assert labelled({"zip": "10115"}, json.dumps({"version": 7})) == [("zip", "10115")]


def test_two_jobs_for_one_notification_at_once_send_once(database: Database) -> None:
    open_marketplace(database)
    sell_lead(database)
    dispatch_notifications(database)
    told = notification(database)
    with database.transaction() as conn:  # a second hint, as an over-anxious reminder might give
        conn.execute(
            """
            insert into jobs (queue, task, payload)
            select queue, task, payload from jobs where payload ->> 'notification_id' = %s
            """,
            (told,),
        )
    twice = [job["id"] for job in jobs(database, "send_email") if job["payload"]["notification_id"] == told]
    assert len(twice) == 2
    for job_id in twice:
        take(database, job_id)
    inbox, together = Inbox(seconds_before_taking=0.3), threading.Barrier(2)

    def run(job_id: int) -> Delivery | None:
        together.wait(10)
        return emails(database, settings).send(told, job_id)

    with mail_server(inbox) as port, ThreadPoolExecutor(2) as pool:
        settings = settings_for(port)
        outcomes = list(pool.map(run, twice))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", "Sent"]
    assert len(inbox.messages) == 1


def test_a_worker_that_dies_after_the_servers_yes_sends_the_same_message_again(database: Database) -> None:
    open_marketplace(database)
    sell_lead(database)
    dispatch_notifications(database)
    told = notification(database)
    job_id = first_job(database, told)

    class Dies(EmailSender):
        def _record(self, *_: object, **__: object) -> Recorded:
            raise SystemExit

    inbox = Inbox()
    with mail_server(inbox) as port:
        with pytest.raises(SystemExit):
            Dies(database, open_mail_transport(settings_for(port)), settings_for(port)).send(told, job_id)
        assert row_of(database, told)["state"] == "queued"
        # While the queue takes the dead worker's job for running, another leaves it alone; then it is taken over.
        assert emails(database, settings_for(port)).send(told, 999_999_999) is None
        finish(database, job_id)
        assert isinstance(emails(database, settings_for(port)).send(told, 999_999_999), Sent)
    first, second = inbox.messages
    assert first["Message-ID"] == second["Message-ID"]
    assert row_of(database, told)["state"] == "sent"


def test_a_job_that_was_taken_over_meanwhile_does_not_overwrite_its_successor(database: Database) -> None:
    open_marketplace(database)
    sell_lead(database)
    dispatch_notifications(database)
    told = notification(database)
    job_id = first_job(database, told)

    class Slow(Recorder):
        def send(self, email: Email) -> Delivery:
            finish(database, job_id)  # given up for dead
            assert EmailSender(database, Recorder(Sent("second")), settings_for()).send(told, 999) == Sent("second")
            return super().send(email)

    late = NotSent("first", is_permanent=True)
    assert EmailSender(database, Slow(late), settings_for()).send(told, job_id) == late
    row = row_of(database, told)
    assert (row["state"], row["last_answer"], row["attempts"]) == ("sent", "second", 1)
    assert query(database, "select count(*) from dead_letters") == [(0,)]


def test_a_lost_answer_to_what_was_recorded_is_no_other_job(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The statement is run again, as after a lost answer, and finds what it did; so does a job that was overtaken."""
    open_marketplace(database)
    sell_lead(database)
    dispatch_notifications(database)
    told, once = notification(database), Database.run_statement

    def twice(own: Database, work: Callable[[Connection], bool]) -> bool:
        once(own, work)
        return once(own, work)

    caplog.set_level(logging.INFO)
    monkeypatch.setattr(Database, "run_statement", twice)
    EmailSender(database, Recorder(Sent("yes")), settings_for()).send(told, first_job(database, told))
    assert row_of(database, told)["attempts"] == 1
    said = " ".join(str(vars(record)) for record in caplog.records)
    assert "notification delivery on record already" in said
    assert "overtaken" not in said


def test_the_address_is_the_one_at_the_time_of_sending(database: Database) -> None:
    open_marketplace(database)
    sell_lead(database)
    with database.transaction() as conn:
        conn.execute("update providers set email = 'moved@example.com' where email = %s", (ANCHOR,))
    inbox = Inbox()
    with mail_server(inbox) as port:
        work_off(database, settings_for(port))
    assert len(sent_to(inbox, "moved@example.com")) == 1
    assert sent_to(inbox, ANCHOR) == []


def test_no_transaction_is_open_and_no_lock_held_while_the_server_is_waited_for(database: Database) -> None:
    open_marketplace(database)
    sell_lead(database)
    dispatch_notifications(database)
    told = notification(database)

    class Looks(Recorder):
        def send(self, email: Email) -> Delivery:
            with database.transaction() as conn:
                conn.execute("select from notifications where id = %s for update nowait", (told,))
                [(idle,)] = conn.execute(
                    """
                    select count(*) from pg_stat_activity
                    where datname = current_database() and pid <> pg_backend_pid() and state like 'idle in transaction%'
                    """
                ).fetchall()
            assert idle == 0
            return super().send(email)

    assert EmailSender(database, Looks(Sent("ok")), settings_for()).send(told, first_job(database, told)) == Sent("ok")


def states_of_emails(database: Database) -> list[str]:
    """The states of all emails, of whichever kind."""
    with database.snapshot() as conn:
        return [row[0] for row in conn.execute("select state from notifications where channel = 'email' order by id")]


def test_several_go_over_one_connection_each_recorded_as_soon_as_it_is_taken(database: Database) -> None:
    """A process that dies in between leaves to be sent again the one that it had in hand, and none before it."""
    open_marketplace(database)
    for _ in range(3):
        sell_lead(database)
    dispatch_notifications(database)
    waiting = {job["payload"]["notification_id"]: job["id"] for job in jobs(database, "send_email")}
    for job_id in waiting.values():
        take(database, job_id)
    states_seen: list[list[str]] = []

    class Watching(Recorder):
        def send(self, email: Email) -> Delivery:
            states_seen.append(states_of_emails(database))
            if len(states_seen) == 4:
                raise SystemExit
            return super().send(email)

    with pytest.raises(SystemExit):
        EmailSender(database, Watching(Sent("ok")), settings_for()).send_all(waiting)
    assert [each.count("sent") for each in states_seen] == [0, 1, 2, 3]
    for job_id in waiting.values():
        finish(database, job_id)
    rest = EmailSender(database, rest_of := Recorder(Sent("ok")), settings_for())
    outcomes, left = rest.send_all({each: 999_000 + number for number, each in enumerate(sorted(waiting))})
    assert (len(outcomes), left) == (len(waiting) - 3, [])
    assert len(rest_of.emails) == len(waiting) - 3
    assert set(states_of_emails(database)) == {"sent"}


def test_what_is_left_because_the_worker_stops_is_still_to_be_sent(database: Database) -> None:
    open_marketplace(database)
    for _ in range(2):
        sell_lead(database)
    dispatch_notifications(database)
    waiting = {job["payload"]["notification_id"]: job["id"] for job in jobs(database, "send_email")}
    goes_on = iter([True, True])
    sender = EmailSender(database, Recorder(Sent("ok")), settings_for())
    outcomes, left = sender.send_all(waiting, lambda: next(goes_on, False))
    assert len(outcomes) == 2
    assert {*left} == {waiting[each] for each in waiting if each not in outcomes}
    assert sorted(states_of_emails(database)) == ["queued"] * len(left) + ["sent"] * 2


def test_one_that_is_refused_fails_alone(database: Database) -> None:
    open_marketplace(database)
    for _ in range(2):
        sell_lead(database)
    dispatch_notifications(database)
    waiting = {job["payload"]["notification_id"]: job["id"] for job in jobs(database, "send_email")}
    answers = [Sent("ok"), NotSent("unknown", is_permanent=True), *[Sent("ok")] * (len(waiting) - 2)]
    outcomes, _ = EmailSender(database, Recorder(*answers), settings_for()).send_all(waiting)
    assert len(outcomes) == len(waiting)
    assert sorted(row_of(database, each)["state"] for each in waiting) == ["failed"] + ["sent"] * (len(waiting) - 1)
