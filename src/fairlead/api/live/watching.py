"""Serving one who watches: the first message says where they stand, then everything after it, until something ends it.

Past the handshake nothing is an answer any more: whatever goes wrong is waited for, or closes the connection.
"""

import asyncio
import json

from anyio import to_thread
from fastapi import WebSocket, WebSocketDisconnect

from fairlead.api.live.connection import TOO_SLOW, UNASKED, Closing, Connection
from fairlead.api.live.hub import Hub
from fairlead.core.errors import Unavailable
from fairlead.flows.live.feed import FeedPage, begin_to_watch, operator_page, own_page
from fairlead.flows.live.messages import Message, feed_message
from fairlead.flows.live.positions import (
    Position,
    operator_id,
    operator_position,
    provider_id_text,
    provider_position,
)
from fairlead.flows.live.rights import Watcher
from fairlead.store.connection import Database
from fairlead.store.live.sequencing import LiveHead
from fairlead.telemetry.logs import get_logger

_log = get_logger(__name__)

HEARTBEAT_SECONDS = 20.0
SEND_SECONDS = 15.0
AWAY_SECONDS = 1.0
WAIT_SECONDS = 1.0


class Watching:
    """One connection from its handshake to its end."""

    def __init__(self, websocket: WebSocket, hub: Hub, database: Database, watcher: Watcher, head: LiveHead) -> None:
        self._websocket = websocket
        self._hub = hub
        self._database = database
        self._watcher = watcher
        self._head = head

    def position_of(self, last_id: str) -> Position:
        """The position that the text stands for to this watcher. Raises `BadInput`."""
        provider_id = self._watcher.provider_id
        if provider_id is None:
            return operator_position(last_id)
        return provider_position(last_id, provider_id, self._head.resume_secret)

    async def serve(self, last_id: str | None) -> None:
        """Everything after `last_id` was sent, or, without one, everything new, until the connection ended.

        Raises before the handshake: `BadInput` for an id that is none, `Refused` and `Unavailable` as `Hub.join`.
        """
        asked = Position(self._head.entry_id) if last_id is None else self.position_of(last_id)
        begins_at, why_gap = self._beginning(asked)
        connection = Connection(self._watcher, begins_at)
        self._hub.join(connection)
        try:
            await self._websocket.accept()
            await self._until_it_ends(connection, why_gap)
        finally:
            self._hub.leave(connection)

    def _beginning(self, asked: Position) -> tuple[Position, str | None]:
        first_needed = asked.entry_id if asked.is_whole else asked.entry_id - 1
        if asked.entry_id > self._head.entry_id:
            return Position(self._head.floor_id), "unknown_id"
        if first_needed < self._head.floor_id:
            return Position(self._head.floor_id), "expired_id"
        return asked, None

    async def _until_it_ends(self, connection: Connection, why_gap: str | None) -> None:
        sending = asyncio.create_task(self._send_all(connection, why_gap))
        listening = asyncio.create_task(self._listen())
        tasks: set[asyncio.Future[Closing | None]] = {sending, listening}
        try:
            await asyncio.wait({*tasks, connection.closing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for each in ended:
            if isinstance(each, Exception) and not isinstance(each, WebSocketDisconnect):
                raise each
        closing = next((each for each in ended if isinstance(each, Closing)), None)
        if connection.closing.done():
            closing = connection.closing.result()
        if closing is not None and not any(isinstance(each, WebSocketDisconnect) for each in ended):
            _log.info("live feed closed", kind=self._watcher.audience.value, status_code=closing.code)
            await self._websocket.close(closing.code, closing.reason)

    async def _listen(self) -> Closing | None:
        message = await self._websocket.receive()
        return None if message["type"] == "websocket.disconnect" else UNASKED

    async def _send_all(self, connection: Connection, why_gap: str | None) -> Closing | None:
        first = "ready" if why_gap is None else "gap"
        try:
            await self._send_about(first, connection.position, why_gap)
            while True:
                await self._send_queued(connection)
                if connection.is_attached:
                    await self._wait(connection)
                elif not self._hub.attach(connection):
                    await self._catch_up(connection)
        except TimeoutError:
            return TOO_SLOW

    async def _send_queued(self, connection: Connection) -> None:
        while connection.queue:
            await self._send(connection.queue.popleft())

    async def _wait(self, connection: Connection) -> None:
        """Until there is something, or a heartbeat has been sent for want of it."""
        connection.woken.clear()
        try:
            await asyncio.wait_for(connection.woken.wait(), HEARTBEAT_SECONDS)
        except TimeoutError:
            await self._send_about("heartbeat", connection.position)

    async def _catch_up(self, connection: Connection) -> None:
        """One page further by itself; where there is none, a moment is waited for the poller."""
        connection.woken.clear()
        position = connection.position
        after_id = position.entry_id if position.is_whole else position.entry_id - 1
        try:
            page = await to_thread.run_sync(self._read, after_id, abandon_on_cancel=True)
        except Unavailable:
            await asyncio.sleep(AWAY_SECONDS)
            return
        if page.has_gap:
            connection.position = Position(page.floor_id)
            await self._send_about("gap", connection.position, "expired_id")
        for message in page.messages:
            if message.position > position:
                await self._send(message)
        if page.up_to_id > after_id:
            connection.position = Position(page.up_to_id)
            return
        try:
            await asyncio.wait_for(connection.woken.wait(), WAIT_SECONDS)
        except TimeoutError:
            return

    def _read(self, after_id: int) -> FeedPage:
        provider_id = self._watcher.provider_id
        if provider_id is None:
            return operator_page(self._database, after_id)
        page = own_page(self._database, [provider_id], after_id)
        return FeedPage(page.floor_id, page.after_id, page.up_to_id, page.messages[provider_id])

    async def _send_about(self, name: str, position: Position, reason: str | None = None) -> None:
        await self._send(feed_message(name, position, reason))

    async def _send(self, message: Message) -> None:
        text = json.dumps(message.body(self._id(message.position)), separators=(",", ":"))
        await asyncio.wait_for(self._websocket.send_text(text), SEND_SECONDS)

    def _id(self, position: Position) -> str:
        provider_id = self._watcher.provider_id
        if provider_id is None:
            return operator_id(position)
        return provider_id_text(position, provider_id, self._head.resume_secret)


async def head_of(database: Database) -> LiveHead:
    """Where the feed stands now, everything that has committed included. Raises `Unavailable`."""
    return await to_thread.run_sync(begin_to_watch, database)
