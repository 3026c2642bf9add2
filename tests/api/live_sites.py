"""Web processes, and those who watch them over real sockets."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from fairlead.api.session_cookie import DEVELOPMENT_COOKIE
from tests.waiting import PATIENCE_SECONDS

ADMIN, PROVIDER = "/api/v1/admin/live", "/api/v1/provider/live"
OF_THE_FEED = {"ready", "heartbeat", "gap"}


@contextmanager
def web_process(url: str, host: str = "127.0.0.1", port: int = 0, *, kill: bool = False) -> Iterator[int]:
    """The port of a web process that serves the marketplace at this address, and is stopped or killed in the end."""
    command = [sys.executable, "-m", "tests.api.live_site", url, host, str(port)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        if kill:
            process.kill()
        process.stdin.close()
        assert process.wait(PATIENCE_SECONDS) == (-signal.SIGKILL if kill else 0)
        process.stdout.close()


@dataclass(frozen=True)
class Who:
    """A watcher, by cookie or key, on a page of this origin. None: the origin of the site; "": without any."""

    token: str | None = None
    key: str | None = None
    origin: str | None = None
    headers: dict[str, str] = field(default_factory=dict[str, str])


@contextmanager
def watching(port: int, path: str, who: Who, last_id: str | None = None, **options: Any) -> Iterator[ClientConnection]:
    """An open WebSocket."""
    headers = dict(who.headers)
    if who.token is not None:
        headers["Cookie"] = f"{DEVELOPMENT_COOKIE}={who.token}"
    if who.key is not None:
        headers["Authorization"] = f"Bearer {who.key}"
    origin = f"http://127.0.0.1:{port}" if who.origin is None else who.origin
    query = "" if last_id is None else f"?last_id={last_id}"
    asked: dict[str, Any] = {"origin": origin or None, "additional_headers": headers, "proxy": None, "close_timeout": 2}
    asked["open_timeout"] = PATIENCE_SECONDS
    with connect(f"ws://127.0.0.1:{port}{path}{query}", **asked | options) as connection:
        yield connection


def receive(connection: ClientConnection, timeout: float = PATIENCE_SECONDS) -> dict[str, Any]:
    """The next message but heartbeats."""
    while True:
        message = json.loads(connection.recv(timeout))
        if message["type"] != "heartbeat":
            return message


def receive_many(connection: ClientConnection, count: int) -> list[dict[str, Any]]:
    """The next messages."""
    return [receive(connection) for _ in range(count)]


def read_to_the_end(connection: ClientConnection, timeout: float = PATIENCE_SECONDS) -> list[dict[str, Any]]:
    """All messages until the connection ends. Raises `ConnectionClosed` never, `TimeoutError` when it does not end."""
    received: list[dict[str, Any]] = []
    try:
        while True:
            received.append(json.loads(connection.recv(timeout)))
    except ConnectionClosed:
        return received


def closing_code(connection: ClientConnection, timeout: float = PATIENCE_SECONDS) -> int | None:
    """The code with which the server ends the connection; None when it was cut. What comes before is passed over."""
    read_to_the_end(connection, timeout)
    return connection.protocol.close_code if connection.protocol.close_rcvd is not None else None


def refusal(port: int, path: str, who: Who, last_id: str | None = None) -> tuple[int, str]:
    """The status and code with which the handshake is refused, and nothing else said."""
    try:
        with watching(port, path, who, last_id):
            raise AssertionError("it was let in")
    except InvalidStatus as refused:
        response = refused.response
        assert response.headers["content-type"] == "application/problem+json", response.body
        assert response.headers["cache-control"] == "no-store"
        problem = json.loads(response.body or b"")
        assert problem["status"] == response.status_code
        assert problem["request_id"] == response.headers["x-request-id"]
        return response.status_code, problem["code"]
