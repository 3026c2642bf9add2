"""Paying in through a gateway: asking for the amount, and opening the page on which it is paid."""

from dataclasses import dataclass
from datetime import timedelta

from fairlead.core.errors import BadInput, Refused
from fairlead.core.model import MAX_AMOUNT_CENTS
from fairlead.delivery.payment_gateway import PaymentGateway, PaymentToCollect
from fairlead.delivery.sandbox_gateway import NAME, Answer, answers_at
from fairlead.flows.idempotency import IdempotencyKey, run_idempotent
from fairlead.flows.payments.ask_again import FIRST_ASKED_AFTER
from fairlead.flows.payments.gateways import needing_an_answer
from fairlead.flows.payments.payment_audit import requested_event
from fairlead.store.audit.log import Actor, append_audit
from fairlead.store.configuration.marketplace import marketplace_row
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id
from fairlead.store.money.payment_requests import (
    NewPaymentRequest,
    PaymentRequest,
    ask_soon,
    insert_request,
    keep_checkout,
    payment_request,
    pending_count,
)
from fairlead.store.money.sandbox_charges import insert_sandbox_charge

MOST_PENDING = 20
"""Of one provider in a day: each is asked about until it is settled.

Counted without a lock: of requests at once each may find room for itself, and so many are beyond it. That is meant: it
bounds how often gateways are asked, a few more cost a few questions, and none is collected before it is paid. A lock
would be the provider's, for which decisions would wait.
"""


@dataclass(frozen=True, slots=True)
class PaymentRequested:
    """A payment that was asked for and waits to be made (amount in cents)."""

    request_id: str
    provider_id: str
    gateway: str
    amount_cents: int
    currency: str


def request_payment(
    database: Database,
    gateway: PaymentGateway | None,
    provider_id: str,
    amount_cents: int,
    actor: Actor,
    idempotency_key: IdempotencyKey | None = None,
) -> PaymentRequested:
    """The provider's payment is asked for, and pending. Nothing is collected yet: `open_checkout` says where it is.

    One transaction, audited; no call to the gateway. Raises `BadInput` for less than the marketplace's smallest or
    more than its largest deposit, and `Refused`: `payments_off`, `too_many_payments`, `idempotency_key_reused`.
    """
    checked = checked_id(provider_id, "provider")
    name = required_gateway(gateway).name

    def work(conn: Connection) -> PaymentRequested:
        row, now = marketplace_row(conn), clock(conn)
        check_amount(amount_cents, row.min_deposit_cents, row.max_deposit_cents)
        if pending_count(conn, checked, now - timedelta(days=1)) >= MOST_PENDING:
            raise Refused("too_many_payments", f"{MOST_PENDING} payments of today are not settled yet")
        request = NewPaymentRequest(new_id(conn), checked, name, amount_cents, row.currency, now + FIRST_ASKED_AFTER)
        insert_request(conn, request, now)
        append_audit(conn, [requested_event(request, actor)], now)
        return PaymentRequested(request.request_id, checked, name, amount_cents, row.currency)

    return database.run(lambda conn: run_idempotent(conn, idempotency_key, PaymentRequested, lambda: work(conn)))


def required_gateway(gateway: PaymentGateway | None) -> PaymentGateway:
    """The gateway. Raises `Refused`: `payments_off` where there is none."""
    if gateway is None:
        raise Refused("payments_off", "this marketplace collects no deposits itself")
    return gateway


def check_amount(amount_cents: int, smallest: int | None, largest: int | None) -> None:
    """Raises `BadInput` for an amount that is outside of the marketplace's bounds of deposits."""
    least, most = smallest or 1, min(largest or MAX_AMOUNT_CENTS, MAX_AMOUNT_CENTS)
    if not least <= amount_cents <= most:
        raise BadInput([f"amount_cents: must be between {least} and {most}, not {amount_cents}"])


def open_checkout(
    database: Database, gateway: PaymentGateway | None, provider_id: str, request_id: str, return_url: str
) -> str:
    """The address of the page on which the provider's payment is made, the same however often it is asked for.

    A transaction, a call to the gateway, a transaction. Raises `BadInput`, and `Refused`: `payment_unknown`,
    `payment_settled`, `payments_off`, `gateway_unavailable`.
    """
    request = read_request(database, provider_id, request_id)
    if request.state != "pending":
        raise Refused("payment_settled", f"the payment is {request.state.replace('_', ' ')} already")
    if request.checkout_url is not None:
        return request.checkout_url
    opened = required_gateway(gateway)
    if opened.name != request.gateway:
        raise Refused("payments_off", f"{request.gateway} collects no deposits here any more")
    payment = PaymentToCollect(request.request_id, request.amount_cents, request.currency)
    with needing_an_answer(opened):
        checkout = opened.open_checkout(payment, return_url)

    def keep(conn: Connection) -> None:
        keep_checkout(conn, request.request_id, checkout.reference, checkout.url)

    database.run(keep)
    return checkout.url


def answer_as_test(database: Database, provider_id: str, request_id: str, answer: Answer) -> PaymentRequest:
    """The test gateway will answer like this for the provider's payment, once; a later choice changes nothing.

    Raises `BadInput`, and `Refused`: `payment_unknown`, also for a payment of another gateway.
    """
    checked, request_id = checked_id(provider_id, "provider"), checked_id(request_id, "payment")

    def work(conn: Connection) -> PaymentRequest:
        request = payment_request(conn, request_id, checked)
        if request is None or request.gateway != NAME:
            raise _unknown(request_id)
        at = answers_at(answer, clock(conn))
        if insert_sandbox_charge(conn, request_id, checked, answer, request.amount_cents, request.currency, at):
            ask_soon(conn, request_id, at)
        return request

    return database.run(work)


def read_request(database: Database, provider_id: str, request_id: str) -> PaymentRequest:
    """The provider's payment as it stands. Raises `BadInput`, and `Refused`: `payment_unknown`."""
    checked, request_id = checked_id(provider_id, "provider"), checked_id(request_id, "payment")
    request = database.read(lambda conn: payment_request(conn, request_id, checked))
    if request is None:
        raise _unknown(request_id)
    return request


def _unknown(request_id: str) -> Refused:
    return Refused("payment_unknown", f"there is no payment {request_id}")
