"""A notification becomes one mail, whatever goes wrong on the way; what became of it is on record."""

import threading
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage

import pytest

from fairlead.delivery.email import Email
from fairlead.delivery.mail_transport import open_mail_transport
from fairlead.delivery.outcome import Delivery, NotSent, Sent
from fairlead.flows.notifications import message as message_flow
from fairlead.flows.notifications.alerts import alert_operators
from fairlead.flows.notifications.dispatch import dispatch_notifications
from fairlead.flows.notifications.message import labelled
from fairlead.flows.notifications.replay import replay_notification
from fairlead.flows.notifications.send_email import EmailSender
from fairlead.store.audit import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads import clock
from fairlead.telemetry.metrics import counting_in, make_metrics
from tests.delivery.mail_servers import Inbox, mail_server
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


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def sent_to(inbox: Inbox, address: str) -> list[EmailMessage]:
    return [
        message for message, recipient in zip(inbox.messages, inbox.recipients, strict=True) if recipient == address
    ]


class Recorder:
    """A transport that keeps what it was given, and says or does what it is told."""

    def __init__(self, *answers: Delivery | Exception) -> None:
        self.answers = list(answers)
        self.emails: list[Email] = []

    def send(self, email: Email) -> Delivery:
        self.emails.append(email)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def first_job(database: Database, notification_id: str) -> int:
    """The notification's oldest job, which a worker is at from now on."""
    job_id = next(
        job["id"] for job in jobs(database, "send_email") if job["args"]["notification_id"] == notification_id
    )
    take(database, job_id)
    return job_id


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


