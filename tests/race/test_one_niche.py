"""Different leads of one niche, decided by eight processes at once, come out as some serial order has it."""

from collections import Counter
from collections.abc import Sequence

from fairlead.store.connection import Database
from fairlead.store.journal import lock_niches
from tests.race.marketplaces import (
    Niche,
    Provider,
    Terms,
    add_leads,
    add_providers,
    age_between,
    open_niche,
    subscribe,
)
from tests.race.processes import Report, Workers, deadlocks, decide_all, decide_one

POSITIONS = (2, 5, 9)
TERMS = (Terms(5000, 1, 2), Terms(2000, 2, 5), Terms(1000, 3, 9))
AT_ONCE = 8


def moving(database: Database, ages: Sequence[int], deposit_cents: int) -> tuple[Niche, list[str]]:
    """A niche with gaps in its positions, twelve providers (every fourth wants older people only), and leads."""
    providers = [
        Provider(f"p{n:02}", deposit_cents, POSITIONS, age_between(60, 99) if n % 4 == 0 else age_between(0, 99))
        for n in range(12)
    ]
    with database.transaction() as conn:
        niche = open_niche(conn, "moving", TERMS)
        subscribe(conn, niche, providers, add_providers(conn, providers, "moving"))
        return niche, add_leads(conn, niche, ages)


def decided_once_each(database: Database, lead_ids: Sequence[str], reports: Sequence[Report]) -> None:
    """Every lead was reported decided by exactly one worker, and the journal holds one decision of each."""
    told = Counter(lead_id for report in reports for lead_id in report.lead_ids)
    assert told == Counter(lead_ids)
    with database.transaction() as conn:
        rows = conn.execute("select payload ->> 'lead_id' from niche_journal where kind = 'decision'").fetchall()
    assert Counter(lead_id for (lead_id,) in rows) == Counter(lead_ids)


def starts(database: Database) -> list[int]:
    """The positions that the decisions started at, in the journal's order."""
    with database.transaction() as conn:
        rows = conn.execute(
            """
            select (payload ->> 'start_order_position')::integer from niche_journal
            where kind = 'decision' order by seq
            """
        ).fetchall()
    return [position for (position,) in rows]


def test_eight_leads_of_a_niche_by_eight_processes_at_once(database: Database, database_url: str) -> None:
    niche, lead_ids = moving(database, [40 + n for n in range(AT_ONCE)], deposit_cents=100_000)
    workers = Workers()
    with database.transaction() as conn:
        lock_niches(conn, [niche.niche_id])
        for lead_id in lead_ids:
            workers.start(decide_one, database_url, niche.niche_id, lead_id)
        workers.wait_until_blocked(database_url)

    decided_once_each(database, lead_ids, workers.results())
    # Whichever order they came in, the starts are R2's: 2, 5, 9 and again.
    assert starts(database) == [POSITIONS[n % 3] for n in range(AT_ONCE)]
    assert deadlocks(database_url) == 0


def test_waiting_leads_combine_and_their_own_workers_find_the_work_done(database: Database, database_url: str) -> None:
    # Little money: providers run dry on the way, in some decision that depends on who was served before.
    niche, lead_ids = moving(database, [20 + n for n in range(60)], deposit_cents=24_000)
    workers = Workers()
    with database.transaction() as conn:
        lock_niches(conn, [niche.niche_id])
        for _ in range(AT_ONCE):
            workers.start(decide_all, database_url, [niche.niche_id], 5)
        workers.wait_until_blocked(database_url)

    reports = workers.results()
    decided_once_each(database, lead_ids, reports)
    assert starts(database) == [POSITIONS[n % 3] for n in range(60)]
    assert sum(report.batches.count(5) for report in reports) == 60 // 5
    assert sum(bool(report.batches) for report in reports) > 1, "one worker did everything: nothing was shared"
    with database.transaction() as conn:
        dry = conn.execute("select count(*) from subscriptions where deactivation_reason = 'insufficient_funds'")
        assert dry.fetchone() != (0,), "no provider ran out of money: the hard case was not met"
    assert deadlocks(database_url) == 0
