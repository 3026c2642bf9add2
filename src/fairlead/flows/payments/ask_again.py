"""Asking gateways what became of payments that they have not reported: a webhook may be lost."""

from collections import Counter
from datetime import datetime, timedelta

from fairlead.core.money.payments import DoubtKind, GatewayReport, ReportKind
from fairlead.delivery.payment_gateway import GatewayUnavailable, PaymentGateway, PaymentToCollect
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.payments.charge_top_ups import reports_of_charge
from fairlead.flows.payments.gateways import open_gateway
from fairlead.flows.payments.payment_audit import doubted_event, gateway_actor
from fairlead.flows.payments.take_report import take_report, tell_of_doubt
from fairlead.store.audit.log import append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.leads.rows import clock
from fairlead.store.money.payment_doubts import NewDoubt, insert_doubt
from fairlead.store.money.payment_requests import PaymentRequest, ask_again_at, lock_request, requests_to_ask
from fairlead.telemetry.errors import error_kind
from fairlead.telemetry.logs import get_logger

log = get_logger(__name__)

FIRST_ASKED_AFTER = timedelta(minutes=15)
"""Until then a payer is busy paying, and the gateway reports by itself."""

ASKED_AGAIN_AFTER = (
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
    timedelta(hours=18),
    timedelta(days=1),
    timedelta(days=2),
)
"""After each time that it was asked and the payment was still pending. Then an operator is told."""

ASKED_AT_ONCE = 20


def ask_gateways(maintenance: Maintenance) -> Counter[str]:
    """What the gateway says of payments that are due to be asked about is done; returns how many were asked about.

    Each is a call to the gateway outside of any transaction, then one transaction. A gateway that gives no answer is
    asked again later; a payment that stays pending through all of `ASKED_AGAIN_AFTER` is in doubt. Safe to run any
    number of times at once. Raises `Unavailable`.
    """
    database = maintenance.database
    gateway = open_gateway(database, maintenance.settings)
    due = database.read(lambda conn: requests_to_ask(conn, clock(conn), ASKED_AT_ONCE))
    for request in due:
        ask_about(database, gateway, request)
    return Counter(payments=len(due))


def ask_about(database: Database, gateway: PaymentGateway | None, request: PaymentRequest) -> None:
    """What the gateway says of the request is done, and the request is asked about again later while it is pending."""
    for report in _reports(gateway, request, database.read(clock)):
        take_report(database, request.gateway, report)
    database.run(lambda conn: _postpone(conn, request.request_id))


def _reports(gateway: PaymentGateway | None, request: PaymentRequest, now: datetime) -> list[GatewayReport]:
    if request.checkout_reference is None and not request.is_automatic:
        # Its page was never handed out, so it cannot have been paid; one that is opened right now counts all the same.
        return [GatewayReport(ReportKind.FAILED, request.request_id, reason="not_begun")]
    if gateway is None or gateway.name != request.gateway:
        return []
    payment = PaymentToCollect(
        request.request_id, request.amount_cents, request.currency, request.checkout_reference, request.ask_count
    )
    try:
        if request.is_automatic:
            return reports_of_charge(gateway, request, now)
        return list(gateway.look_up(payment))
    except GatewayUnavailable as error:
        log.warning("payment gateway gave no answer", action=request.gateway, error=error_kind(error))
        return []


def _postpone(conn: Connection, request_id: str) -> None:
    request = lock_request(conn, request_id)
    if request is None or request.state != "pending":
        return
    now = clock(conn)
    if request.ask_count < len(ASKED_AGAIN_AFTER):
        ask_again_at(conn, request_id, now + ASKED_AGAIN_AFTER[request.ask_count], counts=True)
        return
    ask_again_at(conn, request_id, None, counts=True)
    doubt = NewDoubt(
        new_id(conn), DoubtKind.NO_ANSWER, request.gateway, request_id, request_id, None, request.amount_cents,
        request.currency,
    )  # fmt: skip
    if insert_doubt(conn, doubt, now):
        tell_of_doubt(conn, doubt, now)
        append_audit(conn, [doubted_event(doubt, gateway_actor(request.gateway))], now)
