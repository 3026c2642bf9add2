"""An email reaches a real mail server, encrypted and signed in as asked, and each answer is understood."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest

from fairlead.delivery.email import CORRELATION_HEADER, Email, mailbox
from fairlead.delivery.mail_transport import open_mail_transport
from fairlead.delivery.outcome import MASK, Delivery, NotSent, Sent
from fairlead.settings import Settings, SettingsError
from tests.delivery.mail_servers import (
    PASSWORD,
    USERNAME,
    Certificate,
    DropsInsteadOfGoodbye,
    DropsInTheMiddle,
    Inbox,
    RefusesToListen,
    SaysNothing,
    authenticate,
    certificate_for,
    mail_server,
)
from tests.waiting import PATIENCE_SECONDS

# aiosmtpd tells all that give it an authenticator that sign-in without TLS is a bad idea: the point of a test.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")

EMAIL = Email(
    message_id="<0198c0de-0000-7000-8000-000000000001@example.com>",
    to=mailbox("Jörg, the Plumber", "ann@example.com"),
    subject="New lead: Wärmepumpen",
    html="<p>Grüße</p>",
    text="Grüße\n.\n..\nEnd\n",
    headers={CORRELATION_HEADER: "req-1"},
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate_for("127.0.0.1", tmp_path_factory.mktemp("certificates"))


def _settings(port: int, **changes: object) -> Settings:
    return Settings.model_validate(
        {
            "mail_transport": "smtp",
            "mail_from": "Lead market <leads@example.com>",
            "smtp_host": "127.0.0.1",
            "smtp_port": port,
            "smtp_security": "none",
            "smtp_timeout_seconds": 5,
            **changes,
        }
    )


def _sent(port: int, email: Email = EMAIL, **changes: object) -> Delivery:
    with open_mail_transport(_settings(port, **changes)).session() as session:
        return session.send(email)


def test_the_server_gets_the_whole_message() -> None:
    inbox = Inbox()
    with mail_server(inbox) as port:
        delivery = _sent(port)

    assert delivery == Sent("250 2.0.0 Ok: queued as 4X1")
    [message] = inbox.messages
    assert inbox.recipients == ["ann@example.com"]
    assert message["To"].addresses[0].display_name == "Jörg, the Plumber"
    assert message["From"] == "Lead market <leads@example.com>"
    assert message["Subject"] == EMAIL.subject
    assert message["Message-ID"] == EMAIL.message_id
    assert message["Auto-Submitted"] == "auto-generated"
    assert message[CORRELATION_HEADER] == "req-1"
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert (text.get_content_type(), text.get_content().replace("\r\n", "\n")) == ("text/plain", EMAIL.text)
    assert (html.get_content_type(), html.get_content().rstrip()) == ("text/html", EMAIL.html)
    assert inbox.raw[0].isascii()


def test_starttls_is_used_before_anything_is_said(certificate: Certificate) -> None:
    inbox = Inbox()
    with mail_server(inbox, tls_context=certificate.context, require_starttls=True) as port:
        assert isinstance(_sent(port, smtp_security="starttls", smtp_ca_file=certificate.ca_file), Sent)
    assert inbox.was_encrypted == [True]


def test_implicit_tls(certificate: Certificate) -> None:
    inbox = Inbox()
    with mail_server(inbox, implicit_tls=certificate.context) as port:
        assert isinstance(_sent(port, smtp_security="tls", smtp_ca_file=certificate.ca_file), Sent)
    assert inbox.was_encrypted == [True]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_is_not_trusted_ends_the_attempt(certificate: Certificate, security: str) -> None:
    inbox = Inbox()
    implicit = certificate.context if security == "tls" else None
    with mail_server(inbox, tls_context=certificate.context, implicit_tls=implicit) as port:
        delivery = _sent(port, smtp_security=security)

    assert isinstance(delivery, NotSent)
    assert not delivery.is_permanent
    assert "certificate is not trusted" in delivery.answer
    assert inbox.messages == []


def test_a_certificate_of_another_host_ends_the_attempt(tmp_path: Path) -> None:
    other = certificate_for("mail.example.net", tmp_path)
    with mail_server(Inbox(), tls_context=other.context) as port:
        delivery = _sent(port, smtp_security="starttls", smtp_ca_file=other.ca_file)
    assert isinstance(delivery, NotSent)
    assert not delivery.is_permanent
    assert "certificate is not trusted" in delivery.answer


def test_without_starttls_at_the_server_nothing_is_sent(certificate: Certificate) -> None:
    inbox = Inbox()
    with mail_server(inbox, authenticator=authenticate, auth_require_tls=False) as port:
        delivery = _sent(port, smtp_security="starttls", smtp_username=USERNAME, smtp_password=PASSWORD)
    assert delivery == NotSent("STARTTLS extension not supported by server.", is_permanent=False)
    assert inbox.messages == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_sign_in(certificate: Certificate, security: str) -> None:
    inbox = Inbox()
    options = {
        "authenticator": authenticate,
        "auth_required": True,
        "auth_require_tls": security == "starttls",  # aiosmtpd does not see that an implicit connection is encrypted
        "tls_context": certificate.context if security == "starttls" else None,
        "implicit_tls": certificate.context if security == "tls" else None,
    }
    signed_in = {"smtp_security": security, "smtp_ca_file": certificate.ca_file, "smtp_username": USERNAME}
    with mail_server(inbox, **options) as port:
        assert isinstance(_sent(port, **signed_in, smtp_password=PASSWORD), Sent)
        refused = _sent(port, **signed_in, smtp_password="changed meanwhile")
        anonymous = _sent(port, smtp_security=security, smtp_ca_file=certificate.ca_file)

    assert len(inbox.messages) == 1
    assert isinstance(refused, NotSent)
    assert refused.answer.startswith("sign-in refused: 535")
    assert not refused.is_permanent
    assert isinstance(anonymous, NotSent)
    assert "530" in anonymous.answer
    assert not anonymous.is_permanent


@pytest.mark.parametrize(
    ("stage", "answer", "is_permanent"),
    [
        ("mail", "451 4.3.0 try later", False),
        ("mail", "550 5.7.1 sender not welcome", False),
        ("rcpt", "450 4.2.1 mailbox busy", False),
        ("rcpt", "550 5.1.1 no such user", True),
        ("rcpt", "530 5.7.0 sign in first", False),
        ("data", "451 4.3.0 try later", False),
        ("data", "554 5.7.1 looks like spam", True),
        ("data", "552 5.3.4 too big", True),
    ],
)
def test_what_the_server_refuses(stage: str, answer: str, is_permanent: bool) -> None:
    inbox = Inbox()
    setattr(inbox, f"answer_to_{stage}", answer)
    with mail_server(inbox) as port:
        delivery = _sent(port)

    assert isinstance(delivery, NotSent)
    assert delivery.answer.endswith(answer)
    assert delivery.is_permanent is is_permanent
    assert inbox.messages == []


def test_a_server_that_does_not_want_to_hear_the_message() -> None:
    with mail_server(Inbox(), RefusesToListen) as port:
        assert _sent(port) == NotSent("554 5.7.1 not from you", is_permanent=True)


def test_an_answer_that_repeats_the_recipient_is_masked() -> None:
    inbox = Inbox(answer_to_rcpt="550 5.1.1 <ann@example.com>: user ann (Ann Example) unknown")
    with mail_server(inbox) as port:
        delivery = _sent(port, replace(EMAIL, to="Ann Example <ann@example.com>"))
    assert delivery == NotSent(f"550 5.1.1 <{MASK}>: user {MASK} ({MASK}) unknown", is_permanent=True)


def test_a_closed_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    delivery = _sent(port)
    assert delivery == NotSent("no connection to the mail server: Connection refused", is_permanent=False)


def test_a_host_that_does_not_exist() -> None:
    delivery = _sent(25, smtp_host="no-such-host.invalid")
    assert isinstance(delivery, NotSent)
    assert delivery.answer.startswith("no connection to the mail server: ")
    assert not delivery.is_permanent


@pytest.mark.parametrize("security", ["none", "tls"])
def test_a_server_that_says_nothing_is_left_after_the_timeout(security: str) -> None:
    with mail_server(Inbox(), SaysNothing) as port:
        # It says nothing for a minute, and then hangs up, which is another answer.
        delivery = _sent(port, smtp_timeout_seconds=0.3, smtp_security=security)
    assert isinstance(delivery, NotSent)
    assert "time" in delivery.answer
    assert not delivery.is_permanent


def test_a_server_that_hangs_after_the_message_may_have_it_and_is_asked_again() -> None:
    inbox = Inbox(seconds_before_taking=2 * PATIENCE_SECONDS)
    with mail_server(inbox) as port:
        delivery = _sent(port, smtp_timeout_seconds=0.3)
    assert isinstance(delivery, NotSent)
    assert "time" in delivery.answer
    assert not delivery.is_permanent


def test_a_server_that_drops_in_the_middle_of_the_message() -> None:
    inbox = Inbox()
    with mail_server(inbox, DropsInTheMiddle) as port:
        delivery = _sent(port)
    assert isinstance(delivery, NotSent)
    assert not delivery.is_permanent
    assert inbox.messages == []


def test_what_was_taken_stays_taken_when_the_goodbye_fails() -> None:
    inbox = Inbox()
    with mail_server(inbox, DropsInsteadOfGoodbye) as port:
        delivery = _sent(port)
    assert isinstance(delivery, Sent)
    assert len(inbox.messages) == 1


def test_a_plain_server_where_tls_is_expected_gets_nothing(certificate: Certificate) -> None:
    inbox = Inbox()
    with mail_server(inbox) as port:
        delivery = _sent(port, smtp_security="tls", smtp_ca_file=certificate.ca_file)
    assert isinstance(delivery, NotSent)
    assert not delivery.is_permanent
    assert inbox.messages == []


def test_an_address_beyond_ascii_needs_a_server_that_knows_it() -> None:
    inbox = Inbox()
    email = Email("<m@example.com>", "jörg@exämple.com", "x", "<p>x</p>", "x")
    with mail_server(inbox, enable_SMTPUTF8=False) as port:
        refused = _sent(port, email)
    with mail_server(inbox, enable_SMTPUTF8=True) as port:
        sent = _sent(port, email)

    assert isinstance(refused, NotSent)
    assert refused.is_permanent
    assert isinstance(sent, Sent)
    assert inbox.recipients == ["jörg@xn--exmple-cua.com"]
    assert inbox.messages[0]["To"] == "jörg@xn--exmple-cua.com"
    assert "SMTPUTF8" in inbox.mail_options[-1]


@pytest.mark.parametrize(
    "to", ["", "ann", "ann@example.com, eve@example.com", "ann@example.com\r\nBcc: eve@example.com"]
)
def test_what_is_not_one_address_is_refused_for_good_before_anything_is_sent(to: str) -> None:
    inbox = Inbox()
    with mail_server(inbox) as port:
        delivery = _sent(port, Email("<m@example.com>", to, "x", "<p>x</p>", "x"))
    assert delivery == NotSent("the recipient is not one email address", is_permanent=True)
    assert inbox.messages == []


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (
            {"smtp_username": "u", "smtp_password": "p-secret"},
            "FAIRLEAD_SMTP_SECURITY: a password is sent over an encrypted connection only",
        ),
        ({"smtp_username": "u", "smtp_security": "tls"}, "FAIRLEAD_SMTP_PASSWORD: user name and password are set both"),
        (
            {"smtp_password": "p-secret", "smtp_security": "tls"},
            "FAIRLEAD_SMTP_USERNAME: user name and password are set both",
        ),
        (
            {"smtp_username": "u", "smtp_password": "p-secrét", "smtp_security": "tls"},
            "FAIRLEAD_SMTP_PASSWORD: user name and password must be ASCII",
        ),
        ({"smtp_ca_file": "/does/not/exist.pem"}, "FAIRLEAD_SMTP_CA_FILE: cannot be used: No such file"),
        ({"smtp_ca_file": __file__}, "FAIRLEAD_SMTP_CA_FILE: cannot be used"),
        ({"smtp_host": "a..b"}, "FAIRLEAD_SMTP_HOST: must be a host name"),
        ({"mail_from": "nobody"}, "FAIRLEAD_MAIL_FROM: must be one address"),
        ({"mail_from": "jörg@example.com"}, "FAIRLEAD_MAIL_FROM: must be one address"),
    ],
)
def test_settings_that_cannot_work_are_one_line_at_the_start(changes: dict[str, object], complaint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        open_mail_transport(_settings(25, **changes))
    assert str(caught.value).startswith(complaint)
    assert "\n" not in str(caught.value)
    assert "p-secr" not in str(caught.value)


def test_a_session_keeps_its_connection_and_a_refusal_fails_only_its_email() -> None:
    inbox = Inbox()
    with mail_server(inbox) as port, open_mail_transport(_settings(port)).session() as session:
        outcomes = [session.send(_to(f"{name}@example.com")) for name in ("ann", "bob")]
        inbox.answer_to_rcpt = "550 no such user"
        outcomes.append(session.send(_to("eve@example.com")))
        inbox.answer_to_rcpt = "250 OK"
        outcomes.append(session.send(_to("ida@example.com")))
    assert [type(each) for each in outcomes] == [Sent, Sent, NotSent, Sent]
    assert inbox.recipients == ["ann@example.com", "bob@example.com", "ida@example.com"]
    assert inbox.connection_count == 1


def test_a_connection_that_the_server_ended_between_two_emails_is_made_anew() -> None:
    inbox = Inbox()
    with mail_server(inbox) as port, open_mail_transport(_settings(port)).session() as session:
        assert isinstance(session.send(_to("ann@example.com")), Sent)
        inbox.end_connections()
        assert isinstance(session.send(_to("bob@example.com")), Sent)
        inbox.answer_to_mail = "421 too many messages"
        refused = session.send(_to("eve@example.com"))
        assert isinstance(refused, NotSent)
        assert not refused.is_permanent
        inbox.answer_to_mail = "250 OK"
        assert isinstance(session.send(_to("ida@example.com")), Sent)
    assert inbox.recipients == ["ann@example.com", "bob@example.com", "ida@example.com"]


def test_an_email_over_which_the_connection_is_lost_is_not_sent_twice_and_the_next_goes_on() -> None:
    """The server may have taken it: only the queue, with the same Message-ID, tries again."""
    inbox = Inbox()
    with mail_server(inbox) as port, open_mail_transport(_settings(port)).session() as session:
        assert isinstance(session.send(_to("ann@example.com")), Sent)
        inbox.ends_after_data = True
        lost = session.send(_to("bob@example.com"))
        inbox.ends_after_data = False
        assert isinstance(lost, NotSent)
        assert not lost.is_permanent
        assert isinstance(session.send(_to("ida@example.com")), Sent)
    assert inbox.recipients == ["ann@example.com", "bob@example.com", "ida@example.com"]


def _to(address: str) -> Email:
    return Email(f"<{address}>", address, "x", "x", "x")
