"""Connections of a kept database that a test has left as good as new, for the pool of the next test.

A new session knows no table yet: what it reads of the catalogs, and parses and plans anew, costs most tests more than
what they ask. So the pool of a test takes the idle connections of the test before; what a session may have been told
(settings, roles, locks, channels, places in sequences) is forgotten in between. Nothing else is lent: each test
has a `Database` of its own.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import psycopg

from fairlead.store.connection import Database
from fairlead.store.session_settings import SettledConnection

MOST_KEPT = 3
"""Of one database. What is lent is the newest, and most tests use one."""

FORGET = b"""
reset session authorization; reset all; close all; unlisten *; select pg_advisory_unlock_all(); discard sequences
"""
"""What `discard all` does, but for temporary tables, after which a database is not kept, and for what was prepared."""


class WarmConnections:
    """Those of one kept database."""

    def __init__(self) -> None:
        self._idle: list[SettledConnection] = []

    @property
    def pids(self) -> list[int]:
        """Of the sessions that may be connected though no test is running."""
        return [each.info.backend_pid for each in self._idle]

    def connect(self, address: str, **settings: Any) -> SettledConnection:
        """One of them, else a new one: what a pool asks its class of connections for."""
        return self._idle.pop() if self._idle else SettledConnection.connect(address, **settings)

    @contextmanager
    def lent_to(self, database: Database) -> Generator[Database]:
        """The database's pool takes these first, and leaves those that are idle in the end. It is open for as long."""
        pool = database._pool  # pyright: ignore[reportPrivateUsage]
        pool.connection_class = self  # pyright: ignore[reportAttributeAccessIssue]
        with database:
            yield database
            while len(self._idle) < MOST_KEPT and pool.get_stats().get("pool_available"):
                self._keep(pool.getconn(timeout=1))

    def _keep(self, conn: SettledConnection) -> None:
        try:
            conn.autocommit = True
            conn.execute(FORGET, prepare=False)
            conn.autocommit = False
        except psycopg.Error:
            conn.close()
        else:
            self._idle.append(conn)

    def close(self) -> None:
        """All are closed."""
        while self._idle:
            self._idle.pop().close()
