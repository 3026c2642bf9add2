"""Taking what a gateway reports of a payment, in a webhook or when it was asked: one rule for both."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fairlead.core.errors import Refused
from fairlead.core.money.payments import (
    OF_MONEY_THAT_CAME,
    DoubtKind,
    GatewayReport,
    PaymentOutcome,
    ReportKind,
    RequestedPayment,
    Verdict,
    verdict_on,
)
from fairlead.core.money.top_ups import TopUpOutcome
from fairlead.flows.money.deposit import credit_deposit, record_deposit
from fairlead.flows.money.receipts import take_receipt_back
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.flows.notifications.alerts import alert_operators
from fairlead.flows.payments.payment_audit import doubted_event, gateway_actor, settled_event
from fairlead.flows.payments.top_up_results import charge_is_over, charge_was_refused
from fairlead.store.audit.log import AuditEvent, append_audit
from fairlead.store.configuration.rows import hold_currency
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.leads.rows import clock
from fairlead.store.money.payment_doubts import NewDoubt, insert_doubt, is_in_doubt
from fairlead.store.money.payment_requests import PaymentRequest, lock_request, request_id_of_charge, settle_request
from fairlead.store.money.receipts import receipt_of_payment
from fairlead.store.money.saved_methods import ask_about_saving
from fairlead.telemetry import metrics

LONGEST_REASON = 100


@dataclass(frozen=True, slots=True)
class TakenReport:
    """What came of a report: what was done with the request that it is about, and the doubt that it raised, if any.

    Of a repetition nothing came. `top_up` is what became of a charge of auto top-up that it settled.
    """

    request_id: str | None
    outcome: PaymentOutcome
    doubt: DoubtKind | None = None
    top_up: TopUpOutcome | None = None


def take_report(database: Database, gateway: str, report: GatewayReport) -> TakenReport:
    """What follows from the report is done, once, however often and in whatever order reports come.

    `core.payments.verdict_on` says what follows. Money that was asked for is on the balance (R9 as any deposit does);
    what no rule settles waits for an operator, who is told once. One transaction, audited; locks the payment request,
    then what `deposit` locks. Raises `Unavailable`.
    """

    if report.kind is ReportKind.METHOD_SAVED:
        database.run(lambda conn: _ask_about_method(conn, report.request_id))
        return TakenReport(None, PaymentOutcome.NOTHING)

    def work(conn: Connection, also: Sequence[str]) -> TakenReport:
        currency = hold_currency(conn)
        request = _locked_request(conn, gateway, report)
        verdict = _verdict(request, report, currency)
        if request is not None and verdict.outcome is PaymentOutcome.CREDIT:
            refused = _credit(conn, also, request, report)
            if refused is None:
                top_up = TopUpOutcome.CHARGED if request.is_automatic else None
                return TakenReport(request.request_id, PaymentOutcome.CREDIT, None, top_up)
            verdict = Verdict(PaymentOutcome.REVIEW, refused)
        return _settle(conn, gateway, request, report, verdict)

    taken = with_niche_locks(database, work)
    if taken.top_up is not None:
        metrics.top_up_settled(taken.top_up)
    return taken


def _ask_about_method(conn: Connection, named: str | None) -> None:
    """What a webhook says of a saved method is a hint: the gateway is asked, by workers, at once."""
    setup_id = _uuid(named)
    if setup_id is not None:
        ask_about_saving(conn, setup_id, clock(conn))


def _locked_request(conn: Connection, gateway: str, report: GatewayReport) -> PaymentRequest | None:
    """The request that the report is about, locked; None where it is none of ours, or of another gateway."""
    request_id = _uuid(report.request_id)
    if request_id is None and report.charge_reference is not None:
        request_id = request_id_of_charge(conn, gateway, report.charge_reference)
    request = None if request_id is None else lock_request(conn, request_id)
    return request if request is not None and request.gateway == gateway else None


def _uuid(text: str | None) -> str | None:
    try:
        return None if text is None else str(UUID(text))
    except ValueError:
        return None


def _verdict(request: PaymentRequest | None, report: GatewayReport, currency: str) -> Verdict:
    if request is None:
        return verdict_on(None, report)
    asked = RequestedPayment(request.state, request.amount_cents, request.currency, request.charge_reference)
    verdict = verdict_on(asked, report)
    if verdict.outcome is PaymentOutcome.CREDIT and request.currency != currency:
        return Verdict(PaymentOutcome.REVIEW, DoubtKind.OTHER_CURRENCY)
    return verdict


def _credit(conn: Connection, also: Sequence[str], request: PaymentRequest, report: GatewayReport) -> DoubtKind | None:
    """The request's amount is on the balance, and the request succeeded; or why it cannot be, and nothing changed."""
    actor = gateway_actor(request.gateway)
    external_id = report.charge_reference or request.request_id
    other = request_id_of_charge(conn, request.gateway, external_id)
    if other is not None and other != request.request_id:
        return DoubtKind.PAID_TWICE
    try:
        credited = credit_deposit(
            conn, also, request.provider_id, request.amount_cents, request.gateway, external_id, actor
        )
    except Refused:  # more than a balance holds; or an operator credited the charge to another provider
        return DoubtKind.NOT_CREDITABLE
    payment_id = credited.deposited.payment_id
    settle_request(conn, request.request_id, "succeeded", None, payment_id, credited.at)
    charge_is_over(conn, request, credited.at, credited.deposited)
    settled = settled_event(request, "succeeded", None, payment_id, actor)
    record_deposit(conn, credited, actor, settled)
    return None


