"""The clock was set back by a day: what the rows say of the future is read for what it meant.

Seen from the rows it is the same whether the clock goes back or all that was written down goes forward.
"""

from datetime import timedelta
from typing import Any

import pytest

from fairlead.flows.maintenance import orphans as flow
from fairlead.flows.maintenance.orphans import requeue_orphans
from fairlead.flows.maintenance.rescue import rescue
from fairlead.store.connection import Database
from fairlead.store.jobs.queue import Job, enqueue
from fairlead.store.simulated_clock import SimulatedClock
from tests.flows.maintenance.workers import begin_jobs, jobs, maintenance_of, rows, worker

DAY_SECONDS = 86_400
UNKNOWN = "01900000-0000-7000-8000-000000000000"
DUE_IN = "select extract(epoch from scheduled_at - clock_timestamp())::float8 from jobs order by id"


def put_off(database: Database, *delays_seconds: float) -> None:
    """A job each that is to be done after so long."""
    database.run(
        lambda conn: enqueue(
            conn, [Job("send_email", {"notification_id": UNKNOWN}, delay_seconds) for delay_seconds in delays_seconds]
        )
    )


def set_clock_back(database: Database) -> None:
    """All that the queue knows was written down a day later than it is now."""
    with database.transaction() as conn:
        conn.execute(
            "update jobs set scheduled_at = scheduled_at + interval '1 day', "
            "enqueued_at = enqueued_at + interval '1 day'"
        )
        conn.execute("update workers set last_heartbeat = last_heartbeat + interval '1 day'")


def test_what_was_put_off_is_put_off_as_long_from_now(database: Database) -> None:
    put_off(database, 5, 3_600)
    set_clock_back(database)
    assert requeue_orphans(maintenance_of(database))["rescheduled"] == 2
    soon, later = rows(database, DUE_IN)
    assert 0 < soon <= 6
    assert 3_500 < later <= 3_601
    assert requeue_orphans(maintenance_of(database))["rescheduled"] == 0
    assert rows(database, DUE_IN)[1] <= later


def test_a_job_that_is_rightly_put_off_for_long_stays_reschedule(database: Database) -> None:
    put_off(database, 3_600)
    set_clock_back(database)
    put_off(database, DAY_SECONDS)
    assert requeue_orphans(maintenance_of(database))["rescheduled"] == 1
    assert DAY_SECONDS - 60 < rows(database, DUE_IN)[1] <= DAY_SECONDS


def test_it_ends_where_the_marketplaces_own_clock_is_ahead(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue keeps real time: by any other, what is put off would be of the future again, and be found for ever."""
    put_off(database, 3_600)
    set_clock_back(database)
    [now] = rows(database, "select clock_timestamp()")
    real, asked = flow.bring_forward, 0

    def asked_for(*args: Any) -> Any:
        nonlocal asked
        asked += 1
        assert asked < 10, "it goes round in a circle"
        return real(*args)

    monkeypatch.setattr(flow, "bring_forward", asked_for)
    with Database(database.url, "fairlead", simulated_clock=SimulatedClock(now + timedelta(days=2))) as ahead:
        assert requeue_orphans(maintenance_of(ahead))["rescheduled"] == 1
    [later] = rows(database, DUE_IN)
    assert 3_500 < later <= 3_601


def test_a_worker_that_died_in_what_is_the_future_now_is_missed_after_the_usual_time(database: Database) -> None:
    put_off(database, 0)
    begin_jobs(database, worker(database, silent_seconds=0))
    set_clock_back(database)
    maintenance = maintenance_of(database)
    assert rescue(maintenance) == {}  # it may be alive
    with database.transaction() as conn:
        conn.execute(
            "update workers set last_heartbeat = last_heartbeat - make_interval(secs => %s)",
            (maintenance.settings.heartbeat_timeout_seconds + 1,),
        )
    assert rescue(maintenance)["email"] == 1
    assert jobs(database) == []  # no such notification: only the job was left over
