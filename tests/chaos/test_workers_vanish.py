"""A worker whose machine stands still: no sign of life, no broken connection, and one day it wakes up."""

import random
import signal
import time
from collections.abc import Callable

import pytest

from fairlead.store.connection import Database
from tests.chaos.market import (
    approve,
    assert_all_sold,
    assert_hooks_told,
    assert_told_once,
    one,
    open_market,
    outside,
    rows,
    submit,
    wait_until_drained,
)
from tests.chaos.outside import Hook, MailBox, moody_mail_server, moody_receiver
from tests.chaos.workers import Fleet, Process
from tests.waiting import wait_until

TAKEOVER_SECONDS = 3
SWEEP_SECONDS = 5
SLACK_SECONDS = 5

REGISTERED = "select count(*) from workers"

UNDER_WAY = """
    select id from jobs where state = 'running' and worker_id = any(%s::bigint[])
    and task in ('send_email', 'send_webhook', 'distribute_lead')
"""


@pytest.mark.slow
@pytest.mark.chaos
def test_the_work_of_one_that_vanished_is_taken_over_and_not_repeated_when_it_wakes_up(
    database: Database, database_url: str, open_fleet: Callable[..., Fleet], seed: int
) -> None:
    box, hook = MailBox(random.Random(seed)), Hook(random.Random(seed + 1), 0.3)
    with moody_mail_server(box) as smtp_port, moody_receiver(hook):
        market = open_market(database, hook=hook)
        fleet = open_fleet(
            database_url,
            heartbeat_timeout_seconds=TAKEOVER_SECONDS,
            # It may stand still in the middle of a transaction, with a niche locked.
            idle_in_transaction_timeout_ms=2_000,
            transaction_timeout_ms=4_000,
            **outside(smtp_port),
        )
        [sleeper] = fleet.start_serving(1)
        wait_until(lambda: one(database, REGISTERED) == 1, "it is registered")
        sleepers = rows(database, "select id from workers")
        [other] = fleet.start_serving(1)
        lead_ids = submit(database, market, 48)
        approve(database, lead_ids)

        jobs = _stop_at_work(database, sleeper, sleepers)
        started = time.monotonic()
        still = "select count(*) from jobs where id = any(%s::bigint[])"
        bound_seconds = TAKEOVER_SECONDS + SWEEP_SECONDS + SLACK_SECONDS
        wait_until(lambda: one(database, still, jobs) == 0, f"{len(jobs)} jobs taken over", bound_seconds)
        print(f"{len(jobs)} jobs taken over after {time.monotonic() - started:.1f} s")
        wait_until_drained(database, 60)
        decided = one(database, "select count(*) from niche_journal where kind = 'decision'")
        assert decided == len(lead_ids)

        sleeper.send(signal.SIGCONT)
        more = submit(database, market, 9)
        other.send(signal.SIGTERM)
        assert other.ended(30) == 0
        approve(database, more)
        wait_until_drained(database, 60)
        assert sleeper.is_alive()
        assert sleeper.events("lead decided")

    assert_all_sold(database, [*lead_ids, *more])
    repeated = assert_told_once(database, box)
    assert_hooks_told(database, market, hook)
    assert len(repeated) <= len(jobs)
    # Whether a crash is on record too depends on where it stood still: a lead that others decided has none to blame.
    assert len(other.events("job of a dead worker rescued")) >= len(jobs)


def _stop_at_work(database: Database, process: Process, worker_ids: list[int]) -> list[int]:
    """The process stands still in the middle of some jobs; their ids."""
    deadline = time.monotonic() + 30
    while True:
        assert time.monotonic() < deadline, "it was never seen at work"
        process.send(signal.SIGSTOP)
        if jobs := rows(database, UNDER_WAY, worker_ids):
            return jobs
        process.send(signal.SIGCONT)
        time.sleep(0.05)
