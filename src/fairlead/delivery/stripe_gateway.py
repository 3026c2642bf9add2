"""Deposits that Stripe collects, by its own library: a Checkout page for each, and what Stripe's events say of it.

Stripe is told of a payment by our request id, which its objects repeat, and every call that makes something has an
idempotency key made of it. What the library is chosen for, and what it is kept from doing, says ADR 29.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from fairlead.core.money.payments import GatewayReport, ReportKind
from fairlead.delivery import stripe_methods
from fairlead.delivery.payment_gateway import (
    ChargeToMake,
    Checkout,
    EventRefused,
    GatewayUnavailable,
    MethodToSave,
    PaymentToCollect,
    SavingState,
)
from fairlead.delivery.stripe_methods import REQUEST_ID, SETUP_ID, answered, of_intent

if TYPE_CHECKING:
    from stripe import StripeClient

NAME = "stripe"
CONNECT_SECONDS, ANSWER_SECONDS = 3.0, 10.0
RETRIES = 2
TOLERANCE_SECONDS = 300
"""So old an event's signature may be: what is older was sent by another."""


class StripeGateway:
    """Stripe, for one account. `webhook_secrets` are those of its endpoint: two while one takes the other's place."""

    def __init__(self, secret_key: str, webhook_secrets: Sequence[str], api_base: str | None = None) -> None:
        self._secret_key, self._webhook_secrets, self._api_base = secret_key, tuple(webhook_secrets), api_base

    @property
    def name(self) -> str:
        """As payments name it."""
        return NAME

    def open_checkout(self, payment: PaymentToCollect, return_url: str) -> Checkout:
        """There is a Checkout session for the payment, open for a day. Raises `GatewayUnavailable`."""
        sessions = self._client.v1.checkout.sessions
        named = {REQUEST_ID: payment.request_id}
        session = answered(
            lambda: sessions.create(
                {
                    "mode": "payment",
                    "client_reference_id": payment.request_id,
                    "metadata": named,
                    "payment_intent_data": {"metadata": named},
                    "line_items": [
                        {
                            "quantity": 1,
                            "price_data": {
                                "currency": payment.currency.lower(),
                                "unit_amount": payment.amount_cents,
                                "product_data": {"name": "Deposit"},
                            },
                        }
                    ],
                    "success_url": return_url,
                    "cancel_url": return_url,
                },
                {"idempotency_key": f"checkout-{payment.request_id}"},
            )
        )
        if session.url is None:
            raise GatewayUnavailable("the session has no page")
        return Checkout(session.id, session.url)

    def look_up(self, payment: PaymentToCollect) -> Sequence[GatewayReport]:
        """What the payment's Checkout session says. Raises `GatewayUnavailable`."""
        reference = payment.checkout_reference
        if reference is None:
            return []
        session = answered(lambda: self._client.v1.checkout.sessions.retrieve(reference))
        return _of_session(cast("dict[str, Any]", session.to_dict()))

    def open_saving(self, saving: MethodToSave, return_url: str) -> Checkout:
        """There is a Checkout session on which a method is saved, open for a day. Raises `GatewayUnavailable`."""
        return stripe_methods.open_saving(self._client, saving, return_url)

    def look_up_saving(self, saving: MethodToSave) -> SavingState:
        """What its Checkout session has saved by now. Raises `GatewayUnavailable`."""
        return stripe_methods.look_up_saving(self._client, saving)

    def charge(self, charge: ChargeToMake) -> GatewayReport:
        """The amount is charged to the saved method, once, or refused. Raises `GatewayUnavailable`."""
        return stripe_methods.charge(self._client, charge)

    def look_up_charge(self, charge: ChargeToMake) -> Sequence[GatewayReport]:
        """What Stripe says of the charge. Raises `GatewayUnavailable`."""
        return stripe_methods.look_up_charge(self._client, charge)

    def forget_method(self, method_reference: str) -> None:
        """Stripe keeps the method no more. Raises `GatewayUnavailable`."""
        stripe_methods.forget_method(self._client, method_reference)

    def read_event(self, body: bytes, headers: Mapping[str, str]) -> Sequence[GatewayReport]:
        """What the event says of a payment; nothing for one that is about none. Raises `EventRefused`."""
        self._verify(body, headers.get("stripe-signature", ""))
        try:
            event = json.loads(body)
            kind, about = str(event["type"]), cast("dict[str, Any]", event["data"]["object"])
            read = _READERS.get(kind)
            return [] if read is None else read(about)
        except (ValueError, KeyError, TypeError) as error:
            raise EventRefused(f"it is no event: {type(error).__name__}") from None

    def _verify(self, body: bytes, signature: str) -> None:
        from stripe import SignatureVerificationError, WebhookSignature

        verify = cast("Callable[..., object]", WebhookSignature.verify_header)  # pyright: ignore[reportUnknownMemberType]
        # The library raises a TypeError over a signature with other letters: no signature has any.
        for secret in self._webhook_secrets if signature.isascii() else ():
            try:
                verify(body.decode(), signature, secret, TOLERANCE_SECONDS)
            except (SignatureVerificationError, UnicodeDecodeError):
                continue
            return
        raise EventRefused("its signature is not that of this endpoint, or is too old")

    @cached_property
    def _client(self) -> "StripeClient":
        from stripe import RequestsClient, StripeClient

        return StripeClient(
            self._secret_key,
            http_client=RequestsClient(timeout=(CONNECT_SECONDS, ANSWER_SECONDS)),
            max_network_retries=RETRIES,
            base_addresses=None if self._api_base is None else {"api": self._api_base},
        )


