"""A provider that only the true balances bring into a decision is locked late; late locks never wait (section 4)."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.core.model import Purse
from fairlead.flows import distribute
from fairlead.flows.distribute import Distributor
from fairlead.store.connection import Connection, Database
from fairlead.store.distribution import lock_purses
from tests.race.marketplaces import Provider, Terms, add_leads, add_providers, open_niche, subscribe
from tests.race.processes import PATIENCE_SECONDS, Workers, deadlocks, decide_all

TERMS = (Terms(1000, 2, 1),)
# The first two are asked first, and one of them cannot pay: only then does the third come into it.
PROVIDERS = [Provider("poor", 500, (1,)), Provider("rich", 9000, (1,)), Provider("next", 9000, (1,))]


def test_a_late_lock_that_is_held_elsewhere_starts_the_transaction_again(database: Database, database_url: str) -> None:
    with database.transaction() as conn:
        niche = open_niche(conn, "moving", TERMS)
        ids = add_providers(conn, PROVIDERS, "moving")
        subscribe(conn, niche, PROVIDERS, ids)
        [lead_id] = add_leads(conn, niche, [40])

    workers = Workers()
    with database.transaction() as conn:
        conn.execute("select from providers where id = %s for no key update", (ids["next"],))
        workers.start(decide_all, database_url, [niche.niche_id], 5)
        workers.wait_until_blocked(database_url)  # the second time it asks for all of them in order, and may wait

    [report] = workers.results()
    assert report.restarts == 1
    assert report.lead_ids == (lead_id,)
    assert deadlocks(database_url) == 0


def test_two_niches_that_each_hold_what_the_other_needs_late_do_not_deadlock(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b, c, d = [Provider(name, cents, (1,)) for name, cents in (("a", 90_000), ("b", 500), ("c", 500), ("d", 90_000))]
    with database.transaction() as conn:
        first, second = open_niche(conn, "first", TERMS), open_niche(conn, "second", TERMS)
        ids = add_providers(conn, [a, b, c, d], "both")
        subscribe(conn, first, [a, b, d], ids)
        subscribe(conn, second, [a], ids)
        add_leads(conn, second, [40])
    distributors = {niche: Distributor(database) for niche in (first.niche_id, second.niche_id)}
    distributors[second.niche_id].distribute_waiting(second.niche_id)
    with database.transaction() as conn:
        subscribe(conn, second, [c, d], ids)
        add_leads(conn, first, [40])
        add_leads(conn, second, [40])

    # Now the first asks a and b, who cannot pay, and then d; the second, where a was served before, asks c, who
    # cannot pay, and d, and then a. Both go on only once both hold what they asked for first.
    held = threading.Barrier(2, timeout=PATIENCE_SECONDS)
    met: set[int] = set()

    def lock_and_meet(conn: Connection, provider_ids: Sequence[str], *, wait: bool) -> dict[str, Purse] | None:
        purses = lock_purses(conn, provider_ids, wait=wait)
        if threading.get_ident() not in met:
            met.add(threading.get_ident())
            held.wait()
        return purses

    monkeypatch.setattr(distribute, "lock_purses", lock_and_meet)
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(d.distribute_waiting, niche_id) for niche_id, d in distributors.items()]
        done = [run.result(PATIENCE_SECONDS) for run in runs]

    assert [len(each.decisions[0].recipients) for each in done] == [2, 2]
    assert len(met) == 2
    assert deadlocks(database_url) == 0
