"""The ways in which an email leaves: printed, written to a directory, or handed to a mail server."""

import hashlib
import os
import sys
import tempfile
import threading
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import UTC, datetime
from email.headerregistry import Address
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from fairlead.delivery.email import Email, address_of, mime_message, sender_of
from fairlead.delivery.outcome import Delivery, NotSent, Sent, safe_line
from fairlead.delivery.plain_text import for_a_screen, one_line
from fairlead.delivery.smtp import NOT_AN_ADDRESS, open_smtp_transport
from fairlead.settings import Settings, SettingsError

_MAX_FILE_NAME = 200


class MailSession(Protocol):
    """Hands on one email after the other."""

    def send(self, email: Email) -> Delivery:
        """Sent: the other side took the email. NotSent: it did not, or was cut off before it said so.

        A repetition carries the same Message-ID. Waits for the network; raises nothing that the other side causes.
        """
        ...


class MailTransport(Protocol):
    """A way in which emails leave; several threads may use it at once, each with a session of its own."""

    def session(self) -> AbstractContextManager[MailSession]:
        """A session, in which a connection to the other side is kept; it is closed when the block ends."""
        ...


def open_mail_transport(settings: Settings) -> MailTransport:
    """The transport that the settings ask for. Raises SettingsError, one line, when it cannot work with them.

    The mail server is not contacted yet: whether it answers shows with the first email.
    """
    try:
        sender = sender_of(settings.mail_from)
    except ValueError as error:
        raise SettingsError(f"FAIRLEAD_MAIL_FROM: {error}") from None
    if settings.mail_transport == "smtp":
        return open_smtp_transport(settings, sender)
    if settings.mail_transport == "console":
        return ConsoleTransport(sender)
    if settings.mail_directory is None:
        raise SettingsError("FAIRLEAD_MAIL_DIRECTORY: must be set where FAIRLEAD_MAIL_TRANSPORT is directory")
    _make_writable(settings.mail_directory)
    return DirectoryTransport(settings.mail_directory, sender)


class ConsoleTransport:
    """Prints each email's headers and its text on standard error: for a developer's machine, not for real people."""

    def __init__(self, sender: Address) -> None:
        self._sender = sender
        self._lock = threading.Lock()

    def session(self) -> AbstractContextManager["ConsoleTransport"]:
        return nullcontext(self)

    def send(self, email: Email) -> Delivery:
        recipient = address_of(email.to)
        if recipient is None:
            return NOT_AN_ADDRESS
        headers = {
            "From": str(self._sender),
            "To": str(recipient),
            "Subject": email.subject,
            "Message-ID": email.message_id,
            **email.headers,
        }
        lines = [f"{one_line(name)}: {one_line(value)}" for name, value in headers.items()]
        rule = "-" * 72
        printed = "\n".join([rule, *lines, "", for_a_screen(email.text), rule, ""])
        try:
            with self._lock:
                sys.stderr.write(printed)
                sys.stderr.flush()
        except OSError as error:
            return NotSent(_in_words(error), is_permanent=False)
        return Sent("printed")


class DirectoryTransport:
    """Writes each email to a file of its own, `<message id>.eml`, readable by this account only.

    A file is whole or absent, and a repetition replaces it.
    """

    def __init__(self, directory: Path, sender: Address) -> None:
        self._directory = directory
        self._sender = sender

    def session(self) -> AbstractContextManager["DirectoryTransport"]:
        return nullcontext(self)

    def send(self, email: Email) -> Delivery:
        recipient = address_of(email.to)
        if recipient is None:
            return NOT_AN_ADDRESS
        content = mime_message(email, self._sender, recipient, datetime.now(UTC))
        try:
            _write_whole(self._directory / _file_name(email.message_id), content)
        except OSError as error:
            return NotSent(_in_words(error), is_permanent=False)
        return Sent("written")


def _file_name(message_id: str) -> str:
    name = quote(message_id.strip("<>"), safe="@+")
    if len(name) > _MAX_FILE_NAME:
        name = hashlib.sha256(name.encode()).hexdigest()
    return f"{name}.eml"


def _write_whole(path: Path, content: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".partial")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _make_writable(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise SettingsError(f"FAIRLEAD_MAIL_DIRECTORY: cannot be written to: {_in_words(error)}") from None


def _in_words(error: OSError) -> str:
    """What the system says, without the path that it says it of."""
    return safe_line(error.strerror or type(error).__name__)
