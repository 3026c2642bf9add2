"""One who watches: what has still to be sent to them, and where they stand."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from fairlead.flows.live.messages import Message
from fairlead.flows.live.positions import Position
from fairlead.flows.live.rights import Lost, Watcher

MOST_QUEUED_MESSAGES = 10_000
"""More than this, that a client has not taken yet, and it is too slow."""


@dataclass(frozen=True, slots=True)
class Closing:
    """Why the server ends a connection: the code and the words that the peer is told."""

    code: int
    reason: str


TOO_SLOW = Closing(1013, "too slow: go on from the last id that you have")
UNASKED = Closing(1008, "this feed takes no messages")
CLOSING_OF_LOSS = {
    Lost.LOGIN: Closing(4401, "the session or key has ended"),
    Lost.PERMISSION: Closing(4403, "you may not see this any more"),
}


class Connection:
    """Lives in the event loop, and is touched there only.

    `position` is how far messages were queued or sent. While it is attached, the poller's pages come to it; otherwise
    it reads pages itself, until it stands where the poller does.
    """

    def __init__(self, watcher: Watcher, position: Position) -> None:
        self.watcher = watcher
        self.position = position
        self.is_attached = False
        self.queue: deque[Message] = deque()
        self.woken = asyncio.Event()
        self.closing: asyncio.Future[Closing] = asyncio.get_running_loop().create_future()

    def close(self, why: Closing) -> None:
        """The connection ends for this reason, unless it does already."""
        if not self.closing.done():
            self.closing.set_result(why)

    def take(self, messages: Iterable[Message], up_to_id: int) -> None:
        """What is new to it is queued; it stands after all of it. Too much of it is its end."""
        self.queue.extend(message for message in messages if message.position > self.position)
        self.position = max(self.position, Position(up_to_id))
        if len(self.queue) > MOST_QUEUED_MESSAGES:
            self.close(TOO_SLOW)
        self.woken.set()

    def detach(self) -> None:
        """It reads pages itself again, from where it stands, after what is queued."""
        self.is_attached = False
        self.woken.set()
