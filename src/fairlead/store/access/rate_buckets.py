"""Limits on guessing that hold across every process of a marketplace: buckets of tokens, each one row."""

from datetime import datetime, timedelta

from fairlead.store.connection import Connection
from fairlead.store.simulated_clock import simulated_now


def take_token(conn: Connection, name: str, capacity: int, seconds_per_token: float) -> float:
    """0, and a token of the bucket is taken; or, when it is empty, in how many seconds there will be one.

    An untouched bucket is full, and one token comes back every so many seconds, by the database's clock. The
    row is locked before it is read, so of attempts at once never more get through than there are tokens; it stays
    locked until the transaction ends, and what is taken is undone with it. The row says when the bucket will be full
    again; a time further ahead than an empty bucket needs was written before the clock was set back, and is cut down to
    that.
    """
    while True:
        is_first = conn.execute(
            """
            insert into rate_buckets (name, full_at)
            values (%s, coalesce(%s::timestamptz, clock_timestamp()) + make_interval(secs => %s::float8))
            on conflict do nothing
            """,
            (name, simulated_now(conn), seconds_per_token),
        ).rowcount
        if is_first:
            return 0
        if conn.execute("select from rate_buckets where name = %s for no key update", (name,)).rowcount:
            break  # else it was full, and swept away meanwhile
    # The time is read after the lock was granted, in a statement of its own. Reckoned here: a cluster carries out no
    # update that adds to a time of the row.
    rows = conn.execute(
        "select full_at, coalesce(%s::timestamptz, clock_timestamp()) from rate_buckets where name = %s",
        (simulated_now(conn), name),
    ).fetchall()
    full_at, now = rows[0]
    token = timedelta(seconds=seconds_per_token)
    wait = full_at - now - (capacity - 1) * token
    if wait <= timedelta(0):
        _set_full_at(conn, name, max(full_at, now) + token)
        return 0
    if wait > token:
        wait = token
        _set_full_at(conn, name, now + capacity * token)
    return max(0.001, wait.total_seconds())


def give_back_token(conn: Connection, name: str, seconds_per_token: float) -> None:
    """A token that was taken from the bucket is in it again. Locks the bucket's row until the transaction ends."""
    row = conn.execute("select full_at from rate_buckets where name = %s for no key update", (name,)).fetchone()
    if row is not None:
        _set_full_at(conn, name, row[0] - timedelta(seconds=seconds_per_token))


def _set_full_at(conn: Connection, name: str, full_at: datetime) -> None:
    conn.execute("update rate_buckets set full_at = %s where name = %s", (full_at, name))


def delete_full_buckets(conn: Connection, now: datetime) -> int:
    """Buckets that are full at that time, as one that has no row is, are gone; returns how many they were."""
    return conn.execute("delete from rate_buckets where full_at < %s", (now,)).rowcount
