"""How this server speaks HTTP: uvicorn's protocol, with an end for those who never finish saying what they ask.

A connection that is held open costs a file descriptor, and there are only so many: whoever opened a thousand and sent a
byte on each now and then would keep everybody else out. Heads of requests are bounded by the protocol itself (64 KiB).
"""

import asyncio

from h11 import Request
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 60.0
"""How long a request may take to arrive, from the opening of the connection, or its first byte on one that is open."""


class HttpProtocol(H11Protocol):
    """As uvicorn's own, but that a request which is not there in time ends the connection. How long the answer takes is
    nobody's concern here."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As asyncio has it."""
        super().connection_made(transport)
        self._deadline = self._in_time()

    def data_received(self, data: bytes) -> None:
        """As asyncio has it."""
        super().data_received(data)
        if not self._is_arriving():
            self._forget_deadline()
        elif self._deadline is None and self.transport.get_protocol() is self:
            self._deadline = self._in_time()

    def handle_websocket_upgrade(self, event: Request) -> None:
        """The connection is another protocol's from now on, which has bounds of its own."""
        self._forget_deadline()
        super().handle_websocket_upgrade(event)

    def connection_lost(self, exc: Exception | None) -> None:
        """As asyncio has it."""
        self._forget_deadline()
        super().connection_lost(exc)

    def _in_time(self) -> asyncio.TimerHandle:
        return self.loop.call_later(REQUEST_SECONDS, self._end)

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
