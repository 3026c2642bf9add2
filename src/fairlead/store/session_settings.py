"""What holds in every session of a marketplace: its schema and its bounds, also behind a connection pooler.

They are given when a connection is opened, which costs nothing afterwards. A pooler (PgBouncer in transaction mode)
drops or refuses what is given then, and hands each transaction to whichever of its sessions is free: there they are set
at the start of every transaction, for that transaction alone.
"""

import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict

from fairlead.core.errors import Refused
from fairlead.store.simulated_clock import SimulatedClock

BOUNDS_TRANSACTIONS = 170_000
"""The first version of PostgreSQL that has `transaction_timeout`."""

_MARK = "fairlead.own_session"
"""Given with the others: a session that knows it was opened by us and for us alone."""


class SettledConnection(psycopg.Connection[tuple[Any, ...]]):
    """A connection that is opened also through a pooler that refuses settings at the start of a session.

    What is to be asserted of answers that a pipeline still waits for is asserted when it ends. `queues_to_wake`: where
    its transaction put jobs, of which workers are told after the commit. `simulated_clock`: that of its database.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        """As its base has it."""
        super().__init__(*arguments, **settings)
        self._when_answered: list[Callable[[], None]] = []
        self.queues_to_wake: set[str] = set()
        self.simulated_clock: SimulatedClock | None = None

    def when_answered(self, check: Callable[[], None]) -> None:
        """`check` is called when the pipeline that is open has all its answers, and may raise."""
        self._when_answered.append(check)

    @contextmanager
    def pipeline(self) -> Generator[psycopg.Pipeline]:
        """As its base has it. Raises what a check of its answers raises."""
        outer, checks = self._when_answered, list[Callable[[], None]]()
        self._when_answered = checks
        try:
            with super().pipeline() as pipeline:
                yield pipeline
        finally:
            self._when_answered = outer
        for check in checks:
            check()

    @classmethod
    def connect(cls, conninfo: str = "", **settings: Any) -> Any:
        """The connection, with the settings or without those that a pooler refused. Raises `OperationalError`."""
        try:
            return super().connect(conninfo, **settings)
        except psycopg.OperationalError as error:
            if "unsupported startup parameter" not in str(error) or "options" not in settings:
                raise
        del settings["options"]
        return super().connect(conninfo, **settings)


class SessionSettings:
    """The settings of one marketplace's sessions; shared by all threads, and by every pool of the same address."""

    def __init__(self, values: Mapping[str, str | int], transaction_timeout_ms: int) -> None:
        """`values` by the names that PostgreSQL has for them; none of them holds a space."""
        self._values = dict(values)
        self._transaction_timeout_ms = transaction_timeout_ms
        self.is_pooled = False
        self.options = " ".join(f"-c {name}={value}" for name, value in {**values, _MARK: "on"}.items())

    def settle(self, conn: psycopg.Connection[tuple[Any, ...]]) -> None:
        """A new connection is looked at: whether its session is ours; if so, whole transactions are bounded too.

        A client that stands still in the middle of a pipeline is not idle to the server, so that nothing but a bound of
        the whole transaction would end it, and with it the lock of a niche. Servers before 17 cannot.
        """
        self.is_pooled = not is_own_session(conn)
        if self.is_pooled:
            # A prepared statement belongs to a session, and the next transaction gets another one.
            conn.prepare_threshold = None
        elif conn.info.server_version >= BOUNDS_TRANSACTIONS:
            timeout_ms = str(self._transaction_timeout_ms)
            conn.execute("select set_config('transaction_timeout', %s, false)", (timeout_ms,))
        conn.commit()

    def begin(self, conn: psycopg.Connection[tuple[Any, ...]]) -> None:
        """The settings hold in the transaction that begins. Free where the session is ours, else one round trip.

        Commands, not a query: the isolation level can still be chosen after them.
        """
        if not self.is_pooled:
            return
        values = dict(self._values)
        if conn.info.server_version >= BOUNDS_TRANSACTIONS:
            values["transaction_timeout"] = self._transaction_timeout_ms
        with conn.pipeline():
            for name, value in values.items():
                command = sql.SQL("set local {} = {}").format(sql.Identifier(name), sql.Literal(str(value)))
                conn.execute(command, prepare=False)


def allow_long_reading(conn: psycopg.Connection[tuple[Any, ...]], statement_timeout_ms: int) -> None:
    """Until the transaction ends, statements may take so long, and the reader may pause for an hour.

    A statement whose client has died, which the server would notice only when it answers, ends within seconds where the
    server's system can tell (those of Windows cannot).
    """
    conn.execute("select set_config('statement_timeout', %s, true)", (str(statement_timeout_ms),))
    conn.execute("set local idle_in_transaction_session_timeout = '1h'")
    if conn.info.server_version >= BOUNDS_TRANSACTIONS:
        conn.execute("set local transaction_timeout = 0")
    with suppress(errors.InvalidParameterValue), conn.transaction():
        conn.execute("set local client_connection_check_interval = '5s'")


def is_own_session(conn: psycopg.Connection[tuple[Any, ...]]) -> bool:
    """Whether the session at the server was opened with our settings: they hold, and it is shared with no one."""
    return conn.execute("select current_setting(%s, true)", (_MARK,)).fetchone() == ("on",)


def checked_address(address: str) -> str:
    """The address, if it is one that libpq takes: a URL or `key=value` words, with one host or several.

    Raises `Refused` (`database_address_invalid`) in one line that does not repeat it: it may hold a password.
    """
    try:
        conninfo_to_dict(address)
    except psycopg.ProgrammingError:
        words = "the database's address is none that PostgreSQL takes, such as postgresql://user:secret@host:5432/name"
        raise Refused("database_address_invalid", words) from None
    return address


def place_of(address: str) -> str:
    """Where the database is, for people: `host:port/name`, several hosts divided by commas; never a password.

    >>> place_of("postgresql://fl:secret@a:5801,b:5802/fl?target_session_attrs=read-write")
    'a:5801,b:5802/fl'
    >>> place_of("host=/run/postgresql dbname=fl password=secret")
    '/run/postgresql:5432/fl'
    """
    parts = conninfo_to_dict(address)
    if "service" in parts and "host" not in parts:
        return f"service {parts['service']}"
    named = parts.get("host") or parts.get("hostaddr") or os.environ.get("PGHOST") or "localhost"
    hosts = str(named).split(",")
    ports = str(parts.get("port") or os.environ.get("PGPORT") or 5432).split(",")
    # As libpq has it: one port is for all hosts, and an empty one is the usual.
    ports = ports * len(hosts) if len(ports) == 1 else ports
    places = [f"{host or 'localhost'}:{port or 5432}" for host, port in zip(hosts, ports, strict=False)]
    return f"{','.join(places)}/{parts.get('dbname') or ''}"
