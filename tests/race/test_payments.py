"""Reports of one payment at once, and workers that ask about it meanwhile: credited once, and none waits for ever."""

from dataclasses import replace

from fairlead.core.money.payments import GatewayReport, PaymentOutcome
from fairlead.flows.payments.ask_again import ask_about
from fairlead.flows.payments.gateways import sandbox_gateway
from fairlead.flows.payments.request_payment import answer_as_test
from fairlead.flows.payments.take_report import take_report
from fairlead.store.connection import Database
from fairlead.store.money.payment_requests import payment_request
from tests.flows.payments.paying import GATEWAY, ask, balance, doubts, state_of
from tests.race.processes import Report, Workers, deadlocks, opened

PROCESSES, TIMES = 10, 5


def report_it(url: str, report: GatewayReport) -> Report:
    """The gateway's webhook, as often as this process gets it."""
    with opened(url) as database:
        outcomes = [take_report(database, GATEWAY, report).outcome for _ in range(TIMES)]
    return Report(writes=outcomes.count(PaymentOutcome.CREDIT))


def ask_about_it(url: str, request_id: str) -> Report:
    """A worker that asks the gateway what became of it."""
    with opened(url) as database:
        request = database.read(lambda conn: payment_request(conn, request_id))
        assert request is not None
        ask_about(database, sandbox_gateway(database), request)
    return Report(writes=0)


def test_fifty_same_reports_and_the_asking_at_once_credit_once(database: Database, database_url: str) -> None:
    asked = ask(database)
    answer_as_test(database, asked.bowline_id, asked.request_id, "answers_twice")
    paid = replace(asked.paid, charge_reference=f"test_{asked.request_id}")
    workers = Workers()
    with database.transaction() as conn:
        conn.execute("select from payment_requests for no key update")
        for _ in range(PROCESSES):
            workers.start(report_it, database_url, paid)
        for _ in range(2):
            workers.start(ask_about_it, database_url, asked.request_id)
        workers.wait_until_blocked(database_url)
    assert sum(report.writes for report in workers.results()) <= 1
    assert (balance(database, asked.bowline_id), state_of(database, asked)) == (2000, ("succeeded", None))
    assert (doubts(database), deadlocks(database_url)) == ([], 0)


def test_many_who_report_another_amount_raise_one_doubt(database: Database, database_url: str) -> None:
    asked = ask(database)
    workers = Workers()
    with database.transaction() as conn:
        conn.execute("select from payment_requests for no key update")
        for _ in range(PROCESSES):
            workers.start(report_it, database_url, replace(asked.paid, amount_cents=1300))
        workers.wait_until_blocked(database_url)
    assert sum(report.writes for report in workers.results()) == 0
    assert (balance(database, asked.bowline_id), doubts(database)) == (600, [("other_amount", None)])
