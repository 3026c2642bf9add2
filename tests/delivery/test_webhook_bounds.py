"""No receiver can hold a worker for longer, or make it read more, than it was allowed.

The receivers go on until the sender hangs up: an outcome that is there at all is there because of the deadline. How
soon it came is not measured, for a busy machine may take its time.
"""

import socket
import ssl
import threading
import time
from ipaddress import ip_address

import pytest

from fairlead.delivery.outcome import Delivery, Sent
from fairlead.delivery.pinned_connection import Deadline, PinnedBackend
from fairlead.delivery.webhook import MAX_ANSWER_BYTES
from tests.delivery.receiver import Answer, drips, receiver, says_nothing
from tests.delivery.sending import not_sent, outcome_of, send
from tests.waiting import PATIENCE_SECONDS


@pytest.mark.parametrize(
    "answer",
    [
        drips(b"", b"H"),
        drips(b"HTTP/1.1 200 OK\r\nX: ", b"x"),
        drips(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"),
        says_nothing,
    ],
    ids=["status", "header", "interim", "silence"],
)
def test_dripping_does_not_outlast_the_deadline(answer: Answer) -> None:
    assert outcome_of(answer, timeout_seconds=0.4) == not_sent("timeout")


def test_a_dripping_body_does_not_outlast_the_deadline_and_is_sent_all_the_same() -> None:
    ended_by_itself = threading.Event()
    drip = drips(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b"x")

    def answer(connection: socket.socket) -> None:
        drip(connection)
        ended_by_itself.set()

    with receiver(answer) as crm:
        begun = time.monotonic()
        assert send(crm.url(), timeout_seconds=0.4) == Sent("HTTP 200")
        assert time.monotonic() - begun >= 0.4, "the receiver may be at work until its answer is written"
    assert not ended_by_itself.is_set()


def test_a_receiver_that_reads_slowly_does_not_outlast_the_deadline() -> None:
    has_hung_up = threading.Event()

    def sips(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        while not has_hung_up.wait(0.05) and connection.recv(16_384):
            pass  # all of it would take a minute

    with receiver(sips, reads=False) as crm:
        assert send(crm.url(), body=b"x" * 20_000_000, timeout_seconds=0.4) == not_sent("timeout")
        has_hung_up.set()


def flood(beginning: bytes, part: bytes) -> tuple[Answer, list[int]]:
    """Says as much as is read, up to 50 MB, and how much that was."""
    written: list[int] = []

    def answer(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        connection.sendall(beginning)
        for _ in range(50_000_000 // len(part)):
            connection.sendall(part)
            written.append(len(part))

    return answer, written


@pytest.mark.parametrize(
    ("beginning", "outcome"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50000000\r\n\r\n", Sent("HTTP 200")),
        (b"HTTP/1.1 500 Error\r\n\r\n", not_sent("HTTP 500")),
        (b"HTTP/1.1 200 OK\r\nX: ", not_sent("answer too long")),
    ],
    ids=["body", "body until closed", "header"],
)
def test_no_more_than_64_kb_are_read(beginning: bytes, outcome: Delivery, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    original = socket.socket.recv

    def counted(self: socket.socket, size: int, flags: int = 0) -> bytes:
        data = original(self, size, flags)
        if self.getpeername()[1] == port:
            read.append(len(data))
        return data

    answer, written = flood(beginning, b"x" * 1000)
    with receiver(answer) as crm:
        port = crm.port
        monkeypatch.setattr(socket.socket, "recv", counted)
        assert send(crm.url()) == outcome
    assert sum(read) == MAX_ANSWER_BYTES
    assert sum(written) < 50_000_000


def test_endless_interim_answers_are_too_long() -> None:
    answer, _ = flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
    assert outcome_of(answer) == not_sent("answer too long")


def test_a_deadline_that_passes_before_tls_leaves_no_open_connection() -> None:
    ends: list[bytes] = []

    def listens(connection: socket.socket) -> None:
        connection.settimeout(PATIENCE_SECONDS)
        ends.append(connection.recv(1))

    with receiver(listens, reads=False) as crm:
        backend = PinnedBackend([ip_address("127.0.0.1")], Deadline.in_seconds(0.1), MAX_ANSWER_BYTES)
        stream = backend.connect_tcp("crm.example.com", crm.port)
        time.sleep(0.15)
        with pytest.raises(TimeoutError):
            stream.start_tls(ssl.create_default_context(), "crm.example.com")
    assert ends == [b""]
    stream.close()
