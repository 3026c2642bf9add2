"""A provider that only the true balances bring into a decision is locked late; late locks never wait (section 4)."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fairlead.flows import distribute
from fairlead.flows.distributor import Distributor
from fairlead.store.connection import Connection, Database
from fairlead.store.distribution.writes import LockedBalances, lock_balances
from tests.race.marketplaces import (
    Provider,
    Terms,
    add_leads,
    add_providers,
    leave_only,
    open_niche,
    subscribe,
)
from tests.race.processes import count_restarts, deadlocks, wait_until_blocked
from tests.waiting import PATIENCE_SECONDS

TERMS = (Terms(1000, 2, 1),)
PRICE_CENTS = 1000
MEETING_SECONDS = 10


def people(*names: str) -> list[Provider]:
    """Providers with money enough, by id in this order."""
    return [Provider(name, 90_000, (1,)) for name in names]


def test_a_late_lock_that_is_held_elsewhere_starts_the_transaction_again(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trio = people("first", "second", "third")
    with database.transaction() as conn:
        niche = open_niche(conn, "moving", TERMS)
        ids = add_providers(conn, trio, "moving")
        subscribe(conn, niche, trio, ids)
        add_leads(conn, niche, [40])
    distributor = Distributor(database)
    distributor.distribute_waiting(niche.niche_id)
    with database.transaction() as conn:
        add_leads(conn, niche, [40])
        leave_only(conn, ids["first"], PRICE_CENTS - 1)
    # The third was never served, then comes the first, who was funded when it was last seen. Only its locked row tells
    # that the second is needed too.
    monkeypatch.setattr(distribute, "_ProviderHeld", distribute._ProviderHeld)  # put back at the end
    restarts = count_restarts()
    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as conn:
            conn.execute("select from providers where id = %s for no key update", (ids["second"],))
            run = pool.submit(distributor.distribute_waiting, niche.niche_id)
            wait_until_blocked(database_url, run)  # the second time it asks for all of them in order, and may wait
        done = run.result(PATIENCE_SECONDS)

    [decision] = done.decisions
    assert [recipient.provider_id for recipient in decision.recipients] == [ids["third"], ids["second"]]
    assert len(restarts) == 1
    assert deadlocks(database_url) == 0


def test_two_niches_that_each_hold_what_the_other_needs_late_do_not_deadlock(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    p, q, s, r = people("p", "q", "s", "r")
    with database.transaction() as conn:
        one, two = open_niche(conn, "one", TERMS), open_niche(conn, "two", TERMS)
        ids = add_providers(conn, [p, q, s, r], "both")
        subscribe(conn, one, [p, q, r], ids)
        subscribe(conn, two, [s, r], ids)
        for niche in (one, two):
            add_leads(conn, niche, [40])
    distributors = {niche.niche_id: Distributor(database) for niche in (one, two)}
    for niche_id, distributor in distributors.items():
        distributor.distribute_waiting(niche_id)
    with database.transaction() as conn:
        subscribe(conn, two, [q], ids)
        for niche in (one, two):
            add_leads(conn, niche, [40])
        for poor in ("p", "s"):
            leave_only(conn, ids[poor], PRICE_CENTS - 1)

    # Now the one asks r and p, who cannot pay, and then q; the two asks q and s, who cannot pay, and then r. Both go on
    # only once both hold what they asked for first.
    held = threading.Barrier(2, timeout=MEETING_SECONDS)
    met: set[int] = set()

    def lock_and_meet(conn: Connection, provider_ids: Sequence[str], *asked: Any, wait: bool) -> LockedBalances | None:
        balances = lock_balances(conn, provider_ids, *asked, wait=wait)
        if threading.get_ident() not in met:
            met.add(threading.get_ident())
            held.wait()
        return balances

    monkeypatch.setattr(distribute, "lock_balances", lock_and_meet)
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(d.distribute_waiting, niche_id) for niche_id, d in distributors.items()]
        done = [run.result(PATIENCE_SECONDS) for run in runs]

    assert [len(each.decisions[0].recipients) for each in done] == [2, 2]
    assert len(met) == 2
    assert deadlocks(database_url) == 0
