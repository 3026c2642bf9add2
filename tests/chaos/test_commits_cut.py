"""Connections of workers break where something becomes final, before the server hears of it or after: all happens once.

That is at their commits, those that take jobs and record how they ended among them.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable

import pytest

from fairlead.store.connection import Database
from tests.chaos.market import (
    approve,
    assert_all_sold,
    assert_hooks_told,
    assert_told_once,
    open_market,
    outside,
    submit,
    wait_until_drained,
)
from tests.chaos.outside import Hook, MailBox, moody_mail_server, moody_receiver
from tests.chaos.proxy import Proxy, Strike, cut_before, swallow_answer
from tests.chaos.workers import Fleet
from tests.waiting import wait_until

ENDS = ("query: COMMIT",)
STRIKES = (cut_before, swallow_answer)


class Cutter:
    """Says where connections break: by dice at points that begin like one of `ENDS`, in turn both ways."""

    def __init__(self, dice: random.Random, share: float, times: int) -> None:
        self._dice, self._share, self._times = dice, share, times
        self._lock = threading.Lock()
        self.struck: Counter[str] = Counter()

    def __call__(self, point: str) -> Strike | None:
        """How the session is struck at this point, if it is."""
        with self._lock:
            end = next((end for end in ENDS if point.startswith(end)), None)
            if end is None or self.struck[end] >= self._times or self._dice.random() >= self._share:
                return None
            self.struck[end] += 1
            return STRIKES[self.struck[end] % 2]

    def is_done(self) -> bool:
        """Whether everything was struck so often as it should be."""
        return all(self.struck[end] >= self._times for end in ENDS)


@pytest.mark.slow
@pytest.mark.chaos
def test_commits_cut_under_load_happen_once(
    database: Database, database_url: str, proxy: Proxy, open_fleet: Callable[..., Fleet], seed: int
) -> None:
    _cut_under_load(database, database_url, proxy, open_fleet, seed, leads=45, cuts_each=12)


@pytest.mark.chaos_long
def test_many_commits_cut_under_load_happen_once(
    database: Database, database_url: str, proxy: Proxy, open_fleet: Callable[..., Fleet], seed: int
) -> None:
    _cut_under_load(database, database_url, proxy, open_fleet, seed, leads=400, cuts_each=150)


def _cut_under_load(
    database: Database,
    database_url: str,
    proxy: Proxy,
    open_fleet: Callable[..., Fleet],
    seed: int,
    leads: int,
    cuts_each: int,
) -> None:
    box, hook = MailBox(random.Random(seed)), Hook(random.Random(seed + 1))
    with moody_mail_server(box) as smtp_port, moody_receiver(hook):
        market = open_market(database, hook=hook)
        lead_ids = submit(database, market, leads)
        fleet = open_fleet(proxy.url(database_url), heartbeat_timeout_seconds=20, **outside(smtp_port))
        workers = fleet.start_serving(2)
        cutter = Cutter(random.Random(seed + 2), 0.1, cuts_each)
        proxy.strike_where(cutter)
        approve(database, lead_ids, pause_seconds=0.05)
        wait_until(cutter.is_done, "all strikes", 120)
        proxy.strike_where(None)
        wait_until_drained(database, 60)
        assert all(process.is_alive() for process in workers)
        # Before the relay ends, which would make an outage of it.
        for process in workers:
            process.kill()
    assert_all_sold(database, lead_ids)
    assert_told_once(database, box)
    assert_hooks_told(database, market, hook)
