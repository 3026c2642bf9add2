"""Handing an email to a mail server (RFC 5321), and reading from its answers what became of it."""

import smtplib
import ssl
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.headerregistry import Address
from typing import Literal

from fairlead.delivery.email import Email, address_of, mime_message
from fairlead.delivery.outcome import Delivery, NotSent, Sent, safe_line
from fairlead.settings import Settings, SettingsError

_TAKEN = (250, 251)
_CLOSING = 421
# About who we are, not about the message: the operator will mend it, and the message must not be lost meanwhile.
_SIGN_IN_CODES = (530, 534, 535, 538)

NOT_AN_ADDRESS = NotSent("the recipient is not one email address", is_permanent=True)
_NO_INTERNATIONAL = NotSent("the mail server takes no address with letters beyond ASCII", is_permanent=True)


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where emails are handed in, and how. A password is only ever there together with encryption."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    tls: ssl.SSLContext
    credentials: tuple[str, str] | None
    timeout_seconds: float


def open_smtp_transport(settings: Settings, sender: Address) -> "SmtpTransport":
    """The transport that hands emails to the mail server of the settings; the server is not contacted yet.

    Raises SettingsError, one line, when the settings cannot work or would send a password unencrypted.
    """
    try:
        settings.smtp_host.encode("idna")
    except UnicodeError:
        raise SettingsError("FAIRLEAD_SMTP_HOST: must be a host name or an address") from None
    server = MailServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        _tls_context(settings),
        _credentials(settings),
        settings.smtp_timeout_seconds,
    )
    return SmtpTransport(server, sender)


def _tls_context(settings: Settings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.smtp_ca_file)
    except OSError as error:
        reason = safe_line(error.strerror or type(error).__name__)
        raise SettingsError(f"FAIRLEAD_SMTP_CA_FILE: cannot be used: {reason}") from None


def _credentials(settings: Settings) -> tuple[str, str] | None:
    username, password = settings.smtp_username, settings.smtp_password
    if username is None and password is None:
        return None
    if username is None or password is None:
        missing = "FAIRLEAD_SMTP_USERNAME" if username is None else "FAIRLEAD_SMTP_PASSWORD"
        raise SettingsError(f"{missing}: user name and password are set both or not at all")
    if settings.smtp_security == "none":
        raise SettingsError("FAIRLEAD_SMTP_SECURITY: a password is sent over an encrypted connection only")
    if not (username.isascii() and password.get_secret_value().isascii()):
        raise SettingsError("FAIRLEAD_SMTP_PASSWORD: user name and password must be ASCII")
    return username, password.get_secret_value()


class SmtpTransport:
    """Hands emails to the mail server, in each session over one connection."""

    def __init__(self, server: MailServer, sender: Address) -> None:
        self._server = server
        self._sender = sender

    @contextmanager
    def session(self) -> Generator["SmtpSession"]:
        """A session, which connects when its first email is sent and is signed off when the block ends."""
        session = SmtpSession(self._server, self._sender)
        try:
            yield session
            session.quit()
        finally:
            session.close()


