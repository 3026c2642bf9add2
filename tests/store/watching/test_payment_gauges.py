"""Payments as a scrape sees them: what is in doubt, what went off, and what became of each charge, counted once."""

from dataclasses import replace

import pytest

from fairlead.core.money.payments import GatewayReport, ReportKind
from fairlead.flows.payments.auto_top_up import change_auto_top_up
from fairlead.flows.payments.charge_top_ups import top_up
from fairlead.flows.payments.doubts import close_doubt
from fairlead.flows.payments.take_report import take_report
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.watching.gauges import read_gauges, watching
from fairlead.telemetry.gauges import PaymentGauges
from fairlead.telemetry.metrics import counting_in, make_metrics
from tests.flows.payments.paying import GATEWAY, MEMO, PAYER, ask
from tests.flows.payments.topping_up import WANTED, Gateway, charge_now, make_due, switch_on
from tests.flows.sales import query


def gauges(database: Database) -> PaymentGauges:
    with watching(database) as conn:
        return read_gauges(conn).payments


def charged(database: Database, bowline: str, *answers: GatewayReport | None) -> dict[str, float]:
    """What is counted of charges that are answered like this, each of which is due."""
    with counting_in(make_metrics()) as metrics:
        gateway = Gateway(database, answers=list(answers))
        for _ in answers:
            top_up(database, gateway, bowline)
            make_due(database)
        [family] = metrics.top_up_charges.collect()
        return {each.labels["outcome"]: each.value for each in family.samples}


def test_payments_in_doubt_count_until_they_are_resolved(database: Database) -> None:
    assert gauges(database) == PaymentGauges(0, 0, 0)
    asked = ask(database)
    take_report(database, GATEWAY, asked.reported(request_id=None))
    take_report(database, GATEWAY, asked.reported(kind=ReportKind.DISPUTED, detail="1"))
    seen = gauges(database)
    assert (seen.doubt_count, seen.oldest_doubt_seconds) == (2, pytest.approx(0, abs=60))
    [(doubt_id, _)] = query(database, "select id::text, noticed_at from payment_doubts order by noticed_at limit 1")
    close_doubt(database, doubt_id, MEMO, OPERATOR)
    assert gauges(database).doubt_count == 1


def test_a_top_up_that_a_refusal_switched_off_counts_until_it_is_set_anew(database: Database) -> None:
    bowline = switch_on(database, "declines_for_good")
    assert gauges(database).switched_off_count == 0
    charge_now(database)
    assert gauges(database).switched_off_count == 1
    change_auto_top_up(database, bowline, replace(WANTED, is_on=False), PAYER)
    assert gauges(database).switched_off_count == 0, "its provider has seen to it"


def test_each_charge_is_counted_by_what_became_of_it(database: Database) -> None:
    bowline = switch_on(database, wanted=replace(WANTED, threshold_cents=90_000, monthly_limit_cents=90_000))
    paid = GatewayReport(ReportKind.PAID, None, "charge-1", 1400, "EUR")
    refused = GatewayReport(ReportKind.FAILED, reason="card_declined")
    assert charged(database, bowline, paid, refused, refused, refused) == {
        "charged": 1,
        "refused": 2,
        "switched_off": 1,
    }


def test_a_charge_in_doubt_and_one_without_an_answer_are_told_apart(database: Database) -> None:
    bowline = switch_on(database)
    assert charged(database, bowline, GatewayReport(ReportKind.PAID, None, "charge-1", 1300, "EUR")) == {"in_doubt": 1}
    [(doubt_id,)] = query(database, "select id::text from payment_doubts")
    close_doubt(database, doubt_id, MEMO, OPERATOR)
    assert charged(database, bowline, None) == {}


def test_what_a_provider_pays_itself_is_no_charge_of_auto_top_up(database: Database) -> None:
    asked = ask(database)
    with counting_in(make_metrics()) as metrics:
        for report in (asked.reported(kind=ReportKind.FAILED), asked.paid, asked.paid):
            take_report(database, GATEWAY, report)
        [family] = metrics.top_up_charges.collect()
        assert family.samples == []


def test_a_report_that_comes_twice_counts_once(database: Database) -> None:
    switch_on(database)
    with counting_in(make_metrics()) as metrics:
        charge_now(database)
        [(request_id, charge)] = query(
            database, "select r.id::text, p.external_id from payment_requests r join payments p on p.id = r.payment_id"
        )
        take_report(database, GATEWAY, GatewayReport(ReportKind.PAID, request_id, charge, 1400, "EUR"))
        [family] = metrics.top_up_charges.collect()
        assert [(each.labels["outcome"], each.value) for each in family.samples] == [("charged", 1)]
