"""The world that notifications go to, which fails at random: an SMTP server and a receiver of webhooks.

Both throw dice of their own by the seed of the test, and misbehave towards the same message a few times only, so that
no run depends on luck to end. Both remember everything.
"""

import asyncio
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.delivery.mail_servers import mail_server

MOST_TROUBLES = 3
"""The same message meets so many troubles at the most."""

SLOW_SECONDS = 0.3

MailFate = Literal["taken", "refused", "dropped before taking", "dropped after taking"]
WebhookFate = Literal["taken", "taken slowly", "503", "429", "dropped"]


@dataclass(frozen=True, slots=True)
class Mail:
    """One attempt to hand in a message. The Message-ID is unknown where the recipient was refused already."""

    message_id: str | None
    recipient: str
    fate: MailFate

    @property
    def was_taken(self) -> bool:
        """Whether a mailbox has it, whatever the sender was told."""
        return self.fate in ("taken", "dropped after taking")


@dataclass
class MailBox:
    """A mail server's memory and its moods; a handler of aiosmtpd."""

    dice: random.Random
    trouble: float = 0.0
    mails: list[Mail] = field(default_factory=list[Mail])
    _troubles: Counter[str] = field(default_factory=Counter[str])

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.dice.random() < self.trouble / 2:
            self.mails.append(Mail(None, address, "refused"))
            return "451 4.3.0 later, please"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        message = message_from_bytes(cast(bytes, envelope.content), policy=policy.default)
        message_id, [recipient] = str(message["Message-ID"]), envelope.rcpt_tos
        fate: MailFate = "taken"
        if self._troubles[message_id] < MOST_TROUBLES and self.dice.random() < self.trouble:
            self._troubles[message_id] += 1
            fate = self.dice.choice(["dropped before taking", "dropped after taking"])
        self.mails.append(Mail(message_id, recipient, fate))
        if fate != "taken":
            cast(asyncio.Transport, server.transport).abort()
        return "250 2.0.0 Ok: queued as 4X1"

    def taken(self) -> Counter[str]:
        """How often each message was taken, by Message-ID."""
        return Counter(mail.message_id for mail in self.mails if mail.was_taken and mail.message_id is not None)

    def fates(self) -> Counter[str]:
        """How often what was done."""
        return Counter(mail.fate for mail in self.mails)


@contextmanager
def moody_mail_server(box: MailBox) -> Generator[int]:
    """An SMTP server with these moods listens; gives its port."""
    with mail_server(box) as port:  # pyright: ignore[reportArgumentType]  # any handler will do
        yield port


@dataclass(frozen=True, slots=True)
class Webhook:
    """One request that arrived whole, and what was done about it."""

    headers: Mapping[str, str]
    body: bytes
    fate: WebhookFate

    @property
    def webhook_id(self) -> str:
        """What says that two requests are the same message."""
        return self.headers["webhook-id"]

    @property
    def was_taken(self) -> bool:
        """Whether it was answered with 2xx."""
        return self.fate in ("taken", "taken slowly")


@dataclass
class Hook:
    """A receiver's memory and its moods. `port` is set while it listens."""

    dice: random.Random
    trouble: float = 0.0
    port: int = 0
    webhooks: list[Webhook] = field(default_factory=list[Webhook])
    _troubles: Counter[str] = field(default_factory=Counter[str])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str) -> str:
        """An address of it."""
        return f"http://127.0.0.1:{self.port}/{path}"

    def fate_of(self, headers: Mapping[str, str], body: bytes) -> WebhookFate:
        """What is done about this request, which is remembered."""
        webhook_id = headers["webhook-id"]
        with self._lock:
            fate: WebhookFate = "taken"
            if self._troubles[webhook_id] < MOST_TROUBLES and self.dice.random() < self.trouble:
                self._troubles[webhook_id] += 1
                fate = self.dice.choice(["taken slowly", "503", "429", "dropped"])
            self.webhooks.append(Webhook(headers, body, fate))
        return fate

    def fates(self) -> Counter[str]:
        """How often what was done."""
        return Counter(webhook.fate for webhook in self.webhooks)


@contextmanager
def moody_receiver(hook: Hook) -> Generator[None]:
    """The receiver listens on `hook.port`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:
                return  # its sender was killed between head and body: that was no message
            fate = hook.fate_of({name.lower(): value for name, value in self.headers.items()}, body)
            if fate == "dropped":
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if fate == "taken slowly":
                time.sleep(SLOW_SECONDS)
            self.send_response(int(fate) if fate.isdecimal() else 200)
            if fate == "429":
                self.send_header("Retry-After", "1")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            return  # a sender that was killed in the middle

    with Server(("127.0.0.1", 0), Handler) as server:
        hook.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
