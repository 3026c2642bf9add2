"""Struck at every statement of a gateway's report, the payment is once on the balance and receipted, or taken back."""

import pytest

from fairlead.core.money.payments import GatewayReport, ReportKind
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


@pytest.mark.parametrize("how", ["cut", "answer lost"])
def test_a_refund_whose_connection_breaks_at_any_statement_takes_the_receipt_back_once(
    how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    strike = {"cut": cut_before, "answer lost": swallow_answer}[how]
    url, calm = proxy.url(database_url), paid(database, ask(database, CENTS))
    points = refund(proxy, url, calm)
    points = points[: points.index("query: COMMIT") + 1]
    for words in ("from receipt_head", "insert into receipts", "insert into audit_log"):
        assert any(words in point for point in points), f"{words} not in {points}"
    numbers = [n for n, point in enumerate(points) if how != "answer lost" or not point.startswith("execute")]
    for number in numbers:
        asked = paid(database, ask_once_more(database, CENTS))
        before = balance(database, asked.bowline_id)
        refund(proxy, url, asked, number, strike)
        assert balance(database, asked.bowline_id) == before, "no balance moves"
        assert notes_of(database, asked) == [(CENTS, 1, 1)], f"{how} at {points[number]}"
    [(papers, last, doubts)] = query(
        database,
        "select (select array_agg(number order by number) from receipts), (select last_number from receipt_head),"
        " (select count(*) from payment_doubts where kind = 'refunded')",
    )
    assert papers == list(range(1, last + 1)), "no number was lost"
    assert doubts == len(numbers) + 1


def paid(database: Database, asked: Asked) -> Asked:
    take_report(database, GATEWAY, GatewayReport(ReportKind.PAID, asked.request_id, charge_of(asked), CENTS, "EUR"))
    return asked


def charge_of(asked: Asked) -> str:
    return f"charge of {asked.request_id}"


def notes_of(database: Database, asked: Asked) -> list[tuple[int, int, int]]:
    """Of each credit note of the payment its amount, and how often the audit log and the alerts tell of it."""
    return query(
        database,
        """
        select c.gross_cents,
               (select count(*) from audit_log a
                where a.action = 'credit_note.issued' and a.entity_id = c.number::text),
               (select count(*) from payment_doubts d where d.charge_reference = p.external_id)
        from receipts c join payments p on p.id = c.payment_id
        where c.kind = 'credit_note' and p.external_id = %s
        """,
        charge_of(asked),
    )


def refund(proxy: Proxy, url: str, asked: Asked, number: int | None = None, strike: Strike | None = None) -> list[str]:
    """The points that the report of a refund of the whole charge met."""
    given_back = GatewayReport(ReportKind.REFUNDED, None, charge_of(asked), CENTS, "EUR", detail="refunded")
    return taken(proxy, url, given_back, number, strike)


def report(
    proxy: Proxy, url: str, asked: Asked, cents: int, number: int | None = None, strike: Strike | None = None
) -> list[str]:
    """The points that the report of a payment met."""
    said = GatewayReport(ReportKind.PAID, asked.request_id, charge_of(asked), cents, "EUR")
    return taken(proxy, url, said, number, strike)


def taken(
    proxy: Proxy, url: str, said: GatewayReport, number: int | None = None, strike: Strike | None = None
) -> list[str]:
    """The points that the report met."""
    with opened(url) as relayed:
        query(relayed, "select 1")  # connected before anything is counted
        points = proxy.watch(number, strike)
        take_report(relayed, GATEWAY, said)
        proxy.ignore()
    return points
