"""One deposit, announced by eight processes at once, is credited once."""

from fairlead.flows.apply_marketplace import apply_marketplace, parse_declaration
from fairlead.flows.deposit import deposit
from fairlead.store.audit import OPERATOR
from fairlead.store.connection import Database
from tests.race.marketplaces import Provider, add_providers
from tests.race.processes import Report, Workers, deadlocks, opened

AT_ONCE = 8


def announce(url: str, provider_id: str, cents: int) -> Report:
    """One gateway's message about one payment."""
    with opened(url) as database:
        done = deposit(database, provider_id, cents, "test", "payment 1", OPERATOR)
    return Report(writes=int(not done.was_recorded))


def test_a_deposit_that_eight_processes_announce_at_once_is_credited_once(
    database: Database, database_url: str
) -> None:
    apply_marketplace(database, parse_declaration('[marketplace]\ncurrency = "EUR"\n'), OPERATOR)
    with database.transaction() as conn:
        ids = add_providers(conn, [Provider("p", 1_000, ())], "all")

    workers = Workers()
    with database.transaction() as conn:
        conn.execute("select from providers for no key update")
        for _ in range(AT_ONCE):
            workers.start(announce, database_url, ids["p"], 5_000)
        workers.wait_until_blocked(database_url)

    assert sorted(report.writes for report in workers.results()) == [0] * (AT_ONCE - 1) + [1]
    with database.transaction() as conn:
        assert conn.execute("select balance_cents, ledger_seq from providers").fetchone() == (6_000, 2)
    assert deadlocks(database_url) == 0
