"""Who never finishes what they ask loses the connection; who waits for an answer, or watches, does not."""

import asyncio
import socket
import time
from collections.abc import Iterator

import pytest
from starlette.types import Receive, Scope, Send
from websockets.sync.client import connect

from fairlead.api import request_timeout
from fairlead.api.serve import serve_in_thread
from tests.waiting import PATIENCE_SECONDS

LIMIT_SECONDS = 0.5
SLOW_SECONDS = 1.2
HEAD = b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\n"


async def slow(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads all that is asked, and takes its time to answer."""
    if scope["type"] == "lifespan":
        for kind in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{kind}.complete"})
    elif scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await asyncio.sleep(SLOW_SECONDS)
        await send({"type": "websocket.send", "text": "still here"})
        await receive()
    else:
        while (await receive()).get("more_body"):
            pass
        if scope["path"] != "/at-once":
            await asyncio.sleep(SLOW_SECONDS)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Where a server listens that waits for requests no longer than the limit."""
    monkeypatch.setattr(request_timeout, "REQUEST_TIMEOUT_SECONDS", LIMIT_SECONDS)
    with serve_in_thread(slow, "127.0.0.1", 0) as served:
        yield served.port


def ended_after(port: int, *pieces: bytes) -> tuple[bytes, float]:
    """What came, and how long it took until the server had ended the connection, after these were sent.

    Raises TimeoutError where it never does.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as asked:
        began, came = time.monotonic(), b""
        for piece in pieces:
            asked.sendall(piece)
            if piece.startswith(b"GET /at-once"):
                came += asked.recv(4096)
        try:
            while more := asked.recv(4096):
                came += more
        except ConnectionResetError:
            pass
        return came, time.monotonic() - began


@pytest.mark.parametrize(
    "pieces",
    [
        (b"",),
        (b"GET / HTTP/1.1\r\nHost: a.example\r\n",),
        (HEAD + b"1234",),
        (b"GET /at-once HTTP/1.1\r\nHost: a.example\r\n\r\n", b"G"),
    ],
    ids=["nothing", "half a head", "half a body", "a byte after an answer"],
)
def test_who_never_finishes_what_they_ask_is_cut_off(port: int, pieces: tuple[bytes, ...]) -> None:
    came, seconds = ended_after(port, *pieces)
    assert came.startswith(b"HTTP/1.1 200") == (b"at-once" in pieces[0])
    assert seconds >= LIMIT_SECONDS * 0.9


def test_a_drop_now_and_then_does_not_help(port: int) -> None:
    # It ends before all is sent, which takes a hundred times the limit; with which error is the system's to say.
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as asked,
        pytest.raises(OSError),  # noqa: PT011
    ):
        drop_by_drop(asked, b"GET / HTTP/1.1\r\nHost: a.example\r\nX-A: " + b"a" * 1000)


def drop_by_drop(asked: socket.socket, text: bytes) -> None:
    """The text is sent, slowly."""
    for byte in text:
        asked.sendall(bytes([byte]))
        time.sleep(0.05)


def test_an_answer_may_take_its_time(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as asked:
        for _ in range(2):
            asked.sendall(HEAD + b"12345")
            answer = b""
            while not answer.endswith(b"\r\n\r\nok"):  # head and body may come one after the other
                answer += asked.recv(4096)
            assert answer.startswith(b"HTTP/1.1 200")


def test_who_watches_stays(port: int) -> None:
    with connect(f"ws://127.0.0.1:{port}/", proxy=None, open_timeout=PATIENCE_SECONDS) as watching:
        assert watching.recv(timeout=PATIENCE_SECONDS) == "still here"
