"""One lead, wanted by eight processes at once, is decided once (R1)."""

from fairlead.store.connection import Database
from fairlead.store.journal import lock_niches
from tests.race.marketplaces import Provider, Terms, add_leads, add_providers, open_niche, subscribe
from tests.race.processes import Workers, deadlocks, decide_one

TERMS = (Terms(5000, 1, 1), Terms(2000, 2, 2), Terms(1000, 3, 5))
# More providers than one decision takes, each at one level, so that a second decision would find others to sell to.
PROVIDERS = [
    Provider(f"p{number:02}", 100_000, (position,)) for number, position in enumerate([1] * 3 + [2] * 5 + [5] * 7)
]
AT_ONCE = 8


def test_a_lead_that_eight_processes_want_at_once_is_decided_once(database: Database, database_url: str) -> None:
    with database.transaction() as conn:
        niche = open_niche(conn, "moving", TERMS)
        subscribe(conn, niche, PROVIDERS, add_providers(conn, PROVIDERS, "moving"))
        [lead_id] = add_leads(conn, niche, [40])

    workers = Workers()
    with database.transaction() as conn:
        lock_niches(conn, [niche.niche_id])
        for _ in range(AT_ONCE):
            workers.start(decide_one, database_url, niche.niche_id, lead_id)
        workers.wait_until_blocked(database_url)

    reports = workers.results()
    assert sorted(report.lead_ids for report in reports) == [()] * (AT_ONCE - 1) + [(lead_id,)]
    with database.transaction() as conn:
        sold = conn.execute("select count(*), count(distinct journal_seq) from assignments").fetchone()
        lead = conn.execute("select status, distribution_attempts from leads").fetchone()
    assert sold == (1 + 2 + 3, 1)
    assert lead == ("distributed", 1)
    assert deadlocks(database_url) == 0


def test_asking_again_for_a_decided_lead_changes_nothing(database: Database, database_url: str) -> None:
    with database.transaction() as conn:
        niche = open_niche(conn, "moving", TERMS)
        subscribe(conn, niche, PROVIDERS, add_providers(conn, PROVIDERS, "moving"))
        [lead_id] = add_leads(conn, niche, [40])

    assert decide_one(database_url, niche.niche_id, lead_id).lead_ids == (lead_id,)
    assert decide_one(database_url, niche.niche_id, lead_id).lead_ids == ()

    with database.transaction() as conn:
        sold = conn.execute("select count(*), count(distinct journal_seq) from assignments").fetchone()
        pointer = conn.execute("select next_start_level_order_position from niches").fetchone()
    assert sold == (1 + 2 + 3, 1)
    assert pointer == (2,)
