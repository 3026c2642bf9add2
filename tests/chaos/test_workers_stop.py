"""Workers that are told to stop, and `serve`, which starts and stops them."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

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
    submit,
    wait_until_drained,
)
from tests.chaos.outside import Hook, MailBox, moody_mail_server, moody_receiver
from tests.chaos.workers import SERVING, Fleet, Process
from tests.waiting import wait_until

pytestmark = [pytest.mark.chaos, pytest.mark.slow]

DRAIN_SECONDS = 10
ENDING_SECONDS = 3


def test_a_worker_told_to_stop_under_load_finishes_and_nothing_is_sent_twice(
    database: Database, database_url: str, open_fleet: Callable[..., Fleet], seed: int
) -> None:
    box, hook = MailBox(random.Random(seed)), Hook(random.Random(seed + 1))
    with moody_mail_server(box) as smtp_port, moody_receiver(hook):
        market = open_market(database, hook=hook)
        lead_ids = submit(database, market, 40)
        # Silent for a while is not dead: no worker's work is to be taken over in this test.
        fleet = open_fleet(
            database_url, shutdown_timeout_seconds=DRAIN_SECONDS, heartbeat_timeout_seconds=30, **outside(smtp_port)
        )
        first, second = fleet.start_serving(2)
        approve(database, lead_ids)
        wait_until(
            lambda: one(database, "select count(*) from notifications where state = 'sent'") > 5, "some are sent"
        )
        waiting = one(database, "select count(*) from notifications where state = 'queued'")
        _stop(first)
        assert waiting > 20, "it was stopped too late to disturb a worker"
        _stop(second)
        third = fleet.start_serving(1)[0]
        wait_until_drained(database, 60)
        _stop(third)
    assert_all_sold(database, lead_ids)
    assert_hooks_told(database, market, hook)
    assert not assert_told_once(database, box)
    assert len({each.webhook_id for each in hook.webhooks}) == len(hook.webhooks)
    assert one(database, "select count(*) from job_attempts") == 0
    assert one(database, "select count(*) from workers") == 0


def _stop(process: Process) -> None:
    started = time.monotonic()
    process.send(signal.SIGTERM)
    assert process.ended(DRAIN_SECONDS + ENDING_SECONDS) == 0
    print(f"{process.name} took {time.monotonic() - started:.1f} s to stop")
    assert process.events("worker stopped")
    assert not process.events("jobs did not end in time: other workers take them over")


def test_serve_restarts_what_dies_and_stops_everything(
    database: Database, database_url: str, open_fleet: Callable[..., Fleet]
) -> None:
    market = open_market(database)
    lead_ids = submit(database, market, 12)
    fleet = open_fleet(database_url)
    with serving(fleet, workers=2) as (process, children):
        os.kill(_worker_among(children), signal.SIGKILL)
        wait_until(lambda: len(process.events(SERVING)) == 3, "another one serves in its place")
        [restart] = process.events("a process ended and is started again")
        assert restart["kind"] == "worker"
        children.extend(set(_children(process.pid)) - set(children))
        approve(database, lead_ids)
        wait_until_drained(database, 60)
        process.send(signal.SIGTERM)
        assert process.ended(40) == 0
        assert [pid for pid in children if _is_running(pid)] == []
    assert_all_sold(database, lead_ids)


def test_nothing_outlives_a_serve_that_was_killed(
    database: Database, database_url: str, open_fleet: Callable[..., Fleet]
) -> None:
    with serving(open_fleet(database_url), workers=1) as (process, children):
        assert len(children) == 2
        process.kill()
        wait_until(lambda: not any(map(_is_running, children)), "its children end by themselves", 20)
        assert len(process.events("stopping: the process that started this one is gone")) == 2
        assert process.events("worker stopped")
        assert process.events("web stopped")
    assert one(database, "select count(*) from workers") == 0


@contextmanager
def serving(fleet: Fleet, workers: int) -> Iterator[tuple[Process, list[int]]]:
    """`fairlead serve` with all its processes, and their ids; none of them is left afterwards."""
    process = fleet.start(("serve", "--workers", str(workers)))
    children: list[int] = []
    try:
        wait_until(lambda: len(process.events(SERVING)) == workers and process.events("web started"), "all serve")
        children.extend(_children(process.pid))
        assert len(children) == workers + 1
        yield process, children
    finally:
        process.kill()
        for pid in children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _processes() -> dict[int, tuple[int, str, str]]:
    """Every process of this machine: its parent, its state, its command."""
    listing = subprocess.run(["ps", "-axo", "pid=,ppid=,stat=,args="], check=True, capture_output=True, text=True)
    words = [line.split(None, 3) for line in listing.stdout.splitlines()]
    return {int(pid): (int(parent), state, command) for pid, parent, state, command in words}


def _children(pid: int) -> list[int]:
    return [child for child, (parent, state, _) in _processes().items() if parent == pid and state[0] != "Z"]


def _worker_among(pids: list[int]) -> int:
    found = _processes()
    return next(pid for pid in pids if " worker " in found[pid][2])


def _is_running(pid: int) -> bool:
    found = _processes().get(pid)
    return found is not None and found[1][0] != "Z"
