"""Limits that hold across every process of a marketplace."""

from fairlead.store.connection import Connection


def take_turn(conn: Connection, name: str, per_second: float) -> float:
    """0, and a turn is taken; or after so many seconds to ask again, and nothing is taken.

    Turns are at least `1 / per_second` apart by the database's clock, whichever process takes them, and turns that
    nothing took do not add up. None is taken ahead: a process that stops while it waits wastes none, and the next turn
    is never further off than one interval. What is further off was written before the clock was set back or by a lower
    rate, and counts as one interval. Locks the limit's row until the transaction ends, so it should end now.
    """
    interval_seconds = 1 / per_second
    conn.execute("insert into rate_limits values (%s, clock_timestamp()) on conflict (name) do nothing", (name,))
    # The time is read after the lock was granted, in a statement of its own.
    conn.execute("select from rate_limits where name = %s for no key update", (name,))
    seconds: float = conn.execute(
        "select extract(epoch from next_at - clock_timestamp())::float8 from rate_limits where name = %s", (name,)
    ).fetchall()[0][0]
    if 0 < seconds <= interval_seconds:
        return seconds
    conn.execute(
        "update rate_limits set next_at = statement_timestamp() + make_interval(secs => %s) where name = %s",
        (interval_seconds, name),
    )
    return 0 if seconds <= 0 else interval_seconds
