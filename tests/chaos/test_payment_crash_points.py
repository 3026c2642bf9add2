"""Struck at every statement of a gateway's report, the payment is once on the balance and receipted, as it says."""

import pytest

from fairlead.core.payments import GatewayReport, ReportKind
from fairlead.flows.payments.take_report import take_report
from fairlead.store.connection import Database
from tests.chaos.proxy import Proxy, Strike, cut_before, swallow_answer
from tests.flows.payments.paying import GATEWAY, Asked, ask, ask_once_more, balance, state_of
from tests.flows.sales import query
from tests.race.processes import opened

pytestmark = [pytest.mark.chaos, pytest.mark.slow]

CENTS = 100


@pytest.mark.parametrize("how", ["cut", "answer lost"])
@pytest.mark.parametrize("cents", [CENTS, CENTS - 1], ids=["as asked", "another amount"])
def test_a_report_whose_connection_breaks_at_any_statement_has_its_one_outcome(
    how: str, cents: int, database: Database, database_url: str, proxy: Proxy
) -> None:
    strike = {"cut": cut_before, "answer lost": swallow_answer}[how]
    url, calm = proxy.url(database_url), ask(database, CENTS)
    points = report(proxy, url, calm, cents)
    points = points[: points.index("query: COMMIT") + 1]
    assert any("from payment_requests" in point for point in points), points
    numbers = [n for n, point in enumerate(points) if how != "answer lost" or not point.startswith("execute")]
    is_as_asked = cents == CENTS
    expected = ("succeeded", None) if is_as_asked else ("in_review", "other_amount")
    assert state_of(database, calm) == expected
    for number in numbers:
        before = balance(database, calm.bowline_id)
        asked = ask_once_more(database, CENTS)
        report(proxy, url, asked, cents, number, strike)
        assert state_of(database, asked) == expected, f"{how} at {points[number]}"
        assert balance(database, calm.bowline_id) == before + (CENTS if is_as_asked else 0), points[number]
    [(doubts, alerts)] = query(
        database,
        "select (select count(*) from payment_doubts),"
        " (select count(*) from notifications where kind = 'operator_alert')",
    )
    [(receipts, deposits, last)] = query(
        database,
        "select (select count(*) from receipts), (select count(*) from ledger_entries where kind = 'deposit'),"
        " (select max(number) from receipts)",
    )
    assert receipts == deposits == last, "each deposit has its number, and no number was lost"
    assert (doubts, alerts) == ((0, 0) if is_as_asked else (len(numbers) + 1,) * 2)


def report(
    proxy: Proxy, url: str, asked: Asked, cents: int, number: int | None = None, strike: Strike | None = None
) -> list[str]:
    """The points that the report met."""
    paid = GatewayReport(ReportKind.PAID, asked.request_id, f"charge of {asked.request_id}", cents, "EUR")
    with opened(url) as relayed:
        query(relayed, "select 1")  # connected before anything is counted
        points = proxy.watch(number, strike)
        take_report(relayed, GATEWAY, paid)
        proxy.ignore()
    return points
