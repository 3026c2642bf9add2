"""Receipts that are taken back at once, while others are issued: each once, and their numbers have no gap."""

from fairlead.core.errors import Refused
from fairlead.core.money.payments import GatewayReport, ReportKind
from fairlead.flows.declaring.apply_marketplace import apply_marketplace, parse_declaration
from fairlead.flows.money.deposit import deposit
from fairlead.flows.money.receipts import issue_credit_note
from fairlead.flows.payments.take_report import take_report
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.sales import MEMO, query
from tests.race.marketplaces import Provider, add_providers
from tests.race.processes import Report, Workers, deadlocks, opened

CHARGES = 12
GATEWAY = "test"
CENTS = 500


def take_back_all(url: str, numbers: list[int]) -> Report:
    """An operator takes each receipt back, in this order, where no other did."""
    issued = 0
    with opened(url) as database:
        for number in numbers:
            try:
                issue_credit_note(database, number, MEMO, OPERATOR)
                issued += 1
            except Refused as refused:
                if refused.code != "receipt_corrected":
                    raise
    return Report(writes=issued)


def report_refunds(url: str, charges: list[int]) -> Report:
    """The gateway says of each charge that it was given back, twice."""
    with opened(url) as database:
        for charge in charges * 2:
            refund = GatewayReport(ReportKind.REFUNDED, None, f"charge {charge}", CENTS, "EUR", detail="refunded")
            take_report(database, GATEWAY, refund)
    return Report(writes=0)


def pay_in(url: str, provider_id: str, name: str) -> Report:
    """Six deposits."""
    with opened(url) as database:
        for number in range(6):
            deposit(database, provider_id, CENTS, "cash", f"{name} {number}", OPERATOR)
    return Report(writes=6)


def test_receipts_are_taken_back_once_while_others_are_issued(database: Database, database_url: str) -> None:
    apply_marketplace(database, parse_declaration('[marketplace]\ncurrency = "EUR"\n'), OPERATOR)
    with database.transaction() as conn:
        ids = add_providers(conn, [Provider("p", 1_000, ()), Provider("q", 1_000, ())], "all")
    for charge in range(CHARGES):
        deposit(database, ids["pq"[charge % 2]], CENTS, GATEWAY, f"charge {charge}", OPERATOR)
    charged = query(
        database,
        "select r.number from receipts r join payments p on p.id = r.payment_id where p.gateway = %s order by 1",
        GATEWAY,
    )
    numbers = [number for (number,) in charged]

    workers = Workers()
    with database.transaction() as conn:
        conn.execute("select from receipt_head for no key update")
        workers.start(take_back_all, database_url, numbers)
        workers.start(take_back_all, database_url, numbers[::-1])
        workers.start(report_refunds, database_url, list(range(CHARGES)))
        workers.start(report_refunds, database_url, list(range(CHARGES))[::-1])
        for name in "pq":
            workers.start(pay_in, database_url, ids[name], name)
        workers.wait_until_blocked(database_url)

    results = sum(report.writes for report in workers.results())
    notes = query(database, "select corrects_number from receipts where kind = 'credit_note' order by 1")
    assert [number for (number,) in notes] == numbers
    assert 12 <= results <= 12 + CHARGES, "the deposits, and of the notes those that no report was first to issue"
    found = query(database, "select number from receipts order by number")
    assert [number for (number,) in found] == list(range(1, 2 + CHARGES + 12 + CHARGES + 1))
    assert query(database, "select last_number from receipt_head") == [(len(found),)]
    assert query(database, "select count(*) from payment_doubts") == [(CHARGES,)], "each report once"
    assert deadlocks(database_url) == 0
