"""Telling workers of new jobs: after the commit, never in it.

PostgreSQL makes transactions that signal commit one after another, all of the server's. So those that enqueue do not:
what they made due is remembered on their connection and told afterwards, once for all of a transaction's jobs, in a
transaction that writes nothing and waits for no disk. A signal that is lost costs a poll's interval.
"""

from collections.abc import Callable, Collection
from contextlib import suppress

import psycopg
from psycopg import sql

from fairlead.store.session_settings import SettledConnection

CHANNEL = "fairlead_jobs"
"""Of every marketplace in the database; what is sent names the schema."""

SIGNALLED = frozenset({"distribute"})
"""Queues whose jobs other processes hear of at once. Deliveries are found by the next poll, or by this very process."""

Listener = Callable[[Collection[str]], None]


def wake_after_commit(conn: psycopg.Connection[tuple[object, ...]], queues: Collection[str]) -> None:
    """Workers will be told of jobs in these queues when the connection's transaction has been committed."""
    if isinstance(conn, SettledConnection):
        conn.queues_to_wake.update(queues)


def wake(conn: SettledConnection, schema_name: str, listener: Listener | None) -> None:
    """Workers are told of what the transaction enqueued that has just been committed. Raises nothing."""
    if not conn.queues_to_wake:
        return
    queues, conn.queues_to_wake = conn.queues_to_wake, set()
    if listener is not None:
        listener(queues)
    for queue in sorted(queues & SIGNALLED):
        with suppress(psycopg.Error), conn.transaction():
            conn.execute("select pg_notify(%s, %s)", (CHANNEL, f"{schema_name}:{queue}"))


def listen(conn: psycopg.Connection[tuple[object, ...]]) -> None:
    """The connection, in autocommit, hears of new jobs from now on."""
    conn.execute(sql.SQL("listen {}").format(sql.Identifier(CHANNEL)))


def queue_named(payload: str, schema_name: str) -> str | None:
    """The queue that a signal names; None where it is another marketplace's."""
    schema, _, queue = payload.rpartition(":")
    return queue if schema == schema_name else None
