"""The database is restarted, killed, or away for long: the same workers go on by themselves when it is back."""

import json
import random
import time
from collections.abc import Callable, Iterator

import pytest

from fairlead.store.connection import Database
from fairlead.store.embedded.cluster import Cluster
from fairlead.store.embedded.scratch import scratch_cluster
from fairlead.store.schema import migrate
from tests.chaos.market import (
    Market,
    approve,
    assert_all_sold,
    assert_hooks_told,
    assert_told_once,
    one,
    open_market,
    outside,
    submit,
    wait_until_drained,
)
from tests.chaos.outside import Hook, MailBox, moody_mail_server, moody_receiver
from tests.chaos.test_server_killed import kill_server
from tests.chaos.workers import Fleet, Process
from tests.closing_sweep import sweep
from tests.waiting import wait_until

WORKERS = 2
DRAINED_WITHIN_SECONDS = 60


@pytest.fixture
def durable() -> Iterator[Cluster]:
    """A server of its own with the settings that a marketplace runs with."""
    with scratch_cluster(extra_settings={}) as cluster:
        with Database(cluster.url, "fairlead") as database:
            migrate(database)
        yield cluster


def shut_down(cluster: Cluster) -> None:
    """As `pg_ctl stop -m fast` does it: sessions are ended, transactions rolled back."""
    assert cluster.stop()


@pytest.mark.slow
@pytest.mark.chaos
def test_workers_outlive_an_outage(durable: Cluster, open_fleet: Callable[..., Fleet], seed: int) -> None:
    _break_under_load(durable, open_fleet, seed, shut_down, leads=45, outages=1, outage_seconds=15)


@pytest.mark.slow
@pytest.mark.chaos
def test_workers_outlive_a_killed_server(durable: Cluster, open_fleet: Callable[..., Fleet], seed: int) -> None:
    _break_under_load(durable, open_fleet, seed, kill_server, leads=45, outages=1, outage_seconds=0)


@pytest.mark.chaos_long
@pytest.mark.parametrize("strike", [shut_down, kill_server])
@pytest.mark.parametrize(("outages", "outage_seconds"), [(6, 0), (1, 120)])
def test_workers_outlive_long_and_frequent_outages(
    strike: Callable[[Cluster], None],
    outages: int,
    outage_seconds: float,
    durable: Cluster,
    open_fleet: Callable[..., Fleet],
    seed: int,
) -> None:
    _break_under_load(durable, open_fleet, seed, strike, leads=240, outages=outages, outage_seconds=outage_seconds)


def _break_under_load(
    cluster: Cluster,
    open_fleet: Callable[..., Fleet],
    seed: int,
    strike: Callable[[Cluster], None],
    leads: int,
    outages: int,
    outage_seconds: float,
) -> None:
    box, hook = MailBox(random.Random(seed), 0.1), Hook(random.Random(seed + 1), 0.2)
    url = cluster.url
    with Database(url, "fairlead") as database, moody_mail_server(box) as smtp_port, moody_receiver(hook):
        market = open_market(database, hook=hook)
        lead_ids = submit(database, market, leads)
        fleet = open_fleet(url, **outside(smtp_port))
        workers = fleet.start_serving(WORKERS)
        share = leads // (outages + 1)
        for number in range(outages):
            approve(database, lead_ids[number * share : (number + 1) * share])
            _wait_until_busy(database)
            strike(cluster)
            _assert_waiting(workers, outage_seconds)
            assert cluster.start() == url
        back = time.monotonic()
        approve(database, lead_ids[outages * share :])
        wait_until_drained(database, DRAINED_WITHIN_SECONDS)
        print(f"drained {time.monotonic() - back:.1f} s after the server was back")
        _assert_well(database, market, box, hook, lead_ids)
        assert all(process.is_alive() for process in workers)
        assert len(fleet.processes) == WORKERS, "the same processes went on"
        for process in workers:
            wait_until(lambda process=process: process.answer("/readyz")[0] == 200, f"{process.name} is ready again")
        assert all(process.events("lead decided") for process in workers)


def _wait_until_busy(database: Database) -> None:
    """Jobs are under way and more wait."""
    done = "select count(*) from notifications where state = 'sent'"
    before = one(database, done)
    wait_until(lambda: one(database, done) > before, "notifications are sent")
    under_way = one(database, "select count(*) from jobs")
    assert under_way > 10, "it came too late to disturb a worker"


def _assert_waiting(workers: list[Process], outage_seconds: float) -> None:
    """All through the outage the workers live, say so, and say that they are not ready."""
    back_at = time.monotonic() + outage_seconds
    if not outage_seconds:
        return
    for process in workers:
        wait_until(lambda process=process: process.events("the database is away"), f"{process.name} says so")
    while time.monotonic() < back_at:
        for process in workers:
            assert process.is_alive()
            assert process.answer("/livez") == (200, '{"alive":true}')
            status, body = process.answer("/readyz")
            assert (status, json.loads(body)["ready"]) == (503, False)
        time.sleep(1)


def _assert_well(database: Database, market: Market, box: MailBox, hook: Hook, lead_ids: list[str]) -> None:
    assert_all_sold(database, lead_ids)
    repeated = assert_told_once(database, box)
    print(f"repeated {len(repeated)}, crashed attempts", one(database, CRASHED))
    assert_hooks_told(database, market, hook)
    sweep(database)


CRASHED = "select count(*) from job_attempts where outcome = 'crashed'"