def test_every_kind_for_providers_can_be_written_from_the_rows(database: Database) -> None:
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
                         ('filter_invalidated', 'subscription', null),
                         ('subscription_deactivated', 'subscription', null),
                         ('subscription_reactivated', 'subscription', null)) as told (kind, cause, detail)
            """
        )
    inbox = Inbox()
    with mail_server(inbox) as port:
        work_off(database, settings_for(port))
    texts = [text_of(mail) for mail in sent_to(inbox, ANCHOR)]
    assert len(texts) == 6
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
    assert labelled(given, form) == told
    assert labelled({"zip": "10115"}, {"version": 7}) == [("zip", "10115")]


def test_two_jobs_for_one_notification_at_once_send_once(database: Database) -> None:
    open_marketplace(database)
    sell_lead(database)
    dispatch_notifications(database)
    told = notification(database)
    with database.transaction() as conn:  # a second hint, as an over-anxious reminder might give
        conn.execute(
            """
            insert into procrastinate_jobs (queue_name, task_name, args)
            select queue_name, task_name, args from procrastinate_jobs where args ->> 'notification_id' = %s
            """,
            (told,),
        )
    twice = [job["id"] for job in jobs(database, "send_email") if job["args"]["notification_id"] == told]
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
        def _record(self, *_: object, **__: object) -> bool:
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


def test_a_temporary_refusal_is_tried_again_after_its_delay(database: Database) -> None:
    open_marketplace(database)
    sell_lead(database)
    dispatch_notifications(database)
    told, metrics = notification(database), make_metrics()
    inbox = Inbox(answer_to_rcpt=f"450 4.2.0 <{ANCHOR}> Anchor is greylisted for {CANARY_NAME}")
    with mail_server(inbox) as port, counting_in(metrics):
        job_id = first_job(database, told)
        refused = emails(database, settings_for(port, retry_delay_factor=1)).send(told, job_id)
        assert isinstance(refused, NotSent)
        assert not refused.is_permanent
        finish(database, job_id)
        row = row_of(database, told)
        assert (row["state"], row["attempts"], row["claimed_by_job"]) == ("queued", 1, None)
        assert row["last_error"] == row["last_answer"] == "450 4.2.0 <***> *** is greylisted for ***"
        [again] = [job for job in jobs(database, "send_email") if job["args"]["notification_id"] == told]
        assert 7 < again["due_in"] <= 11
        inbox.answer_to_rcpt = "250 OK"
        take(database, again["id"])
        assert isinstance(emails(database, settings_for(port)).send(told, again["id"]), Sent)
    assert len(sent_to(inbox, ANCHOR)) == 1
    attempts = query(database, "select outcome, error is null from job_attempts order by ended_at")
    assert attempts == [("failed", False), ("succeeded", True)]
    assert metrics.deliveries.labels("email", "failed")._value.get() == 1
    assert_nothing_personal(database)


def test_a_longer_wait_that_was_asked_for_wins(database: Database) -> None:
    open_marketplace(database)
    sell_lead(database)
    dispatch_notifications(database)
    told = notification(database)
    busy = NotSent("busy", is_permanent=False, retry_after_seconds=3_000)
    EmailSender(database, Recorder(busy), settings_for()).send(told, first_job(database, told))
    [again] = [job for job in jobs(database, "send_email") if job["args"]["notification_id"] == told]
    assert 2_990 < again["due_in"] <= 3_000


def test_a_permanent_refusal_is_a_dead_letter_and_operators_are_told(database: Database) -> None:
    open_marketplace(database)
    sell_lead(database)
    inbox = Inbox(answer_to_rcpt=f"550 5.1.1 no mailbox {ANCHOR}")
    with mail_server(inbox) as port:
        work_off(database, settings_for(port))
        assert states(database) == ["failed", "failed"]
        told = notification(database)
        letters = query(
            database, "select task, payload, error, attempts from dead_letters where notification_id = %s", told
        )
        assert letters == [("send_email", {"notification_id": told}, "550 5.1.1 no mailbox ***", 1)]
        assert "failed" not in states(database, "operator_alert")
        inbox.answer_to_rcpt = "250 OK"
        work_off(database, settings_for(port))
    alerts = [text_of(mail) for mail in sent_to(inbox, "ops@example.com")]
    assert any(told in text and "550 5.1.1 no mailbox ***" in text for text in alerts)
    assert len(sent_to(inbox, "night@example.com")) == len(alerts)
    assert_nothing_personal(database)


def test_used_up_attempts_end_in_a_dead_letter(database: Database) -> None:
    open_marketplace(database)
    sell_lead(database)
    work_off(database, settings_for(), rounds=9)  # nobody listens there
    told = notification(database)
    row = row_of(database, told)
    assert (row["state"], row["attempts"]) == ("failed", 9)
    assert "no connection to the mail server" in row["last_error"]
    assert query(database, "select attempts from dead_letters where notification_id = %s", told) == [(9,)]
    assert query(database, "select count(*) from job_attempts where notification_id = %s", told) == [(9,)]


def test_an_alert_that_cannot_be_delivered_raises_no_alert(database: Database) -> None:
    database.run(lambda conn: alert_operators(conn, "Something", ["a line"], clock(conn)))
    inbox = Inbox(answer_to_rcpt="550 no")
    with mail_server(inbox) as port:
        work_off(database, settings_for(port), rounds=3)
    assert states(database, "operator_alert") == ["failed"]
    assert query(database, "select count(*) from dead_letters") == [(1,)]


def test_without_an_operators_address_alerts_are_skipped(database: Database) -> None:
    database.run(lambda conn: alert_operators(conn, "Something", ["a line"], clock(conn)))
    work_off(database, settings_for(operator_emails=" , "))
    row = row_of(database, notification(database, "operator_alert"))
    assert (row["state"], row["claimed_by_job"]) == ("skipped", None)
    assert "FAIRLEAD_OPERATOR_EMAILS" in row["last_answer"]


def test_operators_who_took_an_alert_are_not_told_again(database: Database) -> None:
    database.run(lambda conn: alert_operators(conn, "Something", ["a line"], clock(conn)))
    dispatch_notifications(database)
    alert = notification(database, "operator_alert")
    first = Recorder(Sent("ok"), NotSent("greylisted", is_permanent=False))
    EmailSender(database, first, settings_for()).send(alert, 1)
    assert states(database, "operator_alert") == ["queued"]
    second = Recorder(NotSent("unknown", is_permanent=True))
    assert isinstance(EmailSender(database, second, settings_for()).send(alert, 2), Sent)
    assert [email.to for email in first.emails] == ["ops@example.com", "night@example.com"]
    assert [email.to for email in second.emails] == ["night@example.com"]
    assert states(database, "operator_alert") == ["sent"]
    assert "example.com" not in str(row_of(database, alert))
    # Sent again on purpose, it goes to everybody anew.
    replay_notification(database, alert, OPERATOR)
    third = Recorder(Sent("ok"))
    EmailSender(database, third, settings_for()).send(alert, 3)
    assert len(third.emails) == 2


def test_a_bug_while_writing_is_a_failed_attempt(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    open_marketplace(database)
    sell_lead(database)
    dispatch_notifications(database)
    told = notification(database)

    def broken(*_: object) -> None:
        raise ZeroDivisionError(CANARY_NAME)

    monkeypatch.setattr(message_flow, "message_values", broken)
    outcome = emails(database, settings_for()).send(told, first_job(database, told))
    assert outcome == NotSent("ZeroDivisionError", is_permanent=False)
    row = row_of(database, told)
    assert (row["state"], row["attempts"], row["last_error"]) == ("queued", 1, "ZeroDivisionError")
    assert_nothing_personal(database)


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
