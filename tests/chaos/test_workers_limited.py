"""So many leads per second are so many, however many processes work."""

import signal
from collections.abc import Callable

import pytest

from fairlead.store.connection import Database
from tests.chaos.market import approve, assert_all_sold, open_market, rows, submit, wait_until_drained
from tests.chaos.workers import Fleet
from tests.waiting import wait_until

PER_SECOND = 20
LEADS = 80
TOLERANCE_SECONDS = 0.5


@pytest.mark.slow
@pytest.mark.chaos
def test_a_limit_holds_over_all_processes_and_each_lead_is_decided_alone(
    database: Database, database_url: str, open_fleet: Callable[..., Fleet]
) -> None:
    market = open_market(database)
    lead_ids = submit(database, market, LEADS)
    fleet = open_fleet(database_url, max_leads_per_second=PER_SECOND)
    fleet.start_serving(3)
    approve(database, lead_ids)
    wait_until_drained(database, 60)
    assert_all_sold(database, lead_ids)

    times = rows(database, "select recorded_at from niche_journal where kind = 'decision' order by recorded_at")
    assert len(set(times)) == LEADS, "leads were decided together"
    # Turns are so far apart, and no worker decides before its turn.
    for number, moment in enumerate(times):
        due_seconds = number / PER_SECOND - TOLERANCE_SECONDS
        assert (moment - times[0]).total_seconds() >= due_seconds, f"lead {number} came too early"
    in_a_second = max(sum(0 <= (each - first).total_seconds() < 1 for each in times) for first in times)
    assert in_a_second <= PER_SECOND * (1 + TOLERANCE_SECONDS)
    assert all(process.events("lead decided") for process in fleet.processes)


@pytest.mark.slow
@pytest.mark.chaos
def test_a_rate_of_one_in_hours_holds_for_workers_that_wait_and_for_those_that_are_told_to_stop(
    database: Database, database_url: str, open_fleet: Callable[..., Fleet]
) -> None:
    market = open_market(database)
    lead_ids = submit(database, market, 9)
    fleet = open_fleet(database_url, max_leads_per_second=0.0001)
    waiting = fleet.start_serving(2)
    approve(database, lead_ids)
    busy = "select count(*) from jobs where task = 'distribute_lead' and state = 'running'"
    wait_until(lambda: rows(database, busy) == [6], "every place waits for a turn but one")
    for process in waiting:
        process.send(signal.SIGTERM)
    assert [process.ended(60) for process in waiting] == [0, 0]
    assert rows(database, "select count(*) from niche_journal where kind = 'decision'") == [1]
    assert rows(database, "select count(*) from leads where awaits_decision") == [8]
    assert rows(database, "select count(*) from jobs where task = 'distribute_lead'") == [8]
