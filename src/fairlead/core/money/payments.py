"""What a gateway reports of a payment, and what follows: one outcome for each report and each state of the request.

The same table stands in docs/reference/payments.md.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

GATEWAYS = ("test_gateway", "stripe")
"""Every name that an adapter has: what comes in under it was reported by that gateway, and is recorded no other way."""

MadeElsewhere: TypeAlias = Literal["bank_transfer", "cash", "other"]
"""Where deposits are made that no gateway of ours collects: an external id belongs to one of these."""

PaymentState = str
"""`pending`, `succeeded`, `failed` or `in_review`: a payment request's."""


class ReportKind(StrEnum):
    """What a gateway says of a payment."""

    PAID = "paid"
    FAILED = "failed"
    PENDING = "pending"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    METHOD_SAVED = "method_saved"
    """Of no payment: a page on which a payment method is saved was filled in, so it is time to ask about it."""


class DoubtKind(StrEnum):
    """What no rule settles, so that an operator decides. Stored as text and never renamed."""

    UNKNOWN_PAYMENT = "unknown_payment"
    OTHER_AMOUNT = "other_amount"
    OTHER_CURRENCY = "other_currency"
    PAID_TWICE = "paid_twice"
    NOT_CREDITABLE = "not_creditable"
    REFUNDED = "refunded"
    DISPUTED = "disputed"
    NO_ANSWER = "no_answer"


CREDITABLE = frozenset(
    {DoubtKind.UNKNOWN_PAYMENT, DoubtKind.OTHER_AMOUNT, DoubtKind.PAID_TWICE, DoubtKind.NOT_CREDITABLE}
)
"""Doubts about money that came and is on no balance: an operator may credit it."""

OF_MONEY_THAT_CAME = CREDITABLE | {DoubtKind.OTHER_CURRENCY}
"""Doubts about a charge that was paid: one of them is all that is said of a charge, however its payment goes on."""


@dataclass(frozen=True, slots=True)
class GatewayReport:
    """What a gateway says of one payment, in a webhook or when it is asked.

    `request_id` is ours, None where the gateway names none. `charge_reference` is the gateway's own id of what was
    charged, `detail` tells several refunds or disputes of one charge apart, `reason` is a code of the gateway, and
    `advice` another, where it says whether a charge that it refused may be tried again.
    """

    kind: ReportKind
    request_id: str | None = None
    charge_reference: str | None = None
    amount_cents: int | None = None
    currency: str | None = None
    reason: str | None = None
    detail: str | None = None
    advice: str | None = None


@dataclass(frozen=True, slots=True)
class RequestedPayment:
    """A payment request as it stands: what was asked for, its state, and by which charge it was paid, if it was."""

    state: PaymentState
    amount_cents: int
    currency: str
    charge_reference: str | None = None


class PaymentOutcome(StrEnum):
    """What becomes of a payment request."""

    CREDIT = "credit"
    FAIL = "fail"
    REVIEW = "review"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a report leads to: the request's outcome, and what an operator is told to decide, if anything."""

    outcome: PaymentOutcome
    doubt: DoubtKind | None = None


NOTHING = Verdict(PaymentOutcome.NOTHING)


def verdict_on(request: RequestedPayment | None, report: GatewayReport) -> Verdict:
    """What follows from the report for the request; None: no request of ours is meant.

    Money is credited where what was paid is what was asked for, also after the request had failed. What was
    settled stays so: a late or repeated report changes nothing, and another charge for it is told to operators.

    >>> asked = RequestedPayment("pending", 5000, "EUR")
    >>> verdict_on(asked, GatewayReport(ReportKind.PAID, charge_reference="c1", amount_cents=5000, currency="EUR"))
    Verdict(outcome=<PaymentOutcome.CREDIT: 'credit'>, doubt=None)
    >>> verdict_on(asked, GatewayReport(ReportKind.PAID, amount_cents=4000, currency="EUR")).doubt
    <DoubtKind.OTHER_AMOUNT: 'other_amount'>
    """
    if report.kind is ReportKind.REFUNDED:
        return Verdict(PaymentOutcome.NOTHING, DoubtKind.REFUNDED)
    if report.kind is ReportKind.DISPUTED:
        return Verdict(PaymentOutcome.NOTHING, DoubtKind.DISPUTED)
    if report.kind is ReportKind.PAID:
        return _paid(request, report)
    if report.kind is ReportKind.FAILED and request is not None and request.state == "pending":
        return Verdict(PaymentOutcome.FAIL)
    return NOTHING


def _paid(request: RequestedPayment | None, report: GatewayReport) -> Verdict:
    if request is None:
        return Verdict(PaymentOutcome.NOTHING, DoubtKind.UNKNOWN_PAYMENT)
    if request.state == "succeeded":
        is_same = report.charge_reference in (None, request.charge_reference)
        return NOTHING if is_same else Verdict(PaymentOutcome.NOTHING, DoubtKind.PAID_TWICE)
    doubt = None
    if report.currency != request.currency:
        doubt = DoubtKind.OTHER_CURRENCY
    elif report.amount_cents != request.amount_cents:
        doubt = DoubtKind.OTHER_AMOUNT
    return Verdict(PaymentOutcome.CREDIT) if doubt is None else Verdict(PaymentOutcome.REVIEW, doubt)
