"""The database, as every other room sees it: connections of one marketplace, and transactions that are retried.

A marketplace is a PostgreSQL schema; `search_path` chooses it on every connection and no table name is qualified.
"""

import copy
import random
import time
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool

from fairlead.core.errors import Broken, Refused, Unavailable
from fairlead.store.committed_calls import Call
from fairlead.store.database_errors import is_outage, is_transient, one_line
from fairlead.store.jobs.wake_up import Listener, wake
from fairlead.store.row_level_security.binding import PortalRole
from fairlead.store.session_settings import (
    SessionSettings,
    SettledConnection,
    allow_long_reading,
    checked_address,
    is_own_session,
    place_of,
)
from fairlead.store.simulated_clock import SimulatedClock

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]
Result = TypeVar("Result")

ATTEMPTS = 6
CONNECTION_SECONDS = 30.0
"""How long an attempt waits for a connection, where no caller has less patience."""
FIRST_PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Bounds in milliseconds, set on every connection; the last one instead of the first in a long snapshot."""

    statement_ms: int = 60_000
    lock_ms: int = 10_000
    idle_in_transaction_ms: int = 60_000
    transaction_ms: int = 300_000
    long_statement_ms: int = 1_800_000


class Database:
    """One marketplace's database. Close it, or use it as a context manager."""

    is_joined = False
    """Whether its transactions are parts of one that is open already: `store.joined`."""

    def __init__(
        self,
        url: str,
        schema_name: str,
        timeouts: Timeouts | None = None,
        max_connections: int = 8,
        *,
        row_level_security: bool = True,
        patience_seconds: float | None = None,
        direct_url: str | None = None,
        simulated_clock: SimulatedClock | None = None,
    ) -> None:
        """With `patience_seconds` a connection is waited for no longer, and what failed by then is not tried again.

        For processes in which a client waits for an answer: it would come minutes after it had gone, and all that
        time keep a thread and its neighbours waiting.

        `direct_url` leads to the same database without a pooler between, for what needs a session of its own: hearing
        of new jobs, migrating, watching. Raises `Refused` for an address that is none.

        With a `simulated_clock` everything is recorded at its time, and gets ids of it, instead of the server's; what
        keeps the machinery going (jobs, heartbeats, locks, retries) goes by the server's all the same.
        """
        bounds = timeouts or Timeouts()
        self.simulated_clock = simulated_clock
        # Shared by all that are bound to a provider, and None where row-level security is switched off.
        self._portal_role = PortalRole() if row_level_security else None
        self.bound_provider_id: str | None = None
        self.on_enqueued: Listener | None = None
        """Told, after each commit of this process that enqueued jobs, of their queues."""
        self.schema_name = schema_name
        self.url = checked_address(url)
        self.direct_url = self.url if direct_url is None else checked_address(direct_url)
        self._settings = SessionSettings(
            {
                "search_path": schema_name,
                "statement_timeout": bounds.statement_ms,
                "lock_timeout": bounds.lock_ms,
                "idle_in_transaction_session_timeout": bounds.idle_in_transaction_ms,
                "timezone": "UTC",
                # The server's side: a machine that vanished without a word holds its locks no longer than a minute.
                "tcp_keepalives_idle": 30,
                "tcp_keepalives_interval": 10,
                "tcp_keepalives_count": 3,
            },
            bounds.transaction_ms,
        )
        self._long_statement_ms = bounds.long_statement_ms
        self._patience_seconds = patience_seconds
        connection_seconds = CONNECTION_SECONDS if patience_seconds is None else patience_seconds
        self._pool: ConnectionPool[SettledConnection] = ConnectionPool(
            self.url,
            connection_class=SettledConnection,
            kwargs=self.connection_settings(),
            min_size=0,
            max_size=max_connections,
            open=False,
            timeout=connection_seconds,
            # The pool asks a server that is away ever more seldom, and would not notice for minutes that it is back.
            # After this it begins anew with the next to ask.
            reconnect_timeout=connection_seconds,
            configure=self._settle,
        )

    def _settle(self, conn: SettledConnection) -> None:
        conn.simulated_clock = self.simulated_clock
        self._settings.settle(conn)

    def connection_settings(self) -> dict[str, Any]:
        """What every connection of this marketplace is opened with."""
        return {
            "options": self._settings.options,
            "connect_timeout": 10,
            "keepalives_idle": 30,
            "tcp_user_timeout": 30_000,
            "application_name": "fairlead",
        }

    def __enter__(self) -> "Database":
        self._pool.open()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bound_provider_id is not None:
            raise Broken("a bound database shares its connections: only the one that it was made from closes them")
        self._pool.close()

    def bound_to(self, provider_id: str) -> "Database":
        """The same database on behalf of a provider: every transaction of it sees and changes that one's rows only.

        It shares the connections, and costs nothing to make. Row-level security (ADR 12): a query still says whose
        rows it means. Without the portal's role every transaction raises `Unavailable`, unless row-level security
        is switched off; then it is this database. Raises ValueError for what is no UUID.
        """
        bound = copy.copy(self)
        bound.bound_provider_id = str(UUID(provider_id))
        return bound

    @contextmanager
    def transaction(self) -> Generator[Connection]:
        """One transaction, committed when the block ends and rolled back when it raises; never retried."""
        guard = self._guard()
        with self._pool.connection() as conn:
            conn.queues_to_wake.clear()
            with conn.transaction():
                self._settings.begin(conn)
                if guard is not None:
                    guard(conn)
                yield conn
            wake(conn, self.schema_name, self.on_enqueued)

    def _guard(self) -> Callable[[Connection], None] | None:
        """What binds a transaction to the provider; None where there is nothing to bind."""
        role, provider_id = self._portal_role, self.bound_provider_id
        if provider_id is None or role is None:
            return None
        name = role.name
        if name is None:
            # On a connection of its own, before the transaction takes one: no thread holds two.
            with self._pool.connection() as conn:
                self._settings.begin(conn)
                name = role.find(conn)
        return partial(role.bind, name=name, provider_id=provider_id)

    @contextmanager
    def snapshot(self, *, is_long: bool = False) -> Generator[Connection]:
        """One read-only transaction that sees a single moment. Raises `Unavailable`.

        A long one may read all there is, for a reader that takes it slowly; each statement has a bound of its own, and
        ends soon after its process has died.
        """
        try:
            with self.transaction() as conn:
                conn.execute("set transaction isolation level repeatable read, read only")
                if is_long:
                    allow_long_reading(conn, self._long_statement_ms)
                yield conn
        except psycopg.Error as error:
            if not is_outage(error):
                raise
            advice = ""
            if is_long and isinstance(error, errors.QueryCanceled):
                advice = f" ({self._long_statement_ms} ms, unless FAIRLEAD_LONG_STATEMENT_TIMEOUT_MS says otherwise)"
            raise Unavailable(f"the database {self.place} cannot be read: {one_line(error)}{advice}") from error

    def read(self, view: Callable[[Connection], Result]) -> Result:
        """What `view` sees of a single moment, read-only. Bounded, retried and raising as `run` is."""

        def work(conn: Connection) -> Result:
            conn.execute("set transaction isolation level repeatable read, read only")
            return view(conn)

        return self._retried(work)

    def check(self) -> None:
        """The database can be reached now; else `Unavailable`, at once and in one line."""
        try:
            SettledConnection.connect(self.url, **self.connection_settings()).close()
        except psycopg.OperationalError as error:
            raise Unavailable(f"cannot connect to the database {self.place}: {one_line(error)}") from error

    def run(
        self, work: Callable[[Connection], Result], finish: Callable[[Connection, Result], None] | None = None
    ) -> Result:
        """The result of `work`, done in one committed transaction.

        `finish` gets that result and writes: its statements go to the server in one pipeline, together with what every
        call leaves there, before the commit.

        A transient error (serialization failure, deadlock, lock timeout, lost connection) rolls back and runs `work`
        again from its start, a few times, after a jittered pause. When the answer to a commit was lost, the next
        attempt finds out whether it happened (`committed_calls`): if it did, the result is what `work` returned then,
        and `work` is not run again. Only a call that used up its attempts leaves open whether it did something.

        Raises `Unavailable` when the attempts or the patience are used up, and for any other state of the server that
        says nothing of the work.
        """
        return self.run_call(Call(work, finish))

    def run_call(self, call: Call[Result]) -> Result:
        """As `run`; after `Unavailable` the same call may be run again, and finds out whether it did something."""
        return self._retried(call.attempt)

    def run_in_snapshot(self, work: Callable[[Connection], Result]) -> Result:
        """As `run`, of what one moment sees, and for what does no harm when done twice: after a lost answer it is run
        again, since nothing may be asked before the snapshot is taken."""

        def attempt(conn: Connection) -> Result:
            conn.execute("set transaction isolation level repeatable read")
            return work(conn)

        return self._retried(attempt)

    def run_statement(self, work: Callable[[Connection], Result]) -> Result:
        """As `run`, for a single statement that does no harm when done twice: after a lost answer it is run again.

        It is a transaction by itself, in one round trip instead of four.
        """
        return self._retried(work, self._statement)

    @contextmanager
    def _statement(self) -> Generator[Connection]:
        if self.bound_provider_id is not None or self._settings.is_pooled:
            with self.transaction() as conn:
                yield conn
            return
        with self._pool.connection() as conn:
            conn.autocommit = True
            try:
                yield conn
            finally:
                if conn.info.transaction_status == TransactionStatus.IDLE:
                    conn.autocommit = False
                else:
                    conn.close()

    def _retried(
        self,
        attempted: Callable[[Connection], Result],
        opened: Callable[[], AbstractContextManager[Connection]] | None = None,
    ) -> Result:
        """What `attempted` returns in the first transaction that commits and says so."""
        deadline = None if self._patience_seconds is None else time.monotonic() + self._patience_seconds
        for attempt in range(ATTEMPTS):
            try:
                with (opened or self.transaction)() as conn:
                    return _on_writable(conn, attempted)
            except psycopg.Error as error:
                if not is_outage(error):
                    raise
                is_last = attempt == ATTEMPTS - 1 or (deadline is not None and time.monotonic() >= deadline)
                if not is_transient(error) or is_last:
                    raise Unavailable(
                        f"the database {self.place} did not take the change: {one_line(error)}"
                    ) from error
                if error.sqlstate is None:
                    self._pool.check()
                time.sleep(FIRST_PAUSE_SECONDS * 2**attempt * random.uniform(0.5, 1.5))  # noqa: S311
        raise Broken("unreachable: every attempt returns or raises")

    @property
    def place(self) -> str:
        """Where the database is, without its password."""
        return place_of(self.url)

    def connect_directly(self, more_options: str = "", **settings: Any) -> Connection:
        """A connection of its own, in autocommit, whose session is its own as long as it lasts. Close it.

        `more_options` and `settings` come after those of every connection, and prevail. Raises `Unavailable`, and
        `Refused` (`direct_address_needed`) where a pooler stands between.
        """
        chosen = self.connection_settings() | {"autocommit": True} | settings
        chosen["options"] = f"{chosen['options']} {more_options}"
        try:
            conn: SettledConnection = SettledConnection.connect(self.direct_url, **chosen)
            conn.simulated_clock = self.simulated_clock
            if is_own_session(conn):
                return conn
            conn.close()
        except psycopg.OperationalError as error:
            place = place_of(self.direct_url)
            raise Unavailable(f"cannot connect to the database {place}: {one_line(error)}") from error
        raise Refused(
            "direct_address_needed",
            f"the database {self.place} is behind a connection pooler: set FAIRLEAD_DIRECT_DATABASE_URL to the "
            "address of the server itself",
        )


def _on_writable(conn: Connection, work: Callable[[Connection], Result]) -> Result:
    try:
        return work(conn)
    except errors.ReadOnlySqlTransaction:
        conn.close()  # a standby, or a primary that was demoted: the next attempt connects anew, perhaps elsewhere
        raise
