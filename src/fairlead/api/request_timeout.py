"""The server's side of HTTP: uvicorn's protocol, with a timeout for requests that do not arrive in full.

A connection that is held open costs a file descriptor, and there are only so many: a client that opened a thousand
and sent a byte on each now and then would keep all others out. Heads of requests are bounded; a request that cannot be
read is refused with a problem, as every other is, and ends the connection.
"""

import asyncio
import re
from http import HTTPStatus
from typing import Any

import h11
from h11 import Request
from uvicorn.protocols.http.h11_impl import H11Protocol

from fairlead.api.middleware import refusal

REQUEST_TIMEOUT_SECONDS = 60.0
"""How long a request may take to arrive, from the opening of the connection, or its first byte on one that is open."""


MAX_HEAD_BYTES = 65_536
"""Of a request's line and headers, whether or not they arrive in one piece."""

MAX_HEADERS = 200

LINGER_SECONDS = 1.0
"""How long what still arrives is thrown away after a refusal. A connection that is closed at once takes the answer with
it while the client is still sending."""


_END_OF_HEAD = re.compile(rb"\n\r?\n")


class _Connection(h11.Connection):
    """Reads requests as h11 does, and refuses what h11 lets pass: a head that is too large but came in one piece, and a
    body of two lengths, which two servers in a row could read as different requests (RFC 9112, section 6.1).

    `refusal` is the code that the last one is answered with.
    """

    def __init__(self) -> None:
        super().__init__(h11.SERVER, MAX_HEAD_BYTES)
        self.refusal = "request_malformed"

    def next_event(self) -> Any:
        """As h11 has it. Raises `RemoteProtocolError` for what is refused."""
        try:
            if self.their_state is h11.IDLE:
                _check_head(self.trailing_data[0])
            event = super().next_event()
            if isinstance(event, Request):
                _check_length(event)
        except h11.RemoteProtocolError as error:
            self.refusal = "head_too_large" if error.error_status_hint == 431 else "request_malformed"
            raise
        return event


def _check_head(received: bytes) -> None:
    """Before h11 looks at it, which takes its time for each header."""
    end = _END_OF_HEAD.search(received, 0, MAX_HEAD_BYTES)
    lines = received.count(b"\n", 0, MAX_HEAD_BYTES if end is None else end.start())
    if lines > MAX_HEADERS or (end is None and len(received) > MAX_HEAD_BYTES):
        raise h11.RemoteProtocolError("the head is too large", error_status_hint=431)


def _check_length(request: Request) -> None:
    names = {name for name, _ in request.headers}
    if b"transfer-encoding" in names and (b"content-length" in names or request.http_version < b"1.1"):
        raise h11.RemoteProtocolError("the body has two lengths")


class HttpProtocol(H11Protocol):
    """As uvicorn's own, but that a request which is not there in time ends the connection. How long the answer takes is
    no concern of this class."""

    _deadline: asyncio.TimerHandle | None = None
    _is_refused = False

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._reading = _Connection()
        self.conn = self._reading

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As asyncio has it."""
        super().connection_made(transport)
        self._deadline = self._in_time()

    def data_received(self, data: bytes) -> None:
        """As asyncio has it."""
        if self._is_refused:
            return
        super().data_received(data)
        if not self._is_arriving():
            self._forget_deadline()
        elif self._deadline is None and self.transport.get_protocol() is self:
            self._deadline = self._in_time()

    def handle_websocket_upgrade(self, event: Request) -> None:
        """The connection is another protocol's from now on, which has bounds of its own."""
        self._forget_deadline()
        super().handle_websocket_upgrade(event)

    def send_400_response(self, msg: str) -> None:
        """The request is refused, with a problem where no answer has begun, and the connection ends."""
        self._is_refused = True
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()
            return
        status, headers, body = refusal(self._reading.refusal)
        head = h11.Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase.encode())
        for event in (head, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        """As asyncio has it."""
        self._forget_deadline()
        super().connection_lost(exc)

    def _in_time(self) -> asyncio.TimerHandle:
        return self.loop.call_later(REQUEST_TIMEOUT_SECONDS, self._end)

    def _is_arriving(self) -> bool:
        cycle = self.cycle
        return cycle is None or cycle.response_complete or cycle.more_body  # pyright: ignore[reportUnnecessaryComparison]

    def _forget_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end(self) -> None:
        self._deadline = None
        self.transport.abort()
