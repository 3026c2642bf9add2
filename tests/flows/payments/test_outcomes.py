"""Each case of docs/reference/payments.md at the test gateway: its outcome, and that repetitions change nothing."""

from dataclasses import replace

import pytest

from fairlead.core.money.payments import GatewayReport, ReportKind
from fairlead.flows.payments.ask_again import ask_about
from fairlead.flows.payments.charge_top_ups import top_up
from fairlead.flows.payments.gateways import sandbox_gateway
from fairlead.flows.payments.take_report import take_report
from fairlead.store.connection import Database
from fairlead.store.money.payment_requests import payment_request
from tests.flows.marketplaces import everything
from tests.flows.payments.outcomes import CASES, TOP_UP_CASES, Case, TopUpCase
from tests.flows.payments.paying import GATEWAY, ask, balance
from tests.flows.payments.seen_outcomes import charge_outcome, outcome, wanted_charge_outcome, wanted_outcome
from tests.flows.payments.topping_up import Gateway, switch_on
from tests.flows.sales import query


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_a_gateway_reports_has_one_outcome(database: Database, case: Case) -> None:
    asked = ask(database)
    if case.before is not None:
        case.before(database, sandbox_gateway(database), asked)
    reporting = "stripe" if case.is_elsewhere else GATEWAY
    reports = [replace(each, charge_reference=charge_of(each)) for each in case.reports_on(asked)]
    for report in reports:
        take_report(database, reporting, report)
    assert outcome(database, asked) == wanted_outcome(case)
    before = everything(database)
    for report in reports:
        take_report(database, reporting, report)
    assert everything(database) == before, "what is reported again changes nothing"


def charge_of(report: GatewayReport) -> str | None:
    """As Stripe names it, so that what happened before is of the same charge."""
    return "pi_1" if report.charge_reference == "charge-1" else report.charge_reference


@pytest.mark.parametrize("case", TOP_UP_CASES, ids=lambda case: case.name)
def test_a_charge_of_auto_top_up_has_one_outcome(database: Database, case: TopUpCase) -> None:
    bowline = switch_on(database, case.card)
    gateway = Gateway(database, answers=[None] if case.is_lost else other_answers(case))
    assert top_up(database, gateway, bowline)
    [(request_id,)] = query(database, "select id::text from payment_requests")
    for _ in range(2):
        request = database.read(lambda conn: payment_request(conn, request_id))
        assert request is not None
        if request.state == "pending":
            ask_about(database, gateway, request)
    assert charge_outcome(database) == wanted_charge_outcome(case)
    assert balance(database, bowline) == 600 + case.credited_cents
    assert gateway.charged == [request_id]
    assert not top_up(database, gateway, bowline), "nothing is due at once"


def other_answers(case: TopUpCase) -> list[GatewayReport | None]:
    """What the gateway answers where the test card cannot: it pays what it is asked for."""
    if not case.in_doubt:
        return []
    changes = dict(case.changes)
    cents, currency = changes.get("amount_received", 1400), str(changes.get("currency", "EUR")).upper()
    assert isinstance(cents, int)
    return [GatewayReport(ReportKind.PAID, None, "pi_9", cents, currency)]
