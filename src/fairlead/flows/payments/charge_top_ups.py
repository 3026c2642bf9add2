"""Charging saved methods of providers whose balance fell below the threshold of their auto top-up."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

from fairlead.core.calendar.local_time import Period, window_at, zone_named
from fairlead.core.money.payments import GatewayReport
from fairlead.core.money.top_ups import CHARGED_FOR_CERTAIN, NoCharge
from fairlead.delivery.payment_gateway import ChargeToMake, GatewayUnavailable, PaymentGateway
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.payments.gateways import open_gateway
from fairlead.flows.payments.payment_audit import requested_event
from fairlead.flows.payments.take_report import take_report
from fairlead.flows.payments.top_up_results import tell_of_failure
from fairlead.store.audit.log import SYSTEM, append_audit
from fairlead.store.configuration.marketplace import marketplace_row
from fairlead.store.configuration.rows import lock_providers
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.leads.rows import clock
from fairlead.store.money.auto_top_ups import (
    AutoTopUp,
    auto_top_up,
    charged_since,
    due_provider_ids,
    is_charge_open,
    write_auto_top_up,
)
from fairlead.store.money.payment_requests import (
    NewPaymentRequest,
    PaymentRequest,
    ToSavedMethod,
    insert_request,
    payment_request,
)
from fairlead.store.money.saved_methods import method_of_provider
from fairlead.telemetry.errors import error_kind
from fairlead.telemetry.logs import get_logger

log = get_logger(__name__)

CHARGED_AT_ONCE = 20

ASKED_AFTER = timedelta(minutes=2)
"""Where the answer to a charge was lost, or is that it is under way."""

PUT_OFF = timedelta(hours=1)
"""While nothing can be charged: the provider is not active, or another gateway collects."""


def charge_top_ups(maintenance: Maintenance) -> Counter[str]:
    """Of the auto top-ups that are due, those whose balance is low are charged; returns how many were.

    Each is a transaction, which says what is to be charged, then a call to the gateway outside of any, then a
    transaction for its answer. Where that is lost, the gateway is asked (`ask_again`). Safe to run any number of times
    at once: of a provider one charge is under way. Raises `Unavailable`.
    """
    database = maintenance.database
    gateway = open_gateway(database, maintenance.settings)
    due = database.read(lambda conn: due_provider_ids(conn, clock(conn), CHARGED_AT_ONCE))
    return Counter(charges=sum(top_up(database, gateway, provider_id) for provider_id in due))


def top_up(database: Database, gateway: PaymentGateway | None, provider_id: str) -> bool:
    """The provider is charged, once, if its auto top-up is due and its balance low; returns whether it was tried."""
    name = None if gateway is None else gateway.name
    request = database.run(lambda conn: _begin(conn, name, provider_id))
    if request is None or gateway is None:
        return False
    try:
        report = gateway.charge(_to_make(request))
    except GatewayUnavailable as error:
        log.warning("payment gateway gave no answer", action=gateway.name, error=error_kind(error))
        return True
    take_report(database, gateway.name, report)
    return True


def reports_of_charge(gateway: PaymentGateway, request: PaymentRequest, now: datetime) -> list[GatewayReport]:
    """What the gateway says of a charge whose answer was lost. One that it does not know is made, while that is safe.

    That is as long as the gateway knows its key for certain: then none is made twice. Raises `GatewayUnavailable`.
    """
    known = list(gateway.look_up_charge(_to_make(request)))
    if known or now - request.created_at > CHARGED_FOR_CERTAIN:
        return known
    return [gateway.charge(_to_make(request))]


def _to_make(request: PaymentRequest) -> ChargeToMake:
    assert request.method_reference is not None, "it is an auto top-up's"
    return ChargeToMake(
        request.request_id, request.amount_cents, request.currency, request.method_reference, request.ask_count
    )


def _begin(conn: Connection, gateway: str | None, provider_id: str) -> PaymentRequest | None:
    """What is to be charged now, on record; None where nothing is. Locks the provider."""
    provider = lock_providers(conn, [provider_id])[provider_id]
    row, now = auto_top_up(conn, provider_id), clock(conn)
    if row is None or row.due_at is None or row.due_at > now:
        return None
    method = method_of_provider(conn, provider_id)
    if method is None or is_charge_open(conn, provider_id):
        return _look_again(conn, row, None)  # the end of the charge that is open looks at the balance
    if provider.status != "active" or method.gateway != gateway:
        return _look_again(conn, row, now + PUT_OFF)
    market = marketplace_row(conn)
    month_from, month_ends = window_at(now, zone_named(market.timezone or "UTC"), Period.MONTH)
    assert month_from is not None, "a month begins"
    charged = charged_since(conn, provider_id, month_from)
    why_not = row.terms.charge(provider.balance.balance_cents, charged)
    if why_not is NoCharge.MONTHLY_LIMIT:
        tell_of_failure(conn, provider_id, row.amount_cents, why_not.value, month_ends, now)
        return _look_again(conn, row, month_ends)
    if why_not is not None:
        return _look_again(conn, row, None)
    assert method.method_reference is not None, "it is saved"
    to_method = ToSavedMethod(method.method_reference, row.monthly_limit_cents, charged, month_from)
    request = NewPaymentRequest(
        new_id(conn), provider_id, method.gateway, row.amount_cents, market.currency, now + ASKED_AFTER, to_method
    )
    insert_request(conn, request, now)
    _look_again(conn, row, None)
    append_audit(conn, [requested_event(request, SYSTEM)], now)
    return payment_request(conn, request.request_id)


def _look_again(conn: Connection, row: AutoTopUp, at: datetime | None) -> None:
    write_auto_top_up(conn, replace(row, due_at=at))
