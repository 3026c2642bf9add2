"""How this server speaks WebSocket: uvicorn's protocol, with an end for those who do not read, and a farewell."""

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

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


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """As uvicorn's own, but that a close is sent also to a peer that does not read, and never waits for it for long.

    When the server stops, it says so as a server that goes away (1001).
    """

    async def send(self, message: Any) -> None:
        """As ASGI has it."""
        if message["type"] == "websocket.close" and self.handshake_complete:
            self.writable.set()  # nothing follows it: there is nothing to hold back
            self.loop.call_later(CLOSE_SECONDS, self.transport.abort)
        await super().send(message)

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
