"""Payment methods that Stripe keeps, and charging them without their owner: the calls, and what their answers say.

A method is named by Stripe's customer and its payment method, `cus_1:pm_1`. Each customer is made for one method, and
holds no more than that.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from fairlead.core.money.payments import GatewayReport, ReportKind
from fairlead.core.money.top_ups import AUTHENTICATION_REQUIRED
from fairlead.delivery.payment_gateway import (
    ChargeToMake,
    Checkout,
    GatewayUnavailable,
    MethodToSave,
    SavedMethod,
    SavingState,
)

if TYPE_CHECKING:
    from stripe import StripeClient

SETUP_ID = "fairlead_setup_id"
REQUEST_ID = "fairlead_request_id"
IS_AUTOMATIC = "fairlead_automatic"
"""Stands in the metadata of a charge that its owner did not make: only of these does the intent itself decide."""


def answered(call: Callable[[], Any]) -> Any:
    """What Stripe answers. Raises `GatewayUnavailable` for every error."""
    from stripe import StripeError

    try:
        return call()
    except StripeError as error:
        raise unavailable(error) from None


def unavailable(error: Any) -> GatewayUnavailable:
    """The error without its message, which may repeat what was sent; its kind and code say enough."""
    return GatewayUnavailable(f"{type(error).__name__}: {error.code or error.http_status}")


def open_saving(client: "StripeClient", saving: MethodToSave, return_url: str) -> Checkout:
    """There is a Checkout session on which a method is saved, open for a day."""
    named = {SETUP_ID: saving.setup_id}
    session = answered(
        lambda: client.v1.checkout.sessions.create(
            {
                "mode": "setup",
                "currency": saving.currency.lower(),
                "customer_creation": "always",
                "client_reference_id": saving.setup_id,
                "metadata": named,
                "setup_intent_data": {"metadata": named},
                "success_url": return_url,
                "cancel_url": return_url,
            },
            {"idempotency_key": f"setup-{saving.setup_id}"},
        )
    )
    if session.url is None:
        raise GatewayUnavailable("the session has no page")
    return Checkout(session.id, session.url)


def look_up_saving(client: "StripeClient", saving: MethodToSave) -> SavingState:
    """What the session has saved by now."""
    reference = saving.reference
    if reference is None:
        return SavingState()
    found = answered(
        lambda: client.v1.checkout.sessions.retrieve(reference, {"expand": ["setup_intent.payment_method"]})
    )
    session = cast("dict[str, Any]", found.to_dict())
    intent = cast("dict[str, Any]", session.get("setup_intent") or {})
    method = cast("dict[str, Any]", intent.get("payment_method") or {})
    customer = session.get("customer") or intent.get("customer")
    if session["status"] == "complete" and method and customer:
        return SavingState(SavedMethod(f"{customer}:{method['id']}", _label(method)))
    return SavingState(is_over=session["status"] == "expired")


def _label(method: Mapping[str, Any]) -> str:
    """How its owner knows it: the kind or brand, and its last digits."""
    kind = str(method["type"])
    own = cast("dict[str, Any]", method.get(kind) or {})
    named = str(own.get("brand") or kind).replace("_", " ")
    last = own.get("last4")
    return f"{named[:1].upper()}{named[1:]}" + (f" {last}" if last else "")


def charge(client: "StripeClient", to_make: ChargeToMake) -> GatewayReport:
    """The amount is charged, once: Stripe knows the key for a day at least, and gives the first answer again."""
    from stripe import CardError, InvalidRequestError, StripeError

    customer, _, method = to_make.method_reference.partition(":")
    try:
        intent = client.v1.payment_intents.create(
            {
                "amount": to_make.amount_cents,
                "currency": to_make.currency.lower(),
                "customer": customer,
                "payment_method": method,
                "off_session": True,
                "confirm": True,
                "metadata": {REQUEST_ID: to_make.request_id, IS_AUTOMATIC: "1"},
            },
            {"idempotency_key": f"charge-{to_make.request_id}"},
        )
    except CardError as error:
        body = cast("dict[str, Any]", error.json_body or {})
        return _refused(to_make.request_id, body.get("error") or {})
    except InvalidRequestError as error:
        # What is charged to is gone, or cannot be charged: no repetition will find it again.
        reason = str(error.code or "invalid_request")
        return GatewayReport(ReportKind.FAILED, to_make.request_id, reason=reason, advice="confirm_card_data")
    except StripeError as error:
        raise unavailable(error) from None
    return of_intent(intent.to_dict())[0]


def look_up_charge(client: "StripeClient", to_make: ChargeToMake) -> list[GatewayReport]:
    """What Stripe says of the charge, found among those to its customer, whom it has for this method alone."""
    customer = to_make.method_reference.partition(":")[0]
    found = answered(lambda: client.v1.payment_intents.list({"customer": customer, "limit": 100}))
    intents = cast("list[dict[str, Any]]", found.to_dict()["data"])
    return [each for intent in intents for each in of_intent(intent) if each.request_id == to_make.request_id]


def forget_method(client: "StripeClient", method_reference: str) -> None:
    """Stripe charges the method no more; one that it does not have is forgotten already."""
    from stripe import InvalidRequestError, StripeError

    try:
        client.v1.payment_methods.detach(method_reference.partition(":")[2])
    except InvalidRequestError:
        return
    except StripeError as error:
        raise unavailable(error) from None


def of_intent(intent: Mapping[str, Any]) -> list[GatewayReport]:
    """What a payment intent says of a charge that its owner did not make; nothing of any other."""
    metadata = cast("dict[str, str]", intent.get("metadata") or {})
    if IS_AUTOMATIC not in metadata:
        return []
    request_id, reference, status = metadata.get(REQUEST_ID), str(intent["id"]), intent["status"]
    if status == "succeeded":
        currency = str(intent["currency"]).upper()
        return [GatewayReport(ReportKind.PAID, request_id, reference, int(intent["amount_received"]), currency)]
    error = intent.get("last_payment_error")
    if status in ("requires_payment_method", "requires_action", "canceled"):
        return [_refused(request_id, error or {"code": AUTHENTICATION_REQUIRED if "action" in status else status})]
    return [GatewayReport(ReportKind.PENDING, request_id, reference)]


def _refused(request_id: str | None, error: Any) -> GatewayReport:
    """A charge that was refused. `advice_code` says whether it may be tried again, where the card's bank says so."""
    code, declined = error.get("code"), error.get("decline_code")
    needs_owner = AUTHENTICATION_REQUIRED in (code, declined)
    reason = AUTHENTICATION_REQUIRED if needs_owner else str(declined or code or "card_declined")
    intent = error.get("payment_intent")
    reference = None if intent is None else str(intent["id"])
    return GatewayReport(ReportKind.FAILED, request_id, reference, reason=reason, advice=error.get("advice_code"))
