"""What never becomes a request is answered like one: by a problem with an id, and the connection ends."""

import json
import logging
import socket
from collections.abc import Iterator

import pytest
from starlette.requests import HTTPConnection, Request

from fairlead.api.cross_origin import refuse_cross_origin, refuse_cross_origin_watcher
from fairlead.api.problem_codes import PROBLEMS
from fairlead.api.problems import problem_response
from fairlead.api.request_timeout import MAX_HEAD_BYTES, MAX_HEADERS
from fairlead.api.serve import serve_in_thread
from fairlead.core.errors import Refused
from fairlead.store.connection import Database
from tests.api.asking import application

ASKED = b"GET /livez HTTP/1.1\r\nHost: a.example\r\n"
SENT = b"POST /api/v1/session HTTP/1.1\r\nHost: a.example\r\n"
OPENED = (
    b"GET /nowhere HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\n"
)
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where the application is served; nothing here asks its database anything."""
    database = Database("postgresql://app@127.0.0.1:1/nothing", "fairlead")
    with serve_in_thread(application(database), "127.0.0.1", 0) as served:
        yield served.port


def answers_to(port: int, sent: bytes) -> bytes:
    """All that comes until the server has ended the connection."""
    came = b""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as asked:
        asked.sendall(sent)
        while more := asked.recv(65_536):
            came += more
    return came


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"NONSENSE\r\n\r\n", 400, "request_malformed"),
        (b"GET /livez HTTP/1.1\r\n\r\n", 400, "request_malformed"),
        (b"GET /livez HTTP/9\r\nHost: a\r\n\r\n", 400, "request_malformed"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, "request_malformed"),
        (ASKED + b"Bad Name: 1\r\n\r\n", 400, "request_malformed"),
        (SENT + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + ASKED, 400, "request_malformed"),
        (SENT + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n" + ASKED, 400, "request_malformed"),
        (SENT + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400, "request_malformed"),
        (SENT + b"Transfer-Encoding: gzip\r\n\r\n", 400, "request_malformed"),
        (SENT.replace(b"/1.1", b"/1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "request_malformed"),
        (SENT + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", 400, "request_malformed"),
        (ASKED + b"X: " + b"a" * MAX_HEAD_BYTES + b"\r\n\r\n", 431, "head_too_large"),
        (ASKED + b"X: " + b"a" * 3 * MAX_HEAD_BYTES + b"\r\n\r\n", 431, "head_too_large"),
        (ASKED + b"X: " + b"a" * 3 * MAX_HEAD_BYTES, 431, "head_too_large"),
        (ASKED + b"a:b\r\n" * MAX_HEADERS + b"\r\n", 431, "head_too_large"),
        (b"GET /" + b"a" * MAX_HEAD_BYTES + b" HTTP/1.1\r\nHost: a\r\n\r\n", 431, "head_too_large"),
        (OPENED + b"\r\n", 400, "request_malformed"),
        (OPENED + KEY + b"\r\n", 404, "route_unknown"),
    ],
    ids=lambda value: value[:24].decode("latin-1").split("\r")[0] if isinstance(value, bytes) else None,
)
def test_it_is_a_problem_and_the_end(
    port: int, sent: bytes, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    head, _, body = answers_to(port, sent).partition(b"\r\n\r\n")
    lines = head.decode().lower().splitlines()
    problem = json.loads(body)
    assert lines[0].startswith(f"http/1.1 {status} ")
    assert (problem["status"], problem["code"]) == (status, code)
    assert f"x-request-id: {problem['request_id']}" in lines
    assert "content-type: application/problem+json" in lines
    assert "x-content-type-options: nosniff" in lines
    assert "connection: close" in lines
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


def test_a_head_within_its_bounds_is_read(port: int) -> None:
    closing = ASKED + b"Connection: close\r\n"
    for sent in (closing + b"X: " + b"a" * (MAX_HEAD_BYTES - 200), closing + b"a:b\r\n" * (MAX_HEADERS - 5) + b"X: a"):
        assert answers_to(port, sent + b"\r\n\r\n").startswith(b"HTTP/1.1 200")


def test_a_refused_websocket_is_no_error_of_the_servers(port: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    watched = OPENED.replace(b"/nowhere", b"/api/v1/admin/live")
    came = answers_to(port, watched + KEY + b"Origin: http://b.example\r\n\r\n")
    assert came.startswith(b"HTTP/1.1 403")
    assert b"cross_origin_refused" in came
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []


def connection(scheme: str, origin: str, host: str = "leads.example.com") -> HTTPConnection:
    """What came to the host by this scheme, from a page of the origin."""
    headers = [(b"host", host.encode()), (b"origin", origin.encode())]
    kind = "websocket" if scheme.startswith("ws") else "http"
    scope = {"type": kind, "scheme": scheme, "headers": headers, "method": "POST", "path": "/", "query_string": b""}
    return HTTPConnection(scope)


@pytest.mark.parametrize(
    ("scheme", "origin", "public_url", "is_ours"),
    [
        ("https", "https://leads.example.com", None, True),
        ("https", "https://Leads.Example.com:443", None, True),
        ("https", "http://leads.example.com", None, False),
        ("http", "https://leads.example.com", None, False),
        ("http", "https://leads.example.com", "https://leads.example.com/app", True),
        ("http", "http://leads.example.com:8000", None, False),
        ("https", "https://leads.example.com.evil.example", None, False),
        ("https", "null", None, False),
        ("http", "https://xn--mller-kva.example", "https://m\u00fcller.example", True),
        ("http", "https://xn--mller-kva.example", "https://mu\u0308ller.example", True),
        ("http", "https://xn--mller-kva.example", "https://muller.example", False),
        ("https", "https://leads.example.com:x", None, False),
    ],
)
def test_an_origin_is_scheme_host_and_port(scheme: str, origin: str, public_url: str | None, is_ours: bool) -> None:
    def passes(watches: bool) -> bool:
        asked = connection({"http": "ws", "https": "wss"}[scheme] if watches else scheme, origin)
        try:
            if watches:
                refuse_cross_origin_watcher(asked, public_url, by_cookie=True)
            else:
                refuse_cross_origin(Request(asked.scope), public_url)
        except Refused:
            return False
        return True

    assert (passes(False), passes(True)) == (is_ours, is_ours)


@pytest.mark.parametrize("code", [code for code, kind in PROBLEMS.items() if kind.status in (429, 503)])
def test_what_may_be_asked_again_later_says_when(code: str) -> None:
    assert int(problem_response(code).headers["Retry-After"]) > 0
