"""Mail servers on this machine for tests: real sockets, real TLS, and every way of saying no."""

import asyncio
import ipaddress
import ssl
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.waiting import PATIENCE_SECONDS

USERNAME, PASSWORD = "relay-user", "correct horse"


@dataclass
class Inbox:
    """What arrived, and what the server says instead of taking it."""

    answer_to_mail: str = "250 OK"
    answer_to_rcpt: str = "250 OK"
    answer_to_data: str = "250 2.0.0 Ok: queued as 4X1"
    seconds_before_taking: float = 0
    messages: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    was_encrypted: list[bool] = field(default_factory=list)
    mail_options: list[list[str]] = field(default_factory=list)
    ends_after_data: bool = False
    servers: list[SMTP] = field(default_factory=list)

    @property
    def connection_count(self) -> int:
        """How many connections brought an email."""
        return len(self.servers)

    def end_connections(self) -> None:
        """The server ends every connection without a word."""

        async def end() -> None:
            for server in self.servers:
                _transport(server).abort()

        asyncio.run_coroutine_threadsafe(end(), self.servers[-1].loop).result(PATIENCE_SECONDS)

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        if server not in self.servers:
            self.servers.append(server)
        self.mail_options.append(options)
        return self.answer_to_mail

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.answer_to_rcpt

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(self.seconds_before_taking)
        if self.answer_to_data.startswith("2"):
            content = cast(bytes, envelope.content)
            self.raw.append(content)
            self.messages.append(cast(EmailMessage, message_from_bytes(content, policy=policy.default)))
            self.recipients += envelope.rcpt_tos
            self.was_encrypted.append(_transport(server).get_extra_info("ssl_object") is not None)
        if self.ends_after_data:
            _transport(server).abort()
        return self.answer_to_data


class DropsInTheMiddle(SMTP):
    """Asks for the message, reads its beginning and is gone."""

    async def smtp_DATA(self, arg: str) -> None:
        await self.push("354 go on")
        await self._reader.readexactly(10)
        _transport(self).abort()


class RefusesToListen(SMTP):
    """Takes the recipient, and then not even the beginning of the message."""

    async def smtp_DATA(self, arg: str) -> None:
        await self.push("554 5.7.1 not from you")


class DropsInsteadOfGoodbye(SMTP):
    async def smtp_QUIT(self, arg: str) -> None:
        _transport(self).abort()


class SaysNothing(SMTP):
    """Takes the connection and stays silent; hangs up by itself after a minute."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self.transport.abort)


def _transport(protocol: SMTP) -> asyncio.Transport:
    return cast(asyncio.Transport, protocol.transport)


def authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
    expected = LoginPassword(USERNAME.encode(), PASSWORD.encode())
    return AuthResult(success=data == expected, handled=False)


@contextmanager
def mail_server(
    inbox: Inbox, kind: type[SMTP] = SMTP, *, implicit_tls: ssl.SSLContext | None = None, **options: Any
) -> Generator[int]:
    """A server that speaks SMTP on 127.0.0.1; gives its port. Its connections end with it."""
    loop = asyncio.new_event_loop()
    protocols: list[SMTP] = []

    def protocol() -> SMTP:
        protocols.append(kind(inbox, hostname="mail.example.com", loop=loop, **options))
        return protocols[-1]

    server = loop.run_until_complete(loop.create_server(protocol, "127.0.0.1", 0, ssl=implicit_tls))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_closed(server, protocols), loop).result(PATIENCE_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE_SECONDS)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _closed(server: asyncio.Server, protocols: list[SMTP]) -> None:
    server.close()
    for protocol in protocols:
        if protocol.transport is not None:
            _transport(protocol).abort()
    ours = asyncio.current_task()
    others = [task for task in asyncio.all_tasks() if task is not ours]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0.05)  # lets the event loop drop what the transports left behind


@dataclass(frozen=True)
class Certificate:
    """A private authority, and a server's certificate that it signed."""

    ca_file: Path
    context: ssl.SSLContext


def certificate_for(name: str, directory: Path) -> Certificate:
    ca_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
    ca = (
        _builder(issuer, issuer, ca_key.public_key(), ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(is_authority=True), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    server = (
        _builder(subject, issuer, server_key.public_key(), ca_key.public_key())
        .add_extension(x509.SubjectAlternativeName([_general_name(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(is_authority=False), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    ca_file, chain_file = directory / f"ca-of-{name}.pem", directory / f"{name}.pem"
    ca_file.write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    private = server_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain_file.write_bytes(private + server.public_bytes(serialization.Encoding.PEM))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain_file)
    return Certificate(ca_file, context)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePublicKey,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def _key_usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
