"""A receiver of webhooks that does what a test tells it, and an address that must not be called."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from http.client import parse_headers
from typing import BinaryIO, cast

from tests.waiting import PATIENCE_SECONDS

Answer = Callable[[socket.socket], None]


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived."""

    line: str
    headers: Message
    body: bytes

    def signed_headers(self) -> dict[str, str]:
        return dict(self.headers.items())


@dataclass(slots=True)
class Receiver:
    port: int
    requests: list[Received] = field(default_factory=list)
    server_names: list[str | None] = field(default_factory=list)
    connection_count: int = 0
    bytes_written: int = 0

    def url(self, path: str = "/leads", host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


def says(status: int, *headers: str, body: bytes = b"ok") -> Answer:
    """Answers with a whole response."""
    head = [f"HTTP/1.1 {status} Status", *headers, f"Content-Length: {len(body)}"]
    return lambda connection: connection.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)


def drips(beginning: bytes, byte: bytes) -> Answer:
    """Says how it begins, and then a byte now and then until the sender hangs up; ends by itself after a minute."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(beginning)
        for _ in range(PATIENCE_SECONDS * 20):
            time.sleep(0.05)
            connection.sendall(byte)

    return answer


def says_nothing(connection: socket.socket) -> None:
    """Is silent until the sender hangs up; ends by itself after a minute."""
    while connection.recv(65_536):
        pass


@contextmanager
def receiver(
    answer: Answer, tls: ssl.SSLContext | None = None, *, reads: bool = True, address: str = "127.0.0.1"
) -> Generator[Receiver]:
    """Listens on this machine and gives every request the same answer. One that does not read answers blindly."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family) as listener:
        it = Receiver(listener.getsockname()[1])
        if tls is not None:
            tls.sni_callback = lambda _, name, __: it.server_names.append(name)

        def serve(connection: socket.socket) -> None:
            # The sender may hang up or refuse the certificate at any point: that is what some tests are about.
            with connection, suppress(OSError):
                connection.settimeout(PATIENCE_SECONDS)
                spoken = connection if tls is None else tls.wrap_socket(connection, server_side=True)
                with spoken:
                    if reads:
                        it.requests.append(_read(cast(BinaryIO, spoken.makefile("rb"))))
                    answer(spoken)

        def listen() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                it.connection_count += 1
                thread = threading.Thread(target=serve, args=(connection,), daemon=True)
                threads.append(thread)
                thread.start()

        threads: list[threading.Thread] = []
        accepting = threading.Thread(target=listen, daemon=True)
        accepting.start()
        try:
            yield it
        finally:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
            for thread in (accepting, *threads):
                thread.join(PATIENCE_SECONDS)


def _read(file: BinaryIO) -> Received:
    with file:
        line = file.readline().decode("ascii").rstrip("\r\n")
        headers = parse_headers(file)  # pyright: ignore[reportArgumentType]  # any buffered binary file will do
        return Received(line, headers, file.read(int(headers["Content-Length"])))


@dataclass(frozen=True, slots=True)
class Canary:
    """An address that listens and must not be called."""

    listener: socket.socket

    @property
    def port(self) -> int:
        return self.listener.getsockname()[1]

    def was_called(self) -> bool:
        # A connection is in the queue of the listener before the caller's connect returns.
        try:
            self.listener.accept()[0].close()
        except BlockingIOError:
            return False
        return True


@contextmanager
def canary() -> Generator[Canary]:
    """A canary on every address of this machine, of both families where it has both."""
    both = socket.has_dualstack_ipv6()
    family, host = (socket.AF_INET6, "::") if both else (socket.AF_INET, "")
    with socket.create_server((host, 0), family=family, dualstack_ipv6=both) as listener:
        listener.setblocking(False)
        yield Canary(listener)


@contextmanager
def closed_port() -> Generator[int]:
    """A port that is ours, so that no other process listens there, and at which we do not."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]
