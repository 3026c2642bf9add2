"""What may become of a payment, case by case: what gateways report, in this order, and the one outcome of it.

The table of docs/reference/payments.md has the same cases and outcomes (tests/tidy/test_payment_outcomes.py); each is
played at the test gateway (test_outcomes.py) and with Stripe's events (tests/api/test_stripe_outcomes.py).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from fairlead.core.money.payments import GatewayReport, ReportKind
from fairlead.delivery.payment_gateway import PaymentGateway
from fairlead.delivery.sandbox_gateway import TestCard
from fairlead.flows.payments.doubts import credit_doubt
from fairlead.flows.payments.request_payment import request_payment
from fairlead.flows.payments.take_report import take_report
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.payments.paying import MEMO, PAYER, Asked, fill
from tests.flows.sales import query

ASKED_CENTS = 1400

Arrange = Callable[[Database, PaymentGateway, Asked], None]
Event = tuple[str, dict[str, object]]


@dataclass(frozen=True)
class Case:
    """What gateways say of a payment of 14.00 EUR, and what becomes of it.

    `reports` are those of any gateway; `events` is how Stripe says them: the name of a recorded event, and what is
    different in it. With `is_elsewhere` another gateway was asked for the payment. `before` happens first.
    """

    name: str
    reports: tuple[dict[str, object], ...]
    events: tuple[Event, ...]
    state: Literal["pending", "succeeded", "failed", "in_review"]
    credited_cents: int = 0
    in_doubt: tuple[str, ...] = ()
    before: Arrange | None = None
    is_elsewhere: bool = False
    credit_notes: int = 0

    def reports_on(self, asked: Asked) -> list[GatewayReport]:
        """What a gateway says of this payment, in its order."""
        return [asked.reported(**changes) for changes in self.reports]


PAID: dict[str, object] = {}
PENDING: dict[str, object] = {"kind": ReportKind.PENDING}
DECLINED: dict[str, object] = {"kind": ReportKind.FAILED, "reason": "card_declined"}
EXPIRED: dict[str, object] = {"kind": ReportKind.FAILED, "reason": "expired", "charge_reference": None}
PART_BACK: dict[str, object] = {"kind": ReportKind.REFUNDED, "amount_cents": 400, "detail": "refunded-400"}
ALL_BACK: dict[str, object] = {"kind": ReportKind.REFUNDED, "detail": "refunded-1400"}
DISPUTED: dict[str, object] = {"kind": ReportKind.DISPUTED, "request_id": None, "detail": "dp_1"}
UNKNOWN: dict[str, object] = {"request_id": None}

COMPLETED: Event = ("completed", {})
STILL_PENDING: Event = ("completed_unpaid", {})
PAID_AT_LAST: Event = ("async_succeeded", {})
ASYNC_FAILED: Event = ("async_failed", {})
SESSION_EXPIRED: Event = ("expired", {})
SOME_REFUNDED: Event = ("refunded", {})
ALL_REFUNDED: Event = ("refunded", {"amount_refunded": ASKED_CENTS, "refunded": True})
DISPUTE: Event = ("disputed", {})
NOT_OURS: Event = ("completed", {"metadata": {}, "client_reference_id": None})


def another_was_paid_by_it(database: Database, gateway: PaymentGateway, asked: Asked) -> None:
    """Another payment of Bowline's succeeded by the same charge."""
    other = request_payment(database, gateway, asked.bowline_id, ASKED_CENTS, PAYER)
    take_report(database, gateway.name, replace(asked.paid, request_id=other.request_id, charge_reference="pi_1"))


def it_was_credited_by_hand(database: Database, gateway: PaymentGateway, asked: Asked) -> None:
    """It came as an unknown payment first, and an operator credited it to Bowline."""
    take_report(database, gateway.name, replace(asked.paid, request_id=None, charge_reference="pi_1"))
    [(doubt_id,)] = query(database, "select id::text from payment_doubts")
    credit_doubt(database, doubt_id, MEMO, OPERATOR, provider_id=asked.bowline_id)


def its_balance_is_full(database: Database, _: PaymentGateway, asked: Asked) -> None:
    """No cent more can be on the balance."""
    fill(database, asked.bowline_id)


