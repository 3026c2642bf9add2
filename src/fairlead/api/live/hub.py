"""One poller for all who watch in this process: it reads what is new, hands it out, and asks who may still see it.

The poller is a thread that runs while a client watches. Connections live in the event loop, and only there are they
touched: the thread hands over what it read and does not wait.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fairlead.api.live.connection import CLOSING_OF_LOSS, Connection
from fairlead.core.errors import Refused, Unavailable
from fairlead.flows.live.feed import FeedPage, OwnPage, bring_up_to_date, operator_page, own_page
from fairlead.flows.live.rights import Audience, Lost, lost_rights
from fairlead.store.connection import Database
from fairlead.telemetry.errors import error_kind
from fairlead.telemetry.logs import get_logger

_log = get_logger(__name__)

POLL_SECONDS = 0.25
PAUSE_SECONDS = 1.0
"""After something went wrong."""
RIGHTS_SECONDS = 1.0
MOST_CONNECTIONS = 500
"""Of one process."""
MOST_OF_OWNER = 10
"""Of one user, or of one provider's or user's keys, in one process."""
STOP_SECONDS = 0.3


@dataclass(slots=True, eq=False)
class _Room:
    """Those who watch one feed. `polled_id` is the thread's, `position_id` the loop's: what was handed out so far."""

    audience: Audience
    connections: set[Connection] = field(default_factory=set[Connection])
    polled_id: int | None = None
    position_id: int | None = None


class Hub:
    """A client that joins is counted and its right is watched; one that is attached too is handed what is new."""

    def __init__(self, database: Database) -> None:
        self._database = database
        # Guards the rooms and who is in them, which the thread looks at; never held while anything waits.
        self._lock = threading.Lock()
        self._rooms: dict[Audience, _Room] = {}
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_away = False

    @property
    def connection_count(self) -> int:
        """How many watch."""
        with self._lock:
            return sum(len(room.connections) for room in self._rooms.values())

    def join(self, connection: Connection) -> None:
        """The connection is counted, and its right is watched from now on.

        Raises `Refused`: `too_many_connections`, and `Unavailable` where the process has as many as it can take.
        """
        watcher = connection.watcher
        with self._lock:
            owners = Counter(each.watcher.owner for room in self._rooms.values() for each in room.connections)
            if owners.total() >= MOST_CONNECTIONS:
                raise Unavailable("there are too many live connections")
            if owners[watcher.owner] >= MOST_OF_OWNER:
                raise Refused("too_many_connections", f"there are {MOST_OF_OWNER} of yours already")
            room = self._rooms.setdefault(watcher.audience, _Room(watcher.audience))
            room.connections.add(connection)
            self._loop = asyncio.get_running_loop()
            if self._thread is None:
                self._stopping.clear()
                self._thread = threading.Thread(target=self._run, name="live-feed", daemon=True)
                self._thread.start()

    def leave(self, connection: Connection) -> None:
        """The connection is not counted any more. The last one takes its room with it, and the poller ends."""
        with self._lock:
            room = self._rooms.get(connection.watcher.audience)
            if room is None:
                return
            room.connections.discard(connection)
            if not room.connections:
                del self._rooms[connection.watcher.audience]

    def attach(self, connection: Connection) -> bool:
        """Whether the connection stands where the poller does, or beyond, and is handed what is new from now on."""
        room = self._rooms.get(connection.watcher.audience)
        if room is None or room.position_id is None or connection.position.entry_id < room.position_id:
            return False
        if connection.position.entry_id == room.position_id and not connection.position.is_whole:
            return False
        connection.is_attached = True
        return True

    def stop(self) -> None:
        """The poller ends, shortly."""
        self._stopping.set()
        thread = self._thread
        if thread is not None:
            thread.join(STOP_SECONDS)

    # The thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        ask_again_at = 0.0
        while rooms := self._rooms_or_end():
            pause_seconds = POLL_SECONDS
            # A client that may not watch any more is shown out, whatever is wrong with what there is to see.
            if time.monotonic() >= ask_again_at and self._goes_well(lambda rooms=rooms: self._ask_for_rights(rooms)):
                ask_again_at = time.monotonic() + RIGHTS_SECONDS
            if not self._goes_well(lambda rooms=rooms: self._poll(rooms)):
                pause_seconds = PAUSE_SECONDS
            self._stopping.wait(pause_seconds)

    def _goes_well(self, step: Callable[[], None]) -> bool:
        """Connections stay through an outage, and go on where they were: only the poller has to try again."""
        try:
            step()
        except Unavailable as error:
            if not self._is_away:
                _log.warning("the live feed waits for the database", error=error_kind(error))
            self._is_away = True
            return False
        except Exception as error:  # a bug of ours in one entry must not end the feed of all clients without a word
            _log.error("the live feed failed", exc_info=error)
            return False
        self._is_away = False
        return True

    def _rooms_or_end(self) -> dict[_Room, set[Connection]]:
        with self._lock:
            if self._stopping.is_set() or not self._rooms:
                self._thread = None
                return {}
            return {room: set(room.connections) for room in self._rooms.values()}

    def _poll(self, rooms: Mapping[_Room, set[Connection]]) -> None:
        head = bring_up_to_date(self._database)
        for room, connections in rooms.items():
            if room.polled_id is None:
                room.polled_id = head.entry_id
                self._in_loop(lambda room=room: _open(room, head.entry_id))
                continue
            while room.polled_id < head.entry_id and not self._stopping.is_set():
                page = self._page(room, connections, room.polled_id)
                room.polled_id = page.up_to_id
                self._in_loop(lambda room=room, page=page: _hand_out(room, page))

    def _page(self, room: _Room, connections: set[Connection], after_id: int) -> FeedPage | OwnPage:
        if room.audience is Audience.OPERATORS:
            return operator_page(self._database, after_id)
        provider_ids = {each.watcher.provider_id for each in connections} - {None}
        return own_page(self._database, sorted(str(each) for each in provider_ids), after_id)

    def _ask_for_rights(self, rooms: Mapping[_Room, set[Connection]]) -> None:
        connections = [each for found in rooms.values() for each in found]
        lost = lost_rights(self._database, {each.watcher for each in connections})
        if lost:
            self._in_loop(lambda: _close_lost(connections, lost))

    def _in_loop(self, call: Callable[[], None]) -> None:
        assert self._loop is not None, "a watcher joined"
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:  # the loop is closed: the server has stopped
            self._stopping.set()


# In the loop ----------------------------------------------------------------------------------------------------


def _open(room: _Room, position_id: int) -> None:
    room.position_id = position_id
    for connection in room.connections:
        connection.woken.set()


def _hand_out(room: _Room, page: FeedPage | OwnPage) -> None:
    room.position_id = page.up_to_id
    for connection in room.connections:
        if not connection.is_attached:
            connection.woken.set()
            continue
        own = page.messages if isinstance(page, FeedPage) else page.messages.get(str(connection.watcher.provider_id))
        if own is None or page.has_gap:
            # It came while the page was read, which has nothing of it; or it has to be told of the gap.
            connection.detach()
        else:
            connection.take(own, page.up_to_id)


def _close_lost(connections: list[Connection], lost: Mapping[str, Lost]) -> None:
    for connection in connections:
        why = lost.get(connection.watcher.watcher_id)
        if why is not None:
            connection.close(CLOSING_OF_LOSS[why])
