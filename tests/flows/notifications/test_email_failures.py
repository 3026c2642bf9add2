"""A mail that is not taken: tried again, given up, told to operators; and nothing personal kept of it."""

import pytest

from fairlead.delivery.mail_transport import open_mail_transport
from fairlead.delivery.outcome import NotSent, Sent
from fairlead.flows.notifications import message as message_flow
from fairlead.flows.notifications.alerts import alert_operators
from fairlead.flows.notifications.dispatch import dispatch_notifications
from fairlead.flows.notifications.replay import replay_notification
from fairlead.flows.notifications.send_email import EmailSender
from fairlead.settings import SettingsError
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.rows import clock
from fairlead.telemetry.metrics import counting_in, make_metrics
from tests.delivery.mail_servers import Inbox, mail_server
from tests.flows.notifications.mail import Recorder, first_job, sent_to, text_of
from tests.flows.notifications.stage import (
    ANCHOR,
    CANARY_NAME,
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
        [again] = [job for job in jobs(database, "send_email") if job["payload"]["notification_id"] == told]
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
    [again] = [job for job in jobs(database, "send_email") if job["payload"]["notification_id"] == told]
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
    work_off(database, settings_for(), rounds=9)  # no server listens there
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


@pytest.mark.parametrize("wrong", ["ops", "a@b@c", "Ops <ops@example.com> x", "\u00fc", "a@b.example c@d.example"])
def test_an_operators_address_that_is_none_is_refused_before_anything_is_sent(database: Database, wrong: str) -> None:
    settings = settings_for(alert_emails=f"night@example.com, {wrong}")
    with pytest.raises(SettingsError, match=r"^FAIRLEAD_ALERT_EMAILS: address 2 is none such as ann@example\.com$"):
        EmailSender(database, open_mail_transport(settings), settings)


def test_an_operator_with_two_writings_of_one_address_is_told_once(database: Database) -> None:
    database.run(lambda conn: alert_operators(conn, "Something", ["a line"], clock(conn)))
    inbox = Inbox()
    written = "jo@m\u00fcller.example, Jo@xn--mller-kva.example,jo@mu\u0308ller.example"
    with mail_server(inbox) as port:
        work_off(database, settings_for(port, alert_emails=written))
    assert states(database, "operator_alert") == ["sent"]
    assert len(inbox.recipients) == 1


def test_without_an_operators_address_alerts_are_skipped(database: Database) -> None:
    database.run(lambda conn: alert_operators(conn, "Something", ["a line"], clock(conn)))
    work_off(database, settings_for(alert_emails=" , "))
    row = row_of(database, notification(database, "operator_alert"))
    assert (row["state"], row["claimed_by_job"]) == ("skipped", None)
    assert "FAIRLEAD_ALERT_EMAILS" in row["last_answer"]


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
    # Sent again on purpose, it goes to every recipient anew.
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
