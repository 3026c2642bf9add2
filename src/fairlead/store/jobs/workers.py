"""The workers that are at work: registered when they begin, believed in as long as their heartbeats come."""

from fairlead.store.connection import Connection


def register(conn: Connection) -> int:
    """A new worker is registered and alive; returns its id."""
    return conn.execute("insert into workers default values returning id").fetchall()[0][0]


def beat(conn: Connection, worker_id: int) -> None:
    """The worker is alive. One whose registration is gone has it again; its jobs may be others' by now."""
    conn.execute(
        """
        insert into workers (id) values (%s)
        on conflict (id) do update set last_heartbeat = excluded.last_heartbeat
        """,
        (worker_id,),
    )


def unregister(conn: Connection, worker_id: int) -> None:
    """The worker is no more: jobs that it has still begun are rescued at once."""
    conn.execute("delete from workers where id = %s", (worker_id,))


def delete_silent_workers(conn: Connection, silent_seconds: float) -> int:
    """Registrations of workers without a heartbeat for so long are gone; returns how many."""
    done = conn.execute(
        "delete from workers where last_heartbeat < statement_timestamp() - make_interval(secs => %s)",
        (silent_seconds,),
    )
    return done.rowcount


def bring_heartbeats_back(conn: Connection) -> int:
    """Heartbeats that lie in the future count as given now, since the clock was set back; returns how many.

    A worker that lives gives the next one soon, by the new clock. One that is dead would otherwise be believed in until
    the clock has caught up.
    """
    return conn.execute(
        """
        update workers set last_heartbeat = statement_timestamp()
        where last_heartbeat > statement_timestamp() + interval '1 second'
        """
    ).rowcount
