"""Connections of workers break at their commits, before the server hears of them or after: everything happens once."""

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
from tests.chaos.workers import Fleet, wait_for

COMMIT = "query: COMMIT"


class CommitCutter:
    """Says at which commits connections break: at some, by dice, until `most` were struck."""

    def __init__(self, dice: random.Random, share: float, most: int) -> None:
        self._dice, self._share, self._most = dice, share, most
        self._lock = threading.Lock()
        self.struck: Counter[str] = Counter()

    def __call__(self, point: str) -> Strike | None:
        """How the session is struck at this point, if it is."""
        with self._lock:
            if point != COMMIT or self.struck.total() >= self._most or self._dice.random() >= self._share:
                return None
            strike = self._dice.choice([cut_before, swallow_answer])
            self.struck[strike.__name__] += 1
            return strike


@pytest.mark.chaos
def test_commits_cut_under_load_happen_once(
    database: Database, database_url: str, proxy: Proxy, open_fleet: Callable[..., Fleet], seed: int
) -> None:
    _cut_under_load(database, database_url, proxy, open_fleet, seed, leads=45, cuts=30)


@pytest.mark.chaos_long
def test_many_commits_cut_under_load_happen_once(
    database: Database, database_url: str, proxy: Proxy, open_fleet: Callable[..., Fleet], seed: int
) -> None:
    _cut_under_load(database, database_url, proxy, open_fleet, seed, leads=400, cuts=400)


def _cut_under_load(
    database: Database,
    database_url: str,
    proxy: Proxy,
    open_fleet: Callable[..., Fleet],
    seed: int,
    leads: int,
    cuts: int,
) -> None:
    box, hook = MailBox(random.Random(seed)), Hook(random.Random(seed + 1))
    with moody_mail_server(box) as smtp_port, moody_receiver(hook):
        market = open_market(database, hook=hook)
        lead_ids = submit(database, market, leads)
        fleet = open_fleet(proxy.url(database_url), takeover_seconds=20, **outside(smtp_port))
        workers = fleet.start_serving(2)
        cutter = CommitCutter(random.Random(seed + 2), 0.1, cuts)
        proxy.strike_where(cutter)
        approve(database, lead_ids, pause_seconds=0.05)
        wait_for(lambda: cutter.struck.total() >= cuts, f"{cuts} commits are struck", 120)
        proxy.strike_where(None)
        wait_until_drained(database, 60)
        assert all(process.is_alive() for process in workers)
        # Before the relay ends, which would make an outage of it.
        for process in workers:
            process.kill()
    print(f"struck: {dict(cutter.struck)}")
    assert_all_sold(database, lead_ids)
    assert_told_once(database, box)
    assert_hooks_told(database, market, hook)
    assert min(cutter.struck.values()) > 3
