"""A webhook arrives signed, and what the receiver answers is understood."""

import json
import socket
import sys
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from fairlead import __version__
from fairlead.delivery.outcome import Delivery, NotSent, Sent
from fairlead.delivery.webhook import (
    WebhookRequest,
    new_webhook_secret,
    retry_after_seconds,
    send_webhook,
)
from tests.delivery.receiver import Answer, canary, closed_port, receiver, says
from tests.delivery.sending import BODY, MESSAGE_ID, SECRET, not_sent, outcome_of, request, send

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_it_arrives_as_it_was_given() -> None:
    began = int(time.time())
    with receiver(says(200)) as crm:
        assert send(crm.url("/leads?key=a%20b")) == Sent("HTTP 200")
    [received] = crm.requests
    assert received.line == "POST /leads?key=a%20b HTTP/1.1"
    assert received.body == BODY
    timestamp = received.headers["webhook-timestamp"]
    assert began <= int(timestamp) <= time.time()
    assert {name.lower(): value for name, value in received.headers.items()} == {
        "host": f"127.0.0.1:{crm.port}",
        "content-type": "application/json",
        "content-length": str(len(BODY)),
        "user-agent": f"Fairlead/{__version__}",
        "connection": "close",
        "webhook-id": MESSAGE_ID,
        "webhook-timestamp": timestamp,
        "webhook-signature": received.headers["webhook-signature"],
    }


def test_while_a_secret_is_exchanged_both_verify_and_no_other() -> None:
    newest, previous = new_webhook_secret(), new_webhook_secret()
    with receiver(says(204, body=b"")) as crm:
        sending = request(crm.url(), secrets=(newest, previous))
        assert send_webhook(sending, datetime.now(UTC), allow_private=True, timeout_seconds=5) == Sent("HTTP 204")
    [received] = crm.requests
    for secret in (newest, previous):
        assert Webhook(secret).verify(received.body, received.signed_headers()) == json.loads(BODY)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_webhook_secret()).verify(received.body, received.signed_headers())
    first = received.headers["webhook-signature"].split(" ")[0]
    Webhook(newest).verify(received.body, received.signed_headers() | {"webhook-signature": first})
    with pytest.raises(WebhookVerificationError):
        Webhook(previous).verify(received.body, received.signed_headers() | {"webhook-signature": first})


def test_nothing_that_is_signed_can_be_changed() -> None:
    with receiver(says(200)) as crm:
        send(crm.url())
    [received] = crm.requests
    headers = received.signed_headers()
    later = str(int(headers["webhook-timestamp"]) + 1)
    for position in range(len(BODY)):
        changed = BODY[:position] + bytes([BODY[position] ^ 1]) + BODY[position + 1 :]
        with pytest.raises((WebhookVerificationError, UnicodeDecodeError)):
            Webhook(SECRET).verify(changed, headers)
    for name, value in (("webhook-id", MESSAGE_ID[:-1] + "b"), ("webhook-timestamp", later)):
        with pytest.raises(WebhookVerificationError, match="No matching signature"):
            Webhook(SECRET).verify(BODY, headers | {name: value})


def test_a_time_in_another_zone_is_the_same_time() -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    with receiver(says(200)) as crm:
        send(crm.url(), sent_at=datetime.now(india))
    [received] = crm.requests
    Webhook(SECRET).verify(received.body, received.signed_headers())


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_means_sent(status: int) -> None:
    assert outcome_of(says(status, body=b"" if status == 204 else b"ok")) == Sent(f"HTTP {status}")


@pytest.mark.parametrize("status", [300, 304, 400, 401, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 599])
def test_all_else_is_tried_again(status: int) -> None:
    assert outcome_of(says(status, body=b"")) == not_sent(f"HTTP {status}")


def test_410_means_never_again() -> None:
    assert outcome_of(says(410)) == NotSent("HTTP 410", is_permanent=True, is_gone=True)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with canary() as forbidden:
        location = f"Location: http://127.0.0.1:{forbidden.port}/"
        assert outcome_of(says(status, location)) == not_sent(f"HTTP {status}")
        assert not forbidden.was_called()


@pytest.mark.parametrize(
    ("status", "retry_after", "seconds"),
    [
        (429, "120", 120),
        (503, "120", 120),
        (503, "Thu, 01 Jan 2026 12:01:30 GMT", 90),
        (429, "1000000", 86_400),
        (429, "Fri, 01 Jan 2027 12:00:00 GMT", 86_400),
        (429, "Thu, 01 Jan 2026 11:00:00 GMT", 0),
        (429, "soon", None),
        (429, "\u00e9\u00b2", None),
        (500, "120", None),
        (404, "120", None),
    ],
)
def test_a_receiver_can_ask_for_time(status: int, retry_after: str, seconds: float | None) -> None:
    def answer(connection: socket.socket) -> None:
        head = f"HTTP/1.1 {status} Busy\r\nretry-AFTER: {retry_after}\r\nContent-Length: 0\r\n\r\n"
        connection.sendall(head.encode("latin-1"))

    with receiver(answer) as crm:
        outcome = send(crm.url(), sent_at=NOON)
    assert outcome == NotSent(f"HTTP {status}", is_permanent=False, retry_after_seconds=seconds)


