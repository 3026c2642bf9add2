"""Limits on guessing that hold across every process of a marketplace: buckets of tokens, each one row."""

from datetime import datetime

from fairlead.store.connection import Connection


def take_token(conn: Connection, name: str, capacity: int, seconds_per_token: float) -> float:
    """0, and a token of the bucket is taken; or, when it is empty, in how many seconds there will be one.

    An untouched bucket is full, and one token comes back every so many seconds, by the database's clock. One
    guarded statement, so of attempts at once never more get through than there are tokens. Locks the bucket's row until
    the transaction ends, and is undone with it. The row says when the bucket will be full again; a time further ahead
    than an empty bucket needs was written before the clock was set back, and is cut down to that.
    """
    taken = conn.execute(
        """
        insert into rate_buckets as b (name, full_at)
        values (%(name)s, clock_timestamp() + make_interval(secs => %(seconds)s::float8))
        on conflict (name) do update
        set full_at = greatest(b.full_at, clock_timestamp()) + make_interval(secs => %(seconds)s::float8)
        where b.full_at <= clock_timestamp() + make_interval(secs => (%(capacity)s - 1) * %(seconds)s::float8)
        """,
        {"name": name, "capacity": capacity, "seconds": seconds_per_token},
    )
    if taken.rowcount == 1:
        return 0
    rows = conn.execute(
        """
        update rate_buckets
        set full_at = least(full_at, clock_timestamp() + make_interval(secs => %(capacity)s * %(seconds)s::float8))
        where name = %(name)s
        returning extract(epoch from full_at - clock_timestamp())::float8 - (%(capacity)s - 1) * %(seconds)s::float8
        """,
        {"name": name, "capacity": capacity, "seconds": seconds_per_token},
    ).fetchall()
    return max(0.001, rows[0][0])


def give_back_token(conn: Connection, name: str, seconds_per_token: float) -> None:
    """A token that was taken from the bucket is in it again."""
    conn.execute(
        "update rate_buckets set full_at = full_at - make_interval(secs => %s::float8) where name = %s",
        (seconds_per_token, name),
    )


def delete_full_buckets(conn: Connection, now: datetime) -> int:
    """Buckets that are full at that time, as one that has no row is, are gone; returns how many they were."""
    return conn.execute("delete from rate_buckets where full_at < %s", (now,)).rowcount
