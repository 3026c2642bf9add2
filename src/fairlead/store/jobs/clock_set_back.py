"""What was written down while the clock was ahead, and means something else since it was set back."""

from fairlead.store.connection import Connection


def bring_jobs_forward(conn: Connection, limit: int) -> int:
    """Jobs that were put off while the clock was ahead, at most so many, are put off for as long from now on.

    The library keeps when a job was enqueued: that lies in the future only if the clock was set back, and then a retry
    after five seconds would come a day late. Up to a second of that is what clocks do while they are kept right. Jobs
    that others hold are left alone. Returns how many there were.
    """
    rows = conn.execute(
        """
        with put_off as (
            select j.id, j.scheduled_at - enqueued.at as delay, enqueued.event_id
            from procrastinate_jobs j
            cross join lateral (
                select id as event_id, at from procrastinate_events
                where job_id = j.id and type in ('deferred', 'deferred_for_retry') order by id desc limit 1) enqueued
            where j.status = 'todo' and j.scheduled_at > clock_timestamp()
              and enqueued.at > clock_timestamp() + interval '1 second'
            order by j.id limit %s for update of j skip locked),
        told_anew as (
            update procrastinate_events e set at = clock_timestamp() from put_off where e.id = put_off.event_id)
        update procrastinate_jobs j set scheduled_at = clock_timestamp() + put_off.delay
        from put_off where j.id = put_off.id returning j.id
        """,
        (limit,),
    ).fetchall()
    return len(rows)


def doubt_heartbeats(conn: Connection) -> int:
    """Signs of life that lie in the future count as given now, since the clock was set back; returns how many.

    A worker that lives gives the next one soon, by the new clock. One that is dead would otherwise be believed in until
    the clock has caught up.
    """
    return conn.execute(
        """
        update procrastinate_workers set last_heartbeat = clock_timestamp()
        where last_heartbeat > clock_timestamp() + interval '1 second'
        """
    ).rowcount
