"""Niches that share providers with little money, while others deposit, pause, reprice and suspend."""

from collections import Counter

import pytest

from fairlead.flows.declaring.apply_marketplace import apply_marketplace, parse_declaration
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.race.marketplaces import Provider, Terms, add_leads, add_providers, age_between, open_niche, subscribe
from tests.race.processes import Workers, deadlocks, decide_all, sampled_waits
from tests.race.writers import deposit_now_and_then, edit_now_and_then
from tests.waiting import PATIENCE_SECONDS

TERMS = (Terms(5000, 1, 1), Terms(2000, 2, 2), Terms(1000, 3, 5))
SLUGS = ("moving", "painting", "roofing")
DISTRIBUTING = 6
FIRST_WRITES = 6


@pytest.mark.parametrize("seed", [1])
def test_serial_order_while_others_write(seed: int, database: Database, database_url: str) -> None:
    _race(database, database_url, seed, leads_per_niche=60)


@pytest.mark.chaos_long
@pytest.mark.parametrize("seed", range(100, 112))
def test_serial_order_while_others_write_for_long(seed: int, database: Database, database_url: str) -> None:
    _race(database, database_url, seed, leads_per_niche=600)


def _race(database: Database, database_url: str, seed: int, leads_per_niche: int) -> None:
    people = [
        Provider(f"p{n:02}", 20_000, (1, 2, 5), age_between(45, 99) if n % 3 == 0 else age_between(0, 99))
        for n in range(9)
    ]
    with database.transaction() as conn:
        ids = add_providers(conn, people, "all")
        niches = [open_niche(conn, slug, TERMS) for slug in SLUGS]
        for niche in niches:
            subscribe(conn, niche, people, ids)
        ages = [20 + n % 60 for n in range(leads_per_niche)]
        lead_ids = [lead_id for niche in niches for lead_id in add_leads(conn, niche, ages)]
    apply_marketplace(database, parse_declaration('[marketplace]\ncurrency = "EUR"\n'), OPERATOR)

    workers, writers = Workers(), Workers()
    stop, ready = workers.context.Event(), workers.context.Semaphore(0)
    emails = [f"{provider.name}@all.test" for provider in people]
    niche_ids = [niche.niche_id for niche in niches]
    with sampled_waits(database_url) as waits:
        for number in range(2):
            writers.start(deposit_now_and_then, database_url, list(ids.values()), 9_000, seed + number, ready, stop)
        writers.start(edit_now_and_then, database_url, SLUGS, emails, seed, ready, stop)
        for _ in range(FIRST_WRITES):
            assert ready.acquire(timeout=PATIENCE_SECONDS), "no writer writes"
        for number in range(DISTRIBUTING):
            turn = number % 3  # each begins at another niche
            workers.start(decide_all, database_url, niche_ids[turn:] + niche_ids[:turn], 4)
        try:
            reports = workers.results()
        finally:
            stop.set()
        written = [report.writes for report in writers.results()]

    assert Counter(lead_id for report in reports for lead_id in report.lead_ids) == Counter(lead_ids)
    assert sum(written) > FIRST_WRITES, "no writer wrote while leads were distributed"
    assert waits, "no session ever waited for another"
    assert max(size for report in reports for size in report.batches) > 1, "leads never combined"
    assert sum(bool(report.batches) for report in reports) > 1, "one worker did everything"
    assert deadlocks(database_url) == 0
    with database.transaction() as conn:
        moves = conn.execute(
            """
            select count(*) filter (where kind = 'subscription_deactivated'),
                   count(*) filter (where kind = 'subscription_reactivated')
            from notifications
            """
        ).fetchone()
    assert moves is not None
    assert min(moves) > 0, f"deactivated and reactivated: {moves}"
    restarts = sum(report.restarts for report in reports)
    print(f"seed {seed}: {len(waits)} samples with waiting, {restarts} restarts, {written} writes, {moves} moves")
