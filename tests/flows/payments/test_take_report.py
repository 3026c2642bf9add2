"""What a gateway reports has one outcome, whenever, however often and in whatever order it comes."""

import pytest

from fairlead.core.money.payments import DoubtKind, GatewayReport, PaymentOutcome, ReportKind
from fairlead.flows.payments.take_report import TakenReport, take_report
from fairlead.store.connection import Database
from tests.flows.marketplaces import activity, everything
from tests.flows.payments.paying import GATEWAY, ask, ask_once_more, balance, doubts, fill, state_of
from tests.flows.sales import audited, query, told

GONE = "01900000-0000-7000-8000-000000000000"


def take(database: Database, report: GatewayReport) -> TakenReport:
    return take_report(database, GATEWAY, report)


def changes_nothing(database: Database, report: GatewayReport) -> None:
    before = everything(database)
    assert take(database, report).outcome is PaymentOutcome.NOTHING
    assert everything(database) == before


def test_a_payment_is_on_the_balance_and_what_it_pays_for_runs(database: Database) -> None:
    asked = ask(database)
    assert take(database, asked.paid).outcome is PaymentOutcome.CREDIT
    assert (balance(database, asked.bowline_id), state_of(database, asked)) == (2000, ("succeeded", None))
    assert activity(database)["bowline gold"] == "active"
    assert doubts(database) == []
    changes_nothing(database, asked.paid)
    changes_nothing(database, asked.reported(charge_reference=None))


def test_a_failure_after_the_payment_is_late_and_a_payment_after_the_failure_counts(database: Database) -> None:
    asked = ask(database)
    failed = asked.reported(kind=ReportKind.FAILED, reason="card_declined")
    assert take(database, failed).outcome is PaymentOutcome.FAIL
    assert state_of(database, asked) == ("failed", "card_declined")
    changes_nothing(database, failed)
    assert take(database, asked.paid).outcome is PaymentOutcome.CREDIT
    changes_nothing(database, failed)
    assert (balance(database, asked.bowline_id), state_of(database, asked)) == (2000, ("succeeded", None))


def test_pending_says_nothing_new(database: Database) -> None:
    asked = ask(database)
    changes_nothing(database, asked.reported(kind=ReportKind.PENDING))


@pytest.mark.parametrize(
    ("other", "doubt"),
    [
        ({"amount_cents": 1300}, "other_amount"),
        ({"amount_cents": 1500}, "other_amount"),
        ({"amount_cents": None}, "other_amount"),
        ({"amount_cents": 0}, "other_amount"),
        ({"currency": "USD"}, "other_currency"),
    ],
)
def test_another_amount_or_currency_is_not_credited_and_waits(
    database: Database, other: dict[str, object], doubt: str
) -> None:
    asked = ask(database)
    wrong = asked.reported(**other)
    assert take(database, wrong) == TakenReport(asked.request_id, PaymentOutcome.REVIEW, DoubtKind(doubt))
    assert (balance(database, asked.bowline_id), state_of(database, asked)) == (600, ("in_review", doubt))
    assert doubts(database) == [(doubt, None)]
    alerts = query(database, "select detail ->> 'title' from notifications where kind = 'operator_alert'")
    assert alerts == [("A payment is in doubt",)]
    changes_nothing(database, wrong)


@pytest.mark.parametrize("request_id", [None, GONE, "no id at all", "'; drop table payments"])
def test_an_unknown_payment_waits_for_an_operator(database: Database, request_id: str | None) -> None:
    asked = ask(database)
    unknown = asked.reported(request_id=request_id)
    assert take(database, unknown) == TakenReport(None, PaymentOutcome.NOTHING, DoubtKind.UNKNOWN_PAYMENT)
    assert (balance(database, asked.bowline_id), state_of(database, asked)) == (600, ("pending", None))
    assert doubts(database) == [("unknown_payment", None)]
    changes_nothing(database, unknown)
    changes_nothing(database, asked.reported(request_id=GONE, kind=ReportKind.FAILED))


def test_a_request_of_one_gateway_is_unknown_to_another(database: Database) -> None:
    asked = ask(database)
    assert take_report(database, "stripe", asked.paid).doubt is DoubtKind.UNKNOWN_PAYMENT
    assert balance(database, asked.bowline_id) == 600


def test_a_second_charge_for_one_request_waits_and_is_not_credited(database: Database) -> None:
    asked = ask(database)
    take(database, asked.paid)
    second = asked.reported(charge_reference="charge-2")
    assert take(database, second).doubt is DoubtKind.PAID_TWICE
    assert (balance(database, asked.bowline_id), state_of(database, asked)) == (2000, ("succeeded", None))
    changes_nothing(database, second)


def test_one_charge_pays_for_one_request(database: Database) -> None:
    first = ask(database)
    second = ask_once_more(database)
    take(database, first.paid)
    assert take(database, second.paid).doubt is DoubtKind.PAID_TWICE
    assert (balance(database, first.bowline_id), state_of(database, second)) == (2000, ("in_review", "paid_twice"))


@pytest.mark.parametrize("kind", [ReportKind.REFUNDED, ReportKind.DISPUTED])
def test_a_refund_or_a_dispute_at_the_gateway_moves_nothing_and_waits(database: Database, kind: ReportKind) -> None:
    asked = ask(database)
    back = asked.reported(kind=kind, detail="part-1", amount_cents=400)
    assert take(database, back).doubt is DoubtKind(kind.value), "it may come before the payment does"
    take(database, asked.paid)
    # As gateways tell of a dispute: by the charge alone.
    changes_nothing(database, GatewayReport(kind, None, "charge-1", 400, "EUR", detail="part-1"))
    more = GatewayReport(kind, None, "charge-1", 1000, "EUR", detail="part-2")
    assert take(database, more) == TakenReport(asked.request_id, PaymentOutcome.NOTHING, DoubtKind(kind.value))
    assert (balance(database, asked.bowline_id), state_of(database, asked)) == (2000, ("succeeded", None))
    assert len(doubts(database)) == 2


def test_what_no_balance_holds_waits(database: Database) -> None:
    asked = ask(database)
    fill(database, asked.bowline_id)
    assert take(database, asked.paid).doubt is DoubtKind.NOT_CREDITABLE
    assert state_of(database, asked) == ("in_review", "not_creditable")


def test_the_log_says_who_asked_and_what_became_of_it(database: Database) -> None:
    asked = ask(database)
    take(database, asked.paid)
    assert [row[0] for row in query(database, "select actor from audit_log where entity = 'payment_request'")] == [
        "user:sam",
        "gateway:test_gateway",
    ]
    assert len(audited(database, "deposit.credited")) == 3
    assert told(database, "subscription_reactivated") == [], "it never ran before"
