"""What a scrape and a readiness check read: a handful of queries that stay cheap as the marketplace grows.

They have a connection of their own with short bounds, not one of the pool's: a pool that is used up, or that waits for
a server that went away, must not take the view of it away too.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, LiteralString

from fairlead.store.connection import Connection, Database
from fairlead.store.jobs.queue import QUEUE_OF
from fairlead.store.simulated_clock import simulated_now
from fairlead.store.typed_rows import all_rows, one_row
from fairlead.telemetry.gauges import (
    Gauges,
    NicheGauges,
    PaymentGauges,
    QueuedNotifications,
    QueueGauges,
    ReconciliationGauges,
    ReportGauges,
)

STATEMENT_TIMEOUT_MS = 2_000
CONNECT_TIMEOUT_SECONDS = 2
WORKER_ALIVE_SECONDS = 30
"""A heartbeat comes every 10 s; after this long without one a worker counts as gone."""

COUNT_LIMIT = 100_000
"""Counting stops here: beyond it, how many there are says no more than for how long the oldest has waited."""
LOOK_BACK_ENTRIES = 1_000

_CHANNELS = ("email", "webhook")
_ENDPOINT_STATES = ("active", "paused", "disabled")


@contextmanager
def watching(database: Database) -> Generator[Connection]:
    """A read-only connection for looking, closed afterwards; it connects, and answers, within seconds or not at all.

    Raises `Unavailable` when there is none to be had, `Refused` where a pooler hides the server. A server that is
    frozen, not gone, keeps its client waiting all the same: bound the whole from outside (`telemetry.deadline`).
    """
    conn = database.connect_directly(
        f"-c statement_timeout={STATEMENT_TIMEOUT_MS}",
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        tcp_user_timeout=STATEMENT_TIMEOUT_MS,
        application_name="fairlead-watch",
    )
    with conn:
        # Not when the connection is opened: an address that asks for a server that takes writes would find none.
        conn.execute("set default_transaction_read_only = on")
        yield conn


def read_gauges(conn: Connection) -> Gauges:
    """Everything that a scrape shows, of one moment. Eleven statements, no locks; `conn` must not be in a transaction.

    The cost grows with what waits (jobs to do, leads without a decision, open dead letters, unsent notifications, open
    reports, payments in doubt, auto top-ups that went off; up to `COUNT_LIMIT` each), with the number of niches and of
    webhook endpoints, and with the failures of the last 15 minutes. No finished job, sold lead or sent notification is
    read, and of the journal `LOOK_BACK_ENTRIES` a niche at most: what was done costs nothing.
    """
    with conn.transaction():
        conn.execute("set transaction isolation level repeatable read, read only")
        endpoints, failing = _endpoints(conn)
        return Gauges(
            queues=_queues(conn),
            niches=_niches(conn),
            notifications=_notifications(conn),
            endpoints_by_state=endpoints,
            failing_endpoints=failing,
            workers_alive=_workers_alive(conn),
            newest_heartbeat_seconds=newest_heartbeat_seconds(conn),
            reconciliation=_reconciliation(conn),
            recent_attempts=_recent_attempts(conn),
            reports=_reports(conn),
            payments=_payments(conn),
        )


def _reports(conn: Connection) -> ReportGauges:
    found = one_row(
        conn,
        ReportGauges,
        """
        select count(*) as open_count,
               count(*) filter (where age > make_interval(days => (
                   select (report_rules ->> 'decision_days')::integer from marketplace))) as overdue_count,
               coalesce(extract(epoch from greatest(max(age), interval '0'))::float8, 0) as oldest_seconds
        from (select coalesce(%s::timestamptz, now()) - bad_lead_reported_at as age from assignments
              where bad_lead_reported_at is not null and bad_lead_decision is null
              order by bad_lead_reported_at, id limit %s) open
        """,
        (simulated_now(conn), COUNT_LIMIT),
    )
    assert found is not None, "an aggregate without groups is one row"
    return found


def _payments(conn: Connection) -> PaymentGauges:
    found = one_row(
        conn,
        PaymentGauges,
        """
        select count(*) as doubt_count,
               coalesce(extract(epoch from greatest(max(age), interval '0'))::float8, 0) as oldest_doubt_seconds,
               (select count(*) from (select from auto_top_ups where off_reason is not null limit %(most)s) off)
                   as switched_off_count
        from (select coalesce(%(now)s::timestamptz, now()) - noticed_at as age from payment_doubts
              where resolved_at is null order by noticed_at, id limit %(most)s) open
        """,
        {"now": simulated_now(conn), "most": COUNT_LIMIT},
    )
    assert found is not None, "an aggregate without groups is one row"
    return found


def newest_heartbeat_seconds(conn: Connection) -> float | None:
    """Age of the newest heartbeat of any worker; None when no worker is registered. One step into an index."""
    rows = conn.execute(
        "select extract(epoch from clock_timestamp() - max(last_heartbeat))::float8 from workers"
    ).fetchall()
    return rows[0][0]


def _workers_alive(conn: Connection) -> int:
    rows = conn.execute(
        """
        select count(*) from workers
        where last_heartbeat > clock_timestamp() - make_interval(secs => %s)
        """,
        (WORKER_ALIVE_SECONDS,),
    ).fetchall()
    return rows[0][0]


def _queues(conn: Connection) -> tuple[QueueGauges, ...]:
    """Every queue that is known or has anything in it."""
    jobs = _by_first_column(
        conn,
        """
        select queue, ready, scheduled, running,
               coalesce(extract(epoch from greatest(now() - least(due, oldest), interval '0'))::float8, 0)
        from (select queue,
                     count(*) filter (where state = 'waiting' and coalesce(scheduled_at <= now(), true)) as ready,
                     count(*) filter (where state = 'waiting' and scheduled_at > now()) as scheduled,
                     count(*) filter (where state = 'running') as running,
                     min(enqueued_at) filter (where state = 'waiting' and scheduled_at is null) as oldest,
                     min(scheduled_at) filter (where state = 'waiting' and scheduled_at <= now()) as due
              from (select id, queue, state, enqueued_at, scheduled_at from jobs order by id limit %s) live
              group by queue) counted
        """,
        COUNT_LIMIT,
    )
    dead = _by_first_column(
        conn,
        """
        select queue, count(*), extract(epoch from coalesce(%s::timestamptz, now()) - min(failed_at))::float8
        from (select queue, failed_at from dead_letters where resolved_at is null order by failed_at, id limit %s) open
        group by queue
        """,
        simulated_now(conn),
        COUNT_LIMIT,
    )
    names = sorted({*QUEUE_OF.values(), *jobs, *dead})
    return tuple(QueueGauges(name, *jobs.get(name, (0, 0, 0, 0.0)), *dead.get(name, (0, 0.0))) for name in names)


def _niches(conn: Connection) -> tuple[NicheGauges, ...]:
    """Every active niche. The last decision that assigned any provider is that of the last assignment: no payload
    is read.

    A niche that is distributed by hand has leads that wait, and no age of the oldest: there that is meant.
    """
    niches = all_rows(
        conn,
        NicheGauges,
        """
        select n.slug as niche, waiting.count as waiting_leads,
               coalesce(extract(epoch from coalesce(%s::timestamptz, now())
                                           - case when n.auto_distribute then waiting.oldest end), 0)::float8
                   as oldest_waiting_seconds,
               (select count(*) filter (where kind = 'decision')
                from (select kind from niche_journal j
                      where j.niche_id = n.id and j.seq > coalesce(
                          (select a.journal_seq from assignments a
                           where a.niche_id = n.id and a.served_seq = n.last_served_seq), 0)
                      order by j.seq desc limit %s) newest) as zero_assignment_streak,
               n.journal_seq
        from niches n
        cross join lateral (
            select count(*) as count, min(approved_at) as oldest
            from (select approved_at from leads
                  where niche_id = n.id and awaits_decision order by approved_at, id limit %s) first) waiting
        where n.is_active order by n.slug
        """,
        (simulated_now(conn), LOOK_BACK_ENTRIES, COUNT_LIMIT),
    )
    return tuple(niches)


def _notifications(conn: Connection) -> tuple[QueuedNotifications, ...]:
    """Both channels. Those already sent are in neither of the two indices that this reads."""
    found = _by_first_column(
        conn,
        """
        select channel, count(*) filter (where enqueued_at is null), count(enqueued_at),
               coalesce(extract(epoch from coalesce(%s::timestamptz, now()) - min(enqueued_at)), 0)::float8
        from ((select channel, enqueued_at from notifications
               where state = 'queued' and enqueued_at is null order by id limit %s)
              union all
              (select channel, enqueued_at from notifications
               where state = 'queued' and enqueued_at is not null order by enqueued_at limit %s)) queued
        group by channel
        """,
        simulated_now(conn),
        COUNT_LIMIT,
        COUNT_LIMIT,
    )
    return tuple(QueuedNotifications(channel, *found.get(channel, (0, 0, 0.0))) for channel in _CHANNELS)


def _endpoints(conn: Connection) -> tuple[dict[str, int], int]:
    """How many endpoints are in each state, and how many active ones are failing. One row per endpoint is read."""
    found = _by_first_column(
        conn,
        """
        select state, count(*), count(*) filter (where failure_count > 0)
        from webhook_endpoints where deleted_at is null group by state
        """,
    )
    return {state: found.get(state, (0, 0))[0] for state in _ENDPOINT_STATES}, found.get("active", (0, 0))[1]


def _reconciliation(conn: Connection) -> ReconciliationGauges | None:
    return one_row(
        conn,
        ReconciliationGauges,
        """
        select difference_count, checked_count,
               extract(epoch from coalesce(%s::timestamptz, now()) - ended_at)::float8 as age_seconds
        from reconciliations order by ended_at desc limit 1
        """,
        (simulated_now(conn),),
    )


def _recent_attempts(conn: Connection) -> dict[tuple[str, str], int]:
    rows = conn.execute(
        """
        select task, outcome, count(*) from job_attempts
        where ended_at > coalesce(%s::timestamptz, now()) - interval '15 minutes'
        group by task, outcome order by task, outcome
        """,
        (simulated_now(conn),),
    ).fetchall()
    return {(task, outcome): count for task, outcome, count in rows}


def _by_first_column(conn: Connection, query: LiteralString, *values: object) -> dict[str, tuple[Any, ...]]:
    return {row[0]: row[1:] for row in conn.execute(query, values).fetchall()}
