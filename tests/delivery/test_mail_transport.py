"""Emails that stay on this machine: printed, or one file each."""

import os
import stat
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import cast

import pytest

from fairlead.delivery.email import Email
from fairlead.delivery.mail_transport import MailTransport, open_mail_transport
from fairlead.delivery.outcome import Delivery, NotSent, Sent
from fairlead.settings import Settings, SettingsError

EMAIL = Email(
    "<1@example.com>", "Ann <ann@example.com>", "Hello", "<p>Grüße</p>", "Grüße\n", {"X-Fairlead-Correlation": "r"}
)


def _settings(**values: object) -> Settings:
    return Settings.model_validate({"mail_from": "Leads <leads@example.com>", **values})


def _send(transport: MailTransport, email: Email) -> Delivery:
    with transport.session() as session:
        return session.send(email)


def _parsed(path: Path) -> EmailMessage:
    return cast(EmailMessage, message_from_bytes(path.read_bytes(), policy=policy.default))


def test_the_console_shows_headers_and_text(capsys: pytest.CaptureFixture[str]) -> None:
    transport = open_mail_transport(_settings(mail_transport="console"))

    assert isinstance(_send(transport, EMAIL), Sent)

    printed = capsys.readouterr()
    assert printed.out == ""
    for line in ("From: Leads <leads@example.com>", "To: Ann <ann@example.com>", "Subject: Hello", "Grüße"):
        assert line in printed.err.splitlines()
    assert "X-Fairlead-Correlation: r" in printed.err
    assert "<p>" not in printed.err


def test_the_console_cannot_be_steered_by_what_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    email = Email("<1@example.com>", "ann@example.com", "a\x1b[2J\nTo: eve", "x", "b\x1b]0;title\x07c\r\nd", {})
    _send(open_mail_transport(_settings(mail_transport="console")), email)
    printed = capsys.readouterr().err
    assert "\x1b" not in printed
    assert "Subject: a[2J To: eve" in printed.splitlines()
    assert "b]0;titlec\nd" in printed


def test_a_directory_gets_one_whole_file_per_message_and_a_repetition_replaces_it(tmp_path: Path) -> None:
    directory = tmp_path / "mail" / "out"
    transport = open_mail_transport(_settings(mail_transport="directory", mail_directory=directory))

    assert isinstance(_send(transport, EMAIL), Sent)
    assert isinstance(_send(transport, EMAIL), Sent)
    assert isinstance(_send(transport, Email("<2@example.com>", "ann@example.com", "Two", "x", "x")), Sent)

    assert sorted(path.name for path in directory.iterdir()) == ["1@example.com.eml", "2@example.com.eml"]
    message = _parsed(directory / "1@example.com.eml")
    assert message["To"] == "Ann <ann@example.com>"
    assert message["Message-ID"] == "<1@example.com>"
    assert stat.S_IMODE((directory / "1@example.com.eml").stat().st_mode) == 0o600


@pytest.mark.parametrize("message_id", ["<../../etc/x@example.com>", "</x@example.com>", f"<1@{'sub.' * 70}com>"])
def test_no_message_id_leads_out_of_the_directory(tmp_path: Path, message_id: str) -> None:
    directory = tmp_path / "mail"
    transport = open_mail_transport(_settings(mail_transport="directory", mail_directory=directory))
    assert isinstance(_send(transport, Email(message_id, "ann@example.com", "x", "x", "x")), Sent)
    assert [path.suffix for path in directory.iterdir()] == [".eml"]
    assert [path.name for path in tmp_path.iterdir()] == ["mail"]


def test_a_file_that_cannot_be_written_is_tried_again_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tmp_path / "mail"
    transport = open_mail_transport(_settings(mail_transport="directory", mail_directory=directory))

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device", str(directory))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        delivery = _send(transport, EMAIL)
    assert delivery == NotSent("No space left on device", is_permanent=False)
    assert list(directory.iterdir()) == []

    directory.rmdir()
    assert _send(transport, EMAIL) == NotSent("No such file or directory", is_permanent=False)


@pytest.mark.parametrize("kind", ["console", "directory"])
def test_a_wrong_address_is_refused_here_as_by_a_server(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    transport = open_mail_transport(_settings(mail_transport=kind, mail_directory=tmp_path))
    delivery = _send(transport, Email("<1@example.com>", "a@example.com, b@example.com", "x", "x", "x"))
    assert delivery == NotSent("the recipient is not one email address", is_permanent=True)
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr().err == ""


def test_a_directory_that_is_missing_or_no_directory_is_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^FAIRLEAD_MAIL_DIRECTORY: must be set"):
        open_mail_transport(_settings(mail_transport="directory"))
    (tmp_path / "file").write_text("x")
    with pytest.raises(SettingsError, match=r"^FAIRLEAD_MAIL_DIRECTORY: cannot be written to: "):
        open_mail_transport(_settings(mail_transport="directory", mail_directory=tmp_path / "file" / "below"))


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a directory that not even root can write to")
def test_a_directory_that_cannot_be_written_to_is_said_at_the_start() -> None:
    with pytest.raises(SettingsError, match=r"^FAIRLEAD_MAIL_DIRECTORY: cannot be written to: "):
        open_mail_transport(_settings(mail_transport="directory", mail_directory=Path("/proc/self")))