@settings(deadline=None)
@given(
    text=st.text() | st.integers().map(str) | st.datetimes().map(lambda at: at.strftime("%a, %d %b %Y %H:%M:%S GMT"))
)
@example("0\x1f")
@example("\x1c7\u2003")
@example("\x85Thu, 01 Jan 2026 00:01:30 GMT\x1d")
def test_no_retry_after_is_too_strange(text: str) -> None:
    seconds = retry_after_seconds(text, NOON)
    assert seconds is None or 0 <= seconds <= 86_400


def test_very_many_seconds_are_a_day() -> None:
    assert retry_after_seconds("9" * 100, NOON) == 86_400
    assert retry_after_seconds(" 5 ", NOON) == 5
    assert retry_after_seconds("-5", NOON) is None
    assert retry_after_seconds("5.5", NOON) is None


def test_a_closed_port() -> None:
    with closed_port() as port:
        assert send(f"http://127.0.0.1:{port}/") == not_sent("connection refused")


def hangs_up(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


def resets(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (hangs_up, "no valid HTTP answer"),
        (says(101, "Connection: upgrade", "Upgrade: other"), "no valid HTTP answer"),
        (resets, "connection reset"),
        (lambda connection: connection.sendall(b"SSH-2.0-server\r\n"), "no valid HTTP answer"),
        (lambda connection: connection.sendall(b"HTTP/1.1 2xx Fine\r\n\r\n"), "no valid HTTP answer"),
        (lambda connection: connection.sendall(b"HTTP/1.1 200 Fine\r\nContent-Le"), "no valid HTTP answer"),
    ],
)
def test_what_is_no_answer(answer: Answer, words: str) -> None:
    assert outcome_of(answer) == not_sent(words)


@pytest.mark.parametrize(
    ("status", "outcome"), [(200, Sent("HTTP 200")), (500, not_sent("HTTP 500"))], ids=["taken", "not taken"]
)
@pytest.mark.parametrize("rest", [b"", b"Content-Length: 99\r\n\r\nshort", b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n"])
def test_the_status_alone_is_the_answer(status: int, outcome: Delivery, rest: bytes) -> None:
    head = f"HTTP/1.1 {status} Status\r\n".encode()
    assert outcome_of(lambda connection: connection.sendall(head + (rest or b"\r\n"))) == outcome


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a reset may discard what arrived before it")
def test_an_answer_counts_that_comes_before_the_receiver_slams_the_door() -> None:
    def refuses(connection: socket.socket) -> None:
        says(413)(connection)
        time.sleep(0.2)  # What it leaves unread then makes its system reset the connection, under the sender's write.

    with receiver(refuses, reads=False) as crm:
        assert send(crm.url(), body=b"x" * 50_000_000) == not_sent("HTTP 413")


def test_an_answer_before_the_end_of_the_question_counts() -> None:
    def refuses(connection: socket.socket) -> None:
        says(413)(connection)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65_536):
            pass

    with receiver(refuses, reads=False) as crm:
        assert send(crm.url(), body=b"x" * 5_000_000) == not_sent("HTTP 413")


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"])
def test_no_proxy_of_the_environment_is_used(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with canary() as proxy, receiver(says(200)) as crm:
        monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "")
        assert send(crm.url()) == Sent("HTTP 200")
        assert not proxy.was_called()


def test_no_cookie_comes_back() -> None:
    with receiver(says(200, "Set-Cookie: a=b")) as crm:
        assert [send(crm.url()), send(crm.url())] == [Sent("HTTP 200")] * 2
    assert crm.connection_count == 2
    assert [received.headers["cookie"] for received in crm.requests] == [None, None]


def test_a_repetition_keeps_the_id_and_the_content() -> None:
    with receiver(says(503)) as crm:
        first = datetime.now(UTC) - timedelta(seconds=100)
        for sent_at in (first, first + timedelta(seconds=60)):
            send(crm.url(), sent_at=sent_at)
    one, two = crm.requests
    assert (one.body, one.headers["webhook-id"]) == (two.body, two.headers["webhook-id"])
    assert one.headers["webhook-timestamp"] != two.headers["webhook-timestamp"]
    for received in crm.requests:
        Webhook(SECRET).verify(received.body, received.signed_headers())


def test_nothing_personal_or_secret_shows_in_a_repr() -> None:
    shown = repr(request("https://crm.example.com/hook?token=t0ken"))
    assert shown == f"WebhookRequest(message_id={MESSAGE_ID!r})"


@pytest.mark.parametrize("message_id", ["", "a.b", "a b", "a\r\nX: y", "é", "x" * 101])
def test_an_id_that_could_not_be_signed_is_a_mistake(message_id: str) -> None:
    with pytest.raises(ValueError, match="message id"):
        WebhookRequest("https://crm.example.com/", message_id, BODY, (SECRET,))


def test_a_webhook_without_a_secret_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="secret"):
        request("https://crm.example.com/", secrets=())


def test_new_secrets_differ_and_are_as_long_as_the_standard_asks() -> None:
    assert len({new_webhook_secret() for _ in range(10)}) == 10
    for secret in (SECRET, new_webhook_secret()):
        assert 24 <= len(Webhook(secret)._whsecret) <= 64