def _settle(
    conn: Connection, gateway: str, request: PaymentRequest | None, report: GatewayReport, verdict: Verdict
) -> TakenReport:
    request_id = None if request is None else request.request_id
    now, events, actor = clock(conn), list[AuditEvent](), gateway_actor(gateway)
    outcome, doubt, top_up = verdict.outcome, verdict.doubt, None
    if doubt is not None:
        new = _doubt(conn, gateway, request_id, report, doubt)
        if _is_said_again(conn, new) or not insert_doubt(conn, new, now):
            return TakenReport(request_id, PaymentOutcome.NOTHING)
        events.append(doubted_event(new, actor))
        tell_of_doubt(conn, new, now)
        events += _take_receipt_back(conn, gateway, report, now)
    if request is not None and outcome in (PaymentOutcome.FAIL, PaymentOutcome.REVIEW):
        state = "failed" if outcome is PaymentOutcome.FAIL else "in_review"
        reason = doubt.value if doubt is not None else (report.reason or "failed")[:LONGEST_REASON]
        settle_request(conn, request.request_id, state, reason, None, now)
        events.append(settled_event(request, state, reason, None, actor))
        if request.is_automatic and outcome is PaymentOutcome.REVIEW:
            top_up = TopUpOutcome.IN_DOUBT
        elif request.is_automatic:
            switched_off = charge_was_refused(conn, request, reason, report.advice, now)
            top_up = TopUpOutcome.SWITCHED_OFF if switched_off else TopUpOutcome.REFUSED
            events += switched_off
    append_audit(conn, events, now)
    return TakenReport(request_id, outcome, doubt, top_up)


def _is_said_again(conn: Connection, new: NewDoubt) -> bool:
    """Whether a second charge for a payment is one that was in doubt before another paid it: that is told already."""
    is_of_second = new.kind is DoubtKind.PAID_TWICE
    return is_of_second and is_in_doubt(conn, new.gateway, new.subject, OF_MONEY_THAT_CAME)


def _take_receipt_back(conn: Connection, gateway: str, report: GatewayReport, now: datetime) -> list[AuditEvent]:
    """Of a charge that was refunded whole the receipt is taken back. Of a part of it an operator decides."""
    if report.kind is not ReportKind.REFUNDED or report.charge_reference is None:
        return []
    row = receipt_of_payment(conn, gateway, report.charge_reference)
    if row is None or (report.amount_cents, report.currency) != (row.gross_cents, row.currency):
        return []
    event = take_receipt_back(conn, row, gateway_actor(gateway), now)
    return [] if event is None else [event]


def _doubt(conn: Connection, gateway: str, request_id: str | None, report: GatewayReport, kind: DoubtKind) -> NewDoubt:
    named = report.charge_reference or report.request_id or "unnamed"
    is_of_part = report.kind in (ReportKind.REFUNDED, ReportKind.DISPUTED) and report.detail is not None
    subject = f"{named}:{report.detail}" if is_of_part else named
    return NewDoubt(
        new_id(conn),
        kind,
        gateway,
        subject[:250],
        request_id,
        report.charge_reference,
        # What came for nothing, as with a coupon, names no amount that could be credited.
        report.amount_cents or None,
        report.currency,
    )


def tell_of_doubt(conn: Connection, doubt: NewDoubt, now: datetime) -> None:
    """Operators will be told that this payment is in doubt."""
    lines = [
        f"What: {doubt.kind.value.replace('_', ' ')}, at the gateway {doubt.gateway}",
        f"Charge: {doubt.charge_reference or 'not named'}",
        "Decide on it at /money/payments/doubts in the console.",
    ]
    alert_operators(conn, "A payment is in doubt", lines, now, idempotency_key=f"payment_doubt:{doubt.doubt_id}")
