"""How this server speaks WebSocket: uvicorn's protocol, with an end for those who do not read, and a farewell."""

from http import HTTPStatus
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.datastructures import Headers
from websockets.http11 import Response

from fairlead.api.middleware import refusal

MAX_MESSAGE_BYTES = 1_024
"""Of what a client sends: nothing is expected from it."""

PING_SECONDS = 20.0
"""How often a peer is asked whether it is there, and how long its answer may take."""

CLOSE_SECONDS = 3.0
GOING_AWAY = 1001

SETTINGS: dict[str, Any] = {
    "ws_max_size": MAX_MESSAGE_BYTES,
    "ws_ping_interval": PING_SECONDS,
    "ws_ping_timeout": PING_SECONDS,
    # What is compressed can be much larger than it looks.
    "ws_per_message_deflate": False,
}
"""For uvicorn's configuration, beside the protocol itself."""


def _reject(status: int, text: str) -> Response:
    """The answer to a handshake that is none, with nothing of the library's words."""
    refused, headers, body = refusal("internal_error" if status >= 500 else "request_malformed")
    return Response(refused, HTTPStatus(refused).phrase, Headers(headers), body)


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """As uvicorn's own, but that a close is sent also to a peer that does not read, and never waits for it for long.

    When the server stops, it says so as a server that goes away (1001).
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.conn.reject = _reject  # how the library lets a refusal of its own be changed

    async def send(self, message: Any) -> None:
        """As ASGI has it. A refusal is an answer too: uvicorn would report that no handshake was completed."""
        if message["type"] == "websocket.close" and self.handshake_complete:
            self.writable.set()  # nothing follows it: there is nothing to hold back
            self.loop.call_later(CLOSE_SECONDS, self.transport.abort)
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            self.handshake_complete = True

    def shutdown(self) -> None:
        """The peer is told, and the connection ends."""
        if not self.handshake_complete or self.close_sent:
            super().shutdown()
            return
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": GOING_AWAY})
        self.conn.send_close(GOING_AWAY)
        self.close_sent = True
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.close()
        self.loop.call_later(CLOSE_SECONDS, self.transport.abort)
