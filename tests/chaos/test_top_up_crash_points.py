"""Struck at every statement of a top-up, the provider is charged once, and what was charged is on the balance once."""

import pytest

from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.payments.ask_again import ask_gateways
from fairlead.flows.payments.auto_top_up import change_auto_top_up
from fairlead.flows.payments.charge_top_ups import top_up
from fairlead.flows.payments.gateways import sandbox_gateway
from fairlead.store.connection import Database
from tests.chaos.proxy import Proxy, Strike, cut_before, swallow_answer
from tests.flows.payments.paying import PAYER, SETTINGS, balance
from tests.flows.payments.topping_up import WANTED, charge_now, make_due, switch_on
from tests.flows.sales import query
from tests.race.processes import opened

pytestmark = [pytest.mark.chaos, pytest.mark.slow]

CENTS = 100


@pytest.mark.parametrize("how", ["cut", "answer lost"])
def test_a_top_up_whose_connection_breaks_at_any_statement_charges_once(
    how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    strike = {"cut": cut_before, "answer lost": swallow_answer}[how]
    bowline, url = switch_on(database), proxy.url(database_url)
    _want(database, bowline, balance(database, bowline))
    points = _struck(proxy, url, bowline)
    assert balance(database, bowline) == 600 + CENTS
    numbers = [n for n, point in enumerate(points) if how != "answer lost" or not point.startswith("execute")]
    for number in numbers:
        before = balance(database, bowline)
        _want(database, bowline, before)
        _struck(proxy, url, bowline, number, strike)
        # What was struck is found by the next worker: due still, or under way.
        query(database, "update payment_requests set ask_at = now() where ask_at is not null returning 1")
        ask_gateways(Maintenance(database, SETTINGS))
        make_due(database)
        charge_now(database)
        assert balance(database, bowline) == before + CENTS, f"{how} at {points[number]}"


def _want(database: Database, bowline: str, balance_cents: int) -> None:
    """A cent more than there is, is wanted, which one charge is enough for."""
    wanted = type(WANTED)(balance_cents + 1, CENTS, 1_000_000, is_on=True)
    change_auto_top_up(database, bowline, wanted, PAYER)


def _struck(proxy: Proxy, url: str, bowline: str, number: int | None = None, strike: Strike | None = None) -> list[str]:
    """The points that the top-up met."""
    with opened(url) as relayed:
        query(relayed, "select 1")  # connected before anything is counted
        points = proxy.watch(number, strike)
        top_up(relayed, sandbox_gateway(relayed), bowline)
        proxy.ignore()
    return points
