"""A worker's heartbeats, on a connection that also hears of new jobs and makes due those whose time has come."""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain, repeat

import psycopg

from fairlead.core.errors import Unavailable
from fairlead.store.connection import Connection, Database
from fairlead.store.jobs.fetching import make_due
from fairlead.store.jobs.wake_up import listen, queue_named
from fairlead.store.jobs.workers import beat, register
from fairlead.telemetry.errors import error_kind
from fairlead.telemetry.logs import get_logger

log = get_logger(__name__)

TICK_SECONDS = 1.0
RECONNECT_SECONDS = (0.2, 0.5, 1, 2, 5, 10)


def and_so_on(seconds: Sequence[float]) -> Iterator[float]:
    """These pauses, and the last of them for ever."""
    return chain(seconds, repeat(seconds[-1]))


@dataclass(slots=True)
class Heartbeats:
    """One thread of a worker. `wake` is told of queues in which something is due, `on_back` of a database regained."""

    database: Database
    heartbeat_timeout_seconds: float
    wake: Callable[[Collection[str]], None]
    on_back: Callable[[], None]
    _ended: threading.Event = field(default_factory=threading.Event)
    _worker_id: int | None = None
    _thread: threading.Thread | None = None

    def begin(self, stop: threading.Event) -> int | None:
        """The worker is registered, and gives heartbeats until `end`; returns its id, None if told to stop before.

        A database that is away is waited for. Raises `Refused` where a pooler hides the server.
        """
        conn = self._connected(stop)
        if conn is not None:
            self._thread = threading.Thread(target=self._go_on, args=(conn,), name="heartbeats", daemon=True)
            self._thread.start()
        return self._worker_id

    def end(self) -> None:
        """No heartbeat is given from now on."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(2 * TICK_SECONDS)

    def _connected(self, until: threading.Event) -> Connection | None:
        """A connection on which a heartbeat was given and signals are heard; None once there is to be none."""
        for pause_seconds in and_so_on(RECONNECT_SECONDS):
            if until.is_set():
                break
            try:
                conn = self.database.connect_directly()
                if self._worker_id is None:
                    self._worker_id = register(conn)
                else:
                    beat(conn, self._worker_id)
                listen(conn)
                return conn
            except (Unavailable, psycopg.Error) as error:
                log.warning("the database is away", error=error_kind(error))
                until.wait(pause_seconds)
        return None

    def _go_on(self, connected: Connection) -> None:
        conn: Connection | None = connected
        while conn is not None:
            try:
                with closing(conn):
                    self._live(conn)
            except Exception as error:  # an outage, or a bug: without heartbeats this worker's jobs would be others'
                log.warning("the database is away", error=error_kind(error))
                self._ended.wait(RECONNECT_SECONDS[0])
            conn = self._connected(self._ended)
            if conn is not None:
                self.on_back()

    def _live(self, conn: Connection) -> None:
        """One connection's life. Ends with the worker, and raises when the connection is lost."""
        assert self._worker_id is not None, "it is registered"
        beat_seconds = min(10.0, self.heartbeat_timeout_seconds / 3)
        next_beat = time.monotonic() + beat_seconds
        while not self._ended.is_set():
            if time.monotonic() >= next_beat:
                beat(conn, self._worker_id)
                next_beat = time.monotonic() + beat_seconds
            if queues := make_due(conn):
                self.wake(queues)
            for signal in conn.notifies(timeout=TICK_SECONDS, stop_after=1):
                queue = queue_named(signal.payload, self.database.schema_name)
                if queue is not None:
                    self.wake({queue})
