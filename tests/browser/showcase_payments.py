"""Payments of the showcase: one that waits, one that failed, and one of each kind of doubt that is common."""

from fairlead.core.payments import GatewayReport, ReportKind
from fairlead.flows.payments.gateways import sandbox_gateway
from fairlead.flows.payments.request_payment import open_checkout, request_payment
from fairlead.flows.payments.take_report import take_report
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database


def add_payments(database: Database, provider_id: str) -> None:
    """The provider's payments by the test gateway, and what it reports of them."""
    gateway = sandbox_gateway(database)
    asked = [request_payment(database, gateway, provider_id, cents, OPERATOR) for cents in (50_000, 120_000, 30_000)]
    for each in asked:
        open_checkout(database, gateway, provider_id, each.request_id, "/portal/payments")
    _, paid, failed = (each.request_id for each in asked)
    for report in (
        GatewayReport(ReportKind.PAID, paid, "test_charge_1", 100_000, "EUR"),
        GatewayReport(ReportKind.PAID, None, "test_charge_2", 25_000, "EUR"),
        GatewayReport(ReportKind.DISPUTED, None, "test_charge_3", 80_000, "EUR", detail="dispute-1"),
        GatewayReport(ReportKind.FAILED, failed, reason="card_declined"),
    ):
        take_report(database, gateway.name, report)
