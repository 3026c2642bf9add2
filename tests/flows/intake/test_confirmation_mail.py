"""The message that asks a consumer to confirm: through a real mail server, to one address, in no sender's words."""

import re
from dataclasses import replace
from email.message import EmailMessage

import pytest

from fairlead.delivery.outcome import NotSent, Sent
from fairlead.flows.intake.confirmation import confirm_lead
from fairlead.flows.intake.lead import IntakeLead
from fairlead.flows.notifications.replay import replay_notification
from fairlead.flows.notifications.send_email import EmailSender
from fairlead.flows.reject_lead import reject_lead
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.by_hand import CAME_FROM_OUTSIDE, rows_by_hand
from tests.delivery.mail_servers import Inbox, mail_server
from tests.flows.access.people import rows, value
from tests.flows.intake.senders import ADDRESS, CANARIES, CONSENT, VISITOR, lead, open_niche, visit
from tests.flows.marketplaces import everything
from tests.flows.niches import stored_leads
from tests.flows.notifications.mail import Recorder, first_job, text_of
from tests.flows.notifications.stage import settings_for, work_off

SITE = "https://leads.example.com"


def only(inbox: Inbox) -> EmailMessage:
    [message] = inbox.messages
    return message


def token_in(message: EmailMessage) -> str:
    [token] = re.findall(rf"{re.escape(SITE)}/confirm-lead#([\w-]{{43}})\s", text_of(message))
    return token


def test_the_link_in_the_message_confirms_the_lead(database: Database) -> None:
    open_niche(database, is_public=True)
    visit(database)
    inbox = Inbox()
    with mail_server(inbox) as port:
        [outcome] = work_off(database, settings_for(port, public_url=f"{SITE}/"))
    assert isinstance(outcome, Sent)
    assert inbox.recipients == [ADDRESS]
    token = token_in(only(inbox))
    assert not confirm_lead(database, token, VISITOR).was_already
    assert stored_leads(database, "status") == ["pending_approval"]
    assert not any(token in line for lines in everything(database).values() for line in lines)
    answers = str(rows(database, "select to_jsonb(n) from notifications n")).lower()
    assert not any(canary in answers for canary in CANARIES)


def test_nothing_that_the_sender_typed_is_in_it(database: Database) -> None:
    open_niche(database, is_public=True)
    words = "Buy now at https://eve.example"
    details = {
        "contact_name": words,
        "contact_email": "victim@example.com",
        "utm_source": words,
        "referrer": words,
        "utm_campaign": "a\r\nBcc: eve@example.com",
    }
    visit(database, IntakeLead("moving", {"age": 41, "city": words}, details, replace(CONSENT, text=words)))
    inbox = Inbox()
    with mail_server(inbox) as port:
        work_off(database, settings_for(port, public_url=SITE))
    assert inbox.recipients == ["victim@example.com"]
    [raw] = inbox.raw
    assert b"eve" not in raw
    assert b"Buy" not in raw
    assert only(inbox)["To"] == "victim@example.com"
    assert only(inbox)["Subject"] == "Please confirm your request"


@pytest.mark.parametrize(
    ("address", "recipient"),
    [("o'neil+{x}=@example.com", "o'neil+{x}=@example.com"), ("a@exämple.com", "a@xn--exmple-cua.com")],
)
def test_an_unusual_address_adds_no_header_and_no_recipient(database: Database, address: str, recipient: str) -> None:
    open_niche(database, is_public=True)
    visit(database, lead(contact_email=address))
    inbox = Inbox()
    with mail_server(inbox) as port:
        work_off(database, settings_for(port, public_url=SITE))
    assert inbox.recipients == [recipient]
    assert only(inbox).get_all("To") == [recipient]
    assert only(inbox)["Bcc"] is None


def test_what_is_told_a_second_time_has_a_link_of_its_own_and_both_are_good(database: Database) -> None:
    open_niche(database, is_public=True)
    visit(database)
    inbox = Inbox()
    with mail_server(inbox) as port:
        work_off(database, settings_for(port, public_url=SITE))
        replay_notification(database, value(database, "select id::text from notifications"), OPERATOR)
        work_off(database, settings_for(port, public_url=SITE))
    first, second = (token_in(message) for message in inbox.messages)
    assert first != second
    assert not confirm_lead(database, second, VISITOR).was_already
    assert confirm_lead(database, first, VISITOR).was_already


@rows_by_hand(CAME_FROM_OUTSIDE)
@pytest.mark.parametrize(
    ("change", "url", "why"),
    [
        ("select 1", None, "no address of the site is set"),
        ("update leads set contact_email = null", SITE, "the lead was erased"),
        (
            "update lead_intakes set confirm_by = now() - interval '1 s', taken_in_at = now() - interval '7 days'",
            SITE,
            "it was not sent in time",
        ),
    ],
)
def test_where_there_is_no_link_there_is_no_message(database: Database, change: str, url: str | None, why: str) -> None:
    open_niche(database, is_public=True)
    visit(database)
    value(database, change)
    inbox = Inbox()
    with mail_server(inbox) as port:
        assert work_off(database, settings_for(port, public_url=url)) == [None]
    assert inbox.messages == []
    [(state, answer)] = rows(database, "select state, last_answer from notifications")
    assert state == "skipped"
    assert answer.startswith(why)
    assert rows(database, "select count(*) from confirmation_tokens") == [0]


def test_a_lead_that_waits_no_more_is_not_asked_about(database: Database) -> None:
    open_niche(database, is_public=True)
    reject_lead(database, visit(database).lead_id, "a joke", OPERATOR)
    inbox = Inbox()
    with mail_server(inbox) as port:
        assert work_off(database, settings_for(port, public_url=SITE)) == [None]
    assert inbox.messages == []


def test_an_address_that_does_not_exist_alarms_no_operator(database: Database) -> None:
    """A visitor can type one, at any rate: operators would have an alert and a dead letter for each."""
    open_niche(database, is_public=True)
    visit(database)
    inbox = Inbox(answer_to_rcpt="550 5.1.1 <cora.canary@example.com>: no such user here")
    with mail_server(inbox) as port:
        [outcome] = work_off(database, settings_for(port, public_url=SITE))
    assert isinstance(outcome, NotSent)
    assert rows(database, "select kind, state, last_answer from notifications") == [
        ("lead_confirmation", "failed", "550 5.1.1 <***>: no such user here")
    ]
    assert rows(database, "select count(*) from dead_letters") == [0]


def test_a_mail_server_that_does_not_answer_for_days_does(database: Database) -> None:
    open_niche(database, is_public=True)
    visit(database)
    sender = EmailSender(database, Recorder(NotSent("busy", is_permanent=False)), settings_for(public_url=SITE))
    work_off(database, settings_for(1, public_url=SITE))
    value(database, "update notifications set attempts = 8 where kind = 'lead_confirmation'")
    told = value(database, "select id::text from notifications where kind = 'lead_confirmation'")
    sender.send(told, first_job(database, told))
    assert rows(database, "select count(*) from dead_letters") == [1]
    assert rows(database, "select count(*) from notifications where kind = 'operator_alert'") == [1]