class SmtpSession:
    """One connection to the mail server, made anew whenever it was lost. For one thread."""

    def __init__(self, server: MailServer, sender: Address) -> None:
        self._server = server
        self._sender = sender
        self._smtp: smtplib.SMTP | None = None

    def send(self, email: Email) -> Delivery:
        """Sent: the server took responsibility for the email. NotSent: it refused, or the connection ended before.

        Permanent is only what the server says of this recipient or this message. Whatever may be mended without
        touching the message is worth another attempt: no connection, a certificate, the password, the sender. Each
        wait for the server is bounded by the timeout. A server that ended a kept connection between two emails is
        connected to once more; one that ends it over an email may have taken that.
        """
        recipient = address_of(email.to)
        if recipient is None:
            return NOT_AN_ADDRESS
        content = mime_message(email, self._sender, recipient, datetime.now(UTC))
        personal = (recipient.username, recipient.display_name)
        try:
            delivery = self._handed_in(recipient, content)
        except OSError as error:  # which every error of smtplib and ssl is
            self.close()
            return NotSent(safe_line(_in_words(error), personal), is_permanent=False)
        except BaseException:
            self.close()
            raise
        return delivery

    def quit(self) -> None:
        """The server is told that this was all. How it says goodbye must not make a taken message look lost."""
        if self._smtp is not None:
            with suppress(OSError):
                self._smtp.quit()

    def close(self) -> None:
        """There is no connection any more."""
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    def _handed_in(self, recipient: Address, content: bytes) -> Delivery:
        """One mail transaction. Step by step, because the library's own drops what the server says at the end."""
        personal = (recipient.username, recipient.display_name)
        options: list[str] = []
        if not recipient.addr_spec.isascii():
            if not self._connection().has_extn("smtputf8"):
                return _NO_INTERNATIONAL
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        code, answer = self._begin(options)
        if code not in _TAKEN:
            self._reset()
            return NotSent(safe_line(f"sender refused: {_reply(code, answer)}", personal), is_permanent=False)
        smtp = self._connection()
        code, answer = smtp.rcpt(recipient.addr_spec)
        if code in _TAKEN:
            code, answer = _data(smtp, content)
        line = safe_line(_reply(code, answer), personal)
        if code in _TAKEN:
            return Sent(line)
        self._reset()
        return NotSent(line, is_permanent=500 <= code < 600 and code not in _SIGN_IN_CODES)

    def _connection(self) -> smtplib.SMTP:
        if self._smtp is None:
            self._smtp = _connected(self._server)
        return self._smtp

    def _begin(self, options: list[str]) -> tuple[int, bytes]:
        """What the server says to the sender; asked on a new connection where the kept one turns out to be over."""
        sender = self._sender.addr_spec
        if self._smtp is not None:
            with suppress(OSError):
                code, answer = self._smtp.mail(sender, options)
                if code != _CLOSING:
                    return code, answer
            self.close()
        return self._connection().mail(sender, options)

    def _reset(self) -> None:
        """What a refused email left in the conversation is dropped, with the connection if the server will not."""
        smtp, code = self._smtp, 0
        if smtp is not None:
            with suppress(OSError):
                code, _ = smtp.rset()
        if code not in _TAKEN:
            self.close()


def _connected(server: MailServer) -> smtplib.SMTP:
    """A connection that is encrypted and signed in as the settings ask for. Raises OSError, and leaves none open."""
    if server.security == "tls":
        smtp = smtplib.SMTP_SSL(server.host, server.port, timeout=server.timeout_seconds, context=server.tls)
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=server.timeout_seconds)
    try:
        if server.security == "starttls":
            smtp.starttls(context=server.tls)
        smtp.ehlo_or_helo_if_needed()
        if server.credentials is not None:
            smtp.login(*server.credentials)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _data(smtp: smtplib.SMTP, content: bytes) -> tuple[int, bytes]:
    try:
        return smtp.data(content)
    except smtplib.SMTPDataError as error:
        return error.smtp_code, _as_bytes(error.smtp_error)


def _in_words(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"sign-in refused: {_reply(error.smtp_code, error.smtp_error)}"
    if isinstance(error, smtplib.SMTPResponseException):
        return _reply(error.smtp_code, error.smtp_error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the mail server's certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "the mail server did not answer in time"
    if isinstance(error, OSError) and error.strerror:
        return f"no connection to the mail server: {error.strerror}"
    return str(error) or type(error).__name__


def _reply(code: int, answer: bytes | str) -> str:
    return f"{code} {_as_bytes(answer).decode('utf-8', 'replace')}"


def _as_bytes(answer: bytes | str) -> bytes:
    return answer.encode() if isinstance(answer, str) else answer