CASES = (
    Case("paid", (PAID,), (COMPLETED,), "succeeded", ASKED_CENTS),
    Case("paid-said-twice", (PAID, PAID), (COMPLETED, COMPLETED), "succeeded", ASKED_CENTS),
    Case("paid-late", (PENDING, PAID), (STILL_PENDING, PAID_AT_LAST), "succeeded", ASKED_CENTS),
    Case("pending-after-paid", (PAID, PENDING), (PAID_AT_LAST, STILL_PENDING), "succeeded", ASKED_CENTS),
    Case("pending", (PENDING,), (STILL_PENDING,), "pending"),
    Case("declined", (DECLINED,), (ASYNC_FAILED,), "failed"),
    Case("paid-after-declined", (DECLINED, PAID), (ASYNC_FAILED, COMPLETED), "succeeded", ASKED_CENTS),
    Case("declined-after-paid", (PAID, DECLINED), (COMPLETED, ASYNC_FAILED), "succeeded", ASKED_CENTS),
    Case("expired", (EXPIRED,), (SESSION_EXPIRED,), "failed"),
    Case("paid-after-expiry", (EXPIRED, PAID), (SESSION_EXPIRED, COMPLETED), "succeeded", ASKED_CENTS),
    Case("expired-after-paid", (PAID, EXPIRED), (COMPLETED, SESSION_EXPIRED), "succeeded", ASKED_CENTS),
    Case("unknown-payment", (UNKNOWN,), (NOT_OURS,), "pending", 0, ("unknown_payment",)),
    Case("of-another-gateway", (PAID,), (COMPLETED,), "pending", 0, ("unknown_payment",), is_elsewhere=True),
    Case(
        "credited-by-hand-before",
        (PAID,),
        (COMPLETED,),
        "succeeded",
        ASKED_CENTS,
        ("unknown_payment",),
        it_was_credited_by_hand,
    ),
    Case(
        "other-amount",
        ({"amount_cents": 1300},),
        (("completed", {"amount_total": 1300}),),
        "in_review",
        0,
        ("other_amount",),
    ),
    Case(
        "no-amount",
        ({"amount_cents": None},),
        (("completed", {"amount_total": None}),),
        "in_review",
        0,
        ("other_amount",),
    ),
    Case(
        "paid-after-other-amount",
        ({"amount_cents": 1300}, {"charge_reference": "pi_2"}),
        (("completed", {"amount_total": 1300}), ("completed", {"payment_intent": "pi_2"})),
        "succeeded",
        ASKED_CENTS,
        ("other_amount",),
    ),
    Case(
        "other-currency",
        ({"currency": "USD"},),
        (("completed", {"currency": "usd"}),),
        "in_review",
        0,
        ("other_currency",),
    ),
    Case(
        "paid-by-two-charges",
        (PAID, {"charge_reference": "pi_2"}),
        (COMPLETED, ("completed", {"payment_intent": "pi_2"})),
        "succeeded",
        ASKED_CENTS,
        ("paid_twice",),
    ),
    Case(
        "charge-of-another-payment",
        (PAID,),
        (COMPLETED,),
        "in_review",
        ASKED_CENTS,
        ("paid_twice",),
        another_was_paid_by_it,
    ),
    Case("balance-is-full", (PAID,), (COMPLETED,), "in_review", 0, ("not_creditable",), its_balance_is_full),
    Case("refunded-in-part", (PAID, PART_BACK), (COMPLETED, SOME_REFUNDED), "succeeded", ASKED_CENTS, ("refunded",)),
    Case(
        "refunded-in-parts",
        (PAID, PART_BACK, {**ALL_BACK, "amount_cents": 900}),
        (COMPLETED, SOME_REFUNDED, ("refunded", {"amount_refunded": 900})),
        "succeeded",
        ASKED_CENTS,
        ("refunded", "refunded"),
    ),
    Case(
        "refunded-whole",
        (PAID, ALL_BACK),
        (COMPLETED, ALL_REFUNDED),
        "succeeded",
        ASKED_CENTS,
        ("refunded",),
        credit_notes=1,
    ),
    Case(
        "refunded-before-paid", (PART_BACK, PAID), (SOME_REFUNDED, COMPLETED), "succeeded", ASKED_CENTS, ("refunded",)
    ),
    Case("disputed", (PAID, DISPUTED), (COMPLETED, DISPUTE), "succeeded", ASKED_CENTS, ("disputed",)),
    Case("disputed-before-paid", (DISPUTED, PAID), (DISPUTE, COMPLETED), "succeeded", ASKED_CENTS, ("disputed",)),
    Case(
        "refunded-and-disputed",
        (PAID, ALL_BACK, DISPUTED),
        (COMPLETED, ALL_REFUNDED, DISPUTE),
        "succeeded",
        ASKED_CENTS,
        ("disputed", "refunded"),
        credit_notes=1,
    ),
)


@dataclass(frozen=True)
class TopUpCase:
    """A charge of auto top-up: the test card that goes like this, and Stripe's answer: a recorded one, and what is
    different in it. With `is_lost` the answer never comes, and the gateway is asked.
    """

    name: str
    card: TestCard
    answer: str
    changes: tuple[tuple[str, object], ...]
    state: Literal["succeeded", "failed", "in_review"]
    is_on: bool
    told: Literal["balance_topped_up", "auto_top_up_failed"] | None
    in_doubt: tuple[str, ...] = ()
    is_lost: bool = False

    @property
    def credited_cents(self) -> int:
        """What is on the balance."""
        return ASKED_CENTS if self.state == "succeeded" else 0


TOPPED_UP, FAILED = "balance_topped_up", "auto_top_up_failed"

TOP_UP_CASES = (
    TopUpCase("top-up-charged", "pays", "charge_succeeded", (), "succeeded", True, TOPPED_UP),
    TopUpCase("top-up-declined", "declines", "charge_declined", (), "failed", True, FAILED),
    TopUpCase(
        "top-up-declined-for-good",
        "declines_for_good",
        "charge_declined",
        (("decline_code", "lost_card"), ("advice_code", "do_not_try_again")),
        "failed",
        False,
        FAILED,
    ),
    TopUpCase(
        "top-up-authentication-required", "asks_its_owner", "charge_needs_its_owner", (), "failed", False, FAILED
    ),
    TopUpCase("top-up-answered-late", "pays_later", "charge_succeeded", (), "succeeded", True, TOPPED_UP),
    TopUpCase("top-up-answer-lost", "pays", "charge_succeeded", (), "succeeded", True, TOPPED_UP, is_lost=True),
    TopUpCase(
        "top-up-of-another-amount",
        "pays",
        "charge_succeeded",
        (("amount_received", 1300),),
        "in_review",
        True,
        None,
        ("other_amount",),
    ),
    TopUpCase(
        "top-up-in-another-currency",
        "pays",
        "charge_succeeded",
        (("currency", "usd"),),
        "in_review",
        True,
        None,
        ("other_currency",),
    ),
)
