"""Payments of the showcase: one waits, one failed, one of each kind of doubt that is common; and auto top-up."""

from fairlead.core.money.payments import GatewayReport, ReportKind
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.payments.auto_top_up import WantedTopUp, change_auto_top_up
from fairlead.flows.payments.gateways import sandbox_gateway
from fairlead.flows.payments.request_payment import open_checkout, request_payment
from fairlead.flows.payments.saving_methods import answer_as_test_card, ask_about_savings, open_saving
from fairlead.flows.payments.take_report import take_report
from fairlead.settings import Settings
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
    _top_up(database, provider_id)


def _top_up(database: Database, provider_id: str) -> None:
    """The provider's auto top-up, on, with its card saved, and a page on which another may be."""
    page = open_saving(database, sandbox_gateway(database), provider_id, "/portal/auto-top-up", OPERATOR)
    answer_as_test_card(database, provider_id, page.rsplit("/", 1)[1], "pays")
    ask_about_savings(Maintenance(database, Settings.model_validate({"payment_gateway": "test"})))
    open_saving(database, sandbox_gateway(database), provider_id, "/portal/auto-top-up", OPERATOR)
    change_auto_top_up(database, provider_id, WantedTopUp(5_000, 50_000, 200_000, is_on=True), OPERATOR)
