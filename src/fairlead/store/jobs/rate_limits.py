"""Limits that hold across every process of a marketplace."""

from fairlead.store.connection import Connection


def take_turn(conn: Connection, name: str, per_second: float) -> float:
    """One more of these may start after so many seconds, 0 if it may at once; that turn is taken.

    Turns are `1 / per_second` apart by the database's clock, whichever process takes them, and those that nobody took
    do not add up. Locks the limit's row until the transaction ends, so it should end now. A turn more than an hour
    ahead was taken before the clock was set back, and is forgotten.
    """
    return conn.execute(
        """
        insert into rate_limits as r (name, next_at)
        values (%(name)s, clock_timestamp() + make_interval(secs => 1 / %(rate)s::float8))
        on conflict (name) do update
        set next_at = case when r.next_at > clock_timestamp() + interval '1 hour' then clock_timestamp()
                           else greatest(r.next_at, clock_timestamp()) end
                      + make_interval(secs => 1 / %(rate)s::float8)
        returning greatest(0, extract(epoch from
            next_at - make_interval(secs => 1 / %(rate)s::float8) - clock_timestamp()))::float8
        """,
        {"name": name, "rate": per_second},
    ).fetchall()[0][0]
