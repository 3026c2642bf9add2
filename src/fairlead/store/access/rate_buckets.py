"""Limits on guessing that hold across every process of a marketplace: buckets of tokens, each one row."""

from datetime import datetime

from fairlead.store.connection import Connection


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
            values (%s, clock_timestamp() + make_interval(secs => %s::float8)) on conflict do nothing
            """,
            (name, seconds_per_token),
        ).rowcount
        if is_first:
            return 0
        if conn.execute("select from rate_buckets where name = %s for no key update", (name,)).rowcount:
            break  # else it was full, and swept away meanwhile
    # The time is read after the lock was granted, in a statement of its own.
    seconds: float = conn.execute(
        """
        select extract(epoch from full_at - clock_timestamp())::float8 - %s * %s::float8
        from rate_buckets where name = %s
        """,
        (capacity - 1, seconds_per_token, name),
    ).fetchall()[0][0]
    if seconds <= 0:
        conn.execute(
            """
            update rate_buckets
            set full_at = greatest(full_at, statement_timestamp()) + make_interval(secs => %s::float8) where name = %s
            """,
            (seconds_per_token, name),
        )
        return 0
    if seconds > seconds_per_token:
        seconds = seconds_per_token
        conn.execute(
            """
            update rate_buckets set full_at = statement_timestamp() + make_interval(secs => %s::float8)
            where name = %s
            """,
            (capacity * seconds_per_token, name),
        )
    return max(0.001, seconds)


def give_back_token(conn: Connection, name: str, seconds_per_token: float) -> None:
    """A token that was taken from the bucket is in it again."""
    conn.execute(
        "update rate_buckets set full_at = full_at - make_interval(secs => %s::float8) where name = %s",
        (seconds_per_token, name),
    )


def delete_full_buckets(conn: Connection, now: datetime) -> int:
    """Buckets that are full at that time, as one that has no row is, are gone; returns how many they were."""
    return conn.execute("delete from rate_buckets where full_at < %s", (now,)).rowcount
