"""Paying in: the amount, the gateway's page, every payment with its state; and the test gateway's own page."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Response

from fairlead.api.access import OwnProvider, needs_own
from fairlead.api.resources import ServerSettings
from fairlead.api.schemas.pagination import ByCursor
from fairlead.api.schemas.values import Uuid
from fairlead.console.entered_amount import entered_amount
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.payment_words import GATEWAYS, reason_word
from fairlead.console.routes.portal.frame import Reader, render_portal
from fairlead.console.texts import noted
from fairlead.core.errors import Refused
from fairlead.core.permissions import Permission
from fairlead.delivery.sandbox_gateway import NAME, Answer
from fairlead.flows.configuration.own_provider import read_own_profile
from fairlead.flows.payments.request_payment import read_request
from fairlead.store.configuration.marketplace import marketplace_row
from fairlead.store.money.payment_requests import PaymentFilter, payments_page

router = APIRouter(route_class=PageRoute, include_in_schema=False)

ANSWERS: Mapping[Answer, tuple[str, str]] = {
    "pays": (noted("Pay"), noted("The payment succeeds at once.")),
    "pays_later": (noted("Pay, reported late"), noted("The gateway reports it half a minute from now.")),
    "answers_twice": (noted("Pay, reported twice"), noted("The gateway reports it twice; it is credited once.")),
    "declines": (noted("Decline"), noted("The card is declined.")),
}


@router.get("/portal/payments")
def show_payments(page: PageOfRequest, caller: Reader, settings: ServerSettings, keyset: ByCursor) -> Response:
    """What the provider paid in, the newest first, and paying in more."""
    profile = read_own_profile(caller.database, caller.provider_id)
    bounds, found = caller.database.read(
        lambda conn: (
            marketplace_row(conn),
            payments_page(conn, PaymentFilter(caller.provider_id), keyset.after, keyset.probe),
        )
    )
    payments, cursor = keyset.cut(found, lambda each: (each.created_at, each.item_id))
    return render_portal(
        page,
        "payments.html",
        caller,
        balance=profile.row.balance,
        currency=profile.currency,
        gateway=settings.deposit_gateway,
        digits=entered_amount(None, profile.currency).digits,
        smallest_cents=bounds.min_deposit_cents,
        largest_cents=bounds.max_deposit_cents,
        payments=payments,
        gateways=GATEWAYS,
        reason_word=reason_word,
        next_address=None if cursor is None else f"/portal/payments?cursor={cursor}",
    )


@router.get("/portal/payments/{request_id}")
def show_payment(page: PageOfRequest, caller: Reader, request_id: Annotated[Uuid, Path()]) -> Response:
    """One payment: where it is made while it waits, and what became of it."""
    return render_portal(
        page,
        "payment.html",
        caller,
        payment=read_request(caller.database, caller.provider_id, request_id),
        gateways=GATEWAYS,
        reason_word=reason_word,
    )


@router.get("/portal/test-gateway/{request_id}")
def show_test_gateway(
    page: PageOfRequest,
    caller: Annotated[OwnProvider, needs_own(Permission.OWN_WRITE)],
    request_id: Annotated[Uuid, Path()],
) -> Response:
    """The test gateway's page: how it is to answer for this payment."""
    payment = read_request(caller.database, caller.provider_id, request_id)
    if payment.gateway != NAME:
        raise Refused("payment_unknown", f"there is no test payment {request_id}")
    return render_portal(page, "test-gateway.html", caller, payment=payment, answers=list(ANSWERS.items()))
