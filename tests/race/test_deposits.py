"""Deposits at once: one that eight processes announce is credited once, and none deadlocks with who declares."""

from fairlead.core.errors import BadInput
from fairlead.flows.declaring.apply_marketplace import apply_marketplace, parse_declaration
from fairlead.flows.money.deposit import deposit
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.marketplaces import HOSTING, declare
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


def announce_some(url: str, provider_id: str, name: str) -> Report:
    """Messages about five payments, one after the other; the second is told twice."""
    with opened(url) as database:
        for number in (1, 2, 2, 3, 4, 5):
            deposit(database, provider_id, 100 + number, "test", f"{name} {number}", OPERATOR)
    return Report(writes=5)


def test_fifty_deposits_at_once_have_receipts_without_a_gap(database: Database, database_url: str) -> None:
    apply_marketplace(database, parse_declaration('[marketplace]\ncurrency = "EUR"\n'), OPERATOR)
    with database.transaction() as conn:
        ids = add_providers(conn, [Provider("p", 1_000, ()), Provider("q", 1_000, ())], "all")

    workers = Workers()
    with database.transaction() as conn:
        conn.execute("select from receipt_head for no key update")
        for number in range(10):
            workers.start(announce_some, database_url, ids["pq"[number % 2]], f"process {number}")
        workers.wait_until_blocked(database_url)

    assert sum(report.writes for report in workers.results()) == 50
    with database.transaction() as conn:
        numbers = conn.execute("select number from receipts order by number").fetchall()
        [(last, balances)] = conn.execute(
            "select (select last_number from receipt_head), (select sum(balance_cents)::bigint from providers)"
        ).fetchall()
    assert numbers == [(number,) for number in range(1, 53)], "two openings, then fifty"
    assert (last, balances) == (52, 2_000 + 10 * (500 + 15))
    assert deadlocks(database_url) == 0


def change_currency(url: str) -> Report:
    """An operator declares another currency, which comes too late."""
    with opened(url) as database:
        try:
            apply_marketplace(database, parse_declaration('[marketplace]\ncurrency = "USD"\n'), OPERATOR)
        except BadInput:
            return Report(writes=0)
    return Report(writes=1)


def test_a_deposit_and_a_change_of_the_currency_lock_in_one_order(database: Database, database_url: str) -> None:
    """Both want the marketplace's row and a niche; the one that takes the niche first would wait for ever."""
    declare(database, HOSTING)  # Bowline cannot pay for gold: its deposit concerns the niche
    with database.snapshot() as conn:
        row = conn.execute("select id::text from providers where name = 'Bowline'").fetchone()
    assert row is not None

    workers = Workers()
    with database.transaction() as conn:
        conn.execute("select from niches for no key update")
        workers.start(change_currency, database_url)
        workers.wait_until_blocked(database_url)
        workers.start(announce, database_url, row[0], 5_000)
        workers.wait_until_blocked(database_url)

    assert sorted(report.writes for report in workers.results()) == [0, 1]
    assert deadlocks(database_url) == 0
