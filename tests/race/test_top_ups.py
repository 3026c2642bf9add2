"""Fifty workers that find one auto top-up due at once, and purchases meanwhile: charged once, within the month."""

from fairlead.flows.payments.charge_top_ups import top_up
from fairlead.flows.payments.gateways import sandbox_gateway
from fairlead.store.connection import Database
from tests.flows.payments.paying import balance
from tests.flows.payments.topping_up import requests, switch_on
from tests.race.processes import Report, Workers, deadlocks, opened

PROCESSES, TIMES = 10, 5


def charge_it(url: str, provider_id: str) -> Report:
    """A worker that finds it due, as often as it looks."""
    with opened(url) as database:
        gateway = sandbox_gateway(database)
        return Report(writes=sum(top_up(database, gateway, provider_id) for _ in range(TIMES)))


def test_fifty_who_find_one_due_at_once_charge_it_once(database: Database, database_url: str) -> None:
    bowline = switch_on(database)
    workers = Workers()
    with database.transaction() as conn:
        conn.execute("select from providers for no key update")
        for _ in range(PROCESSES):
            workers.start(charge_it, database_url, bowline)
        workers.wait_until_blocked(database_url)
    assert sum(report.writes for report in workers.results()) == 1
    assert (balance(database, bowline), requests(database)) == (2000, [("succeeded", None, 1400)])
    assert deadlocks(database_url) == 0