def _of_session(session: Mapping[str, Any]) -> list[GatewayReport]:
    """What a Checkout session says of its payment, whichever event it came with."""
    if session["mode"] == "setup":
        setup_id = cast("dict[str, str]", session.get("metadata") or {}).get(SETUP_ID)
        return [GatewayReport(ReportKind.METHOD_SAVED, setup_id)] if setup_id is not None else []
    if session["mode"] != "payment":
        return []
    if session["payment_status"] == "paid":
        return [_report(ReportKind.PAID, session, session["amount_total"])]
    if session["status"] == "expired":
        return [_report(ReportKind.FAILED, session, reason="expired")]
    return [_report(ReportKind.PENDING, session)]


def _of_failed_session(session: Mapping[str, Any]) -> list[GatewayReport]:
    return [_report(ReportKind.FAILED, session, reason="failed")]


def _of_refund(charge: Mapping[str, Any]) -> list[GatewayReport]:
    # Each further refund of the charge raises the sum, which tells one event from another.
    refunded = int(charge["amount_refunded"])
    return [_report(ReportKind.REFUNDED, charge, refunded, detail=f"refunded-{refunded}")]


def _of_dispute(dispute: Mapping[str, Any]) -> list[GatewayReport]:
    return [_report(ReportKind.DISPUTED, dispute, dispute["amount"], detail=str(dispute["id"]))]


_READERS = {
    "checkout.session.completed": _of_session,
    "checkout.session.async_payment_succeeded": _of_session,
    "checkout.session.async_payment_failed": _of_failed_session,
    "checkout.session.expired": _of_session,
    "payment_intent.succeeded": of_intent,
    "payment_intent.payment_failed": of_intent,
    "charge.refunded": _of_refund,
    "charge.dispute.created": _of_dispute,
}
"""By type of event. To every other type the answer is that it was received, and nothing follows."""


def _report(
    kind: ReportKind,
    about: Mapping[str, Any],
    amount_cents: int | None = None,
    *,
    reason: str | None = None,
    detail: str | None = None,
) -> GatewayReport:
    metadata = cast("dict[str, str]", about.get("metadata") or {})
    intent = about.get("payment_intent")
    currency = about.get("currency")
    return GatewayReport(
        kind,
        request_id=metadata.get(REQUEST_ID) or about.get("client_reference_id"),
        charge_reference=intent if isinstance(intent, str) else None,
        amount_cents=amount_cents,
        currency=None if currency is None else str(currency).upper(),
        reason=reason,
        detail=detail,
    )
