"""Paying in: a provider's own payments, and the page of the gateway on which each is made."""

from typing import Annotated

from fastapi import Path, Response
from pydantic import Field

from fairlead.api.access import OwnProvider, needs_own
from fairlead.api.bodies import Router
from fairlead.api.idempotency import RequireIdempotencyKey, refuses_keys
from fairlead.api.openapi import refuses
from fairlead.api.resources import ServerSettings
from fairlead.api.schemas.pagination import ByCursor, Page
from fairlead.api.schemas.payments import OwnPayment
from fairlead.api.schemas.values import Cents, RequestModel, ResponseModel, Uuid
from fairlead.core.permissions import Permission
from fairlead.delivery.sandbox_gateway import Answer
from fairlead.flows.access.read_limits import CHECKOUTS_OF_PROVIDER
from fairlead.flows.payments.gateways import open_gateway
from fairlead.flows.payments.request_payment import answer_as_test, open_checkout, read_request, request_payment
from fairlead.store.money.payment_requests import PaymentFilter, PaymentRequest, payments_page

router = Router(prefix="/api/v1/provider/payments", tags=["provider: money"])

Reader = Annotated[OwnProvider, needs_own(Permission.OWN_READ)]
Writer = Annotated[OwnProvider, needs_own(Permission.OWN_WRITE)]
Payer = Annotated[OwnProvider, needs_own(Permission.OWN_WRITE, CHECKOUTS_OF_PROVIDER)]
RequestId = Annotated[Uuid, Path(description="The payment's `request_id`.")]


class NewPayment(RequestModel):
    """How much is to be paid in."""

    amount_cents: Cents = Field(
        description="In minor units; between the marketplace's smallest and largest deposit.", examples=[5000]
    )


class CheckoutPage(ResponseModel):
    """Where the payment is made."""

    url: str = Field(
        description="The gateway's page. It leads back to the portal.",
        examples=["https://checkout.stripe.com/c/pay/cs_1"],
    )


class TestAnswer(RequestModel):
    """How the test gateway is to answer."""

    __test__ = False

    answer: Answer = Field(
        description="`pays`; `declines`; `pays_later`, half a minute from now; or `answers_twice`, saying twice that "
        "it was paid.",
        examples=["pays"],
    )


@router.get("")
def list_own_payments(page: ByCursor, caller: Reader) -> Page[OwnPayment]:
    """List the provider's payments, the newest first."""
    wanted = PaymentFilter(caller.provider_id)
    found = caller.database.read(lambda conn: payments_page(conn, wanted, page.after, page.probe))
    items, next_cursor = page.cut(found, lambda each: (each.created_at, each.item_id))
    return Page(items=[OwnPayment.model_validate(each) for each in items], next_cursor=next_cursor)


@router.post("", status_code=201, responses=refuses("payments_off", "too_many_payments"))
def create_own_payment(
    asked: NewPayment,
    caller: Writer,
    settings: ServerSettings,
    idempotency: RequireIdempotencyKey,
    response: Response,
) -> OwnPayment:
    """Ask for a payment. It is made on the page that `checkout` opens, and is on the balance when the gateway says so.

    Refused without a gateway, and while too many are not settled.
    """
    done = request_payment(
        caller.database,
        open_gateway(caller.database, settings),
        caller.provider_id,
        asked.amount_cents,
        caller.actor,
        idempotency.key_of(caller.principal, asked),
    )
    response.headers["Location"] = f"{router.prefix}/{done.request_id}"
    return _shown(read_request(caller.database, caller.provider_id, done.request_id))


@router.get("/{request_id}", responses=refuses("payment_unknown"))
def show_own_payment(request_id: RequestId, caller: Reader) -> OwnPayment:
    """Show a payment that was asked for."""
    return _shown(read_request(caller.database, caller.provider_id, request_id))


@router.post(
    "/{request_id}/checkout",
    responses=refuses("payment_unknown", "payment_settled", "payments_off", "gateway_unavailable"),
    dependencies=[refuses_keys("it asks the gateway outside of any transaction, and gives the same page each time")],
)
def open_own_checkout(request_id: RequestId, caller: Payer, settings: ServerSettings) -> CheckoutPage:
    """Open the gateway's page on which the payment is made: the same however often it is asked for."""
    url = open_checkout(
        caller.database,
        open_gateway(caller.database, settings),
        caller.provider_id,
        request_id,
        f"{settings.site_url or ''}/portal/payments/{request_id}",
    )
    return CheckoutPage(url=url)


@router.post("/{request_id}/test-answer", responses=refuses("payment_unknown"))
def answer_own_test_payment(request_id: RequestId, asked: TestAnswer, caller: Writer) -> OwnPayment:
    """Say how the test gateway answers for a payment of it. The first answer counts; no money stands behind it."""
    answer_as_test(caller.database, caller.provider_id, request_id, asked.answer)
    return _shown(read_request(caller.database, caller.provider_id, request_id))


def _shown(request: PaymentRequest) -> OwnPayment:
    return OwnPayment.model_validate(request)
