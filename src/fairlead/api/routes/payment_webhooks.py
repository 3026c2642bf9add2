"""What payment gateways report by webhook, each believed by its signature alone."""

from typing import Annotated

from fastapi import Request, Response

from fairlead.api.access import public
from fairlead.api.bodies import Router, raw_body
from fairlead.api.idempotency import refuses_keys
from fairlead.api.openapi import refuses
from fairlead.api.resources import MarketplaceDatabase, ServerSettings
from fairlead.core.errors import Refused
from fairlead.delivery.payment_gateway import EventRefused
from fairlead.delivery.stripe_gateway import NAME
from fairlead.flows.access.throttle import PAYMENT_WEBHOOKS_OF_NETWORK
from fairlead.flows.payments.gateways import open_gateway
from fairlead.flows.payments.take_report import take_report

router = Router(prefix="/api/v1/webhooks", tags=["webhooks"])

MOST_BYTES = 262_144


@router.post(
    "/stripe",
    status_code=204,
    response_class=Response,
    responses=refuses("payments_off", "webhook_refused"),
    dependencies=[
        public(
            "Stripe has no login here: its signature over the body is what is believed",
            from_anywhere=True,
            limit=PAYMENT_WEBHOOKS_OF_NETWORK,
        ),
        refuses_keys("a report has its one effect by what it is about, however often it is sent"),
    ],
)
def take_stripe_event(
    request: Request,
    body: Annotated[bytes, raw_body(MOST_BYTES)],
    database: MarketplaceDatabase,
    settings: ServerSettings,
) -> None:
    """Take an event of Stripe's: what follows is done, once, however often and in whatever order events come.

    The header `Stripe-Signature` is checked over the body as it came. An event about no payment changes nothing.
    """
    gateway = open_gateway(database, settings)
    if gateway is None or gateway.name != NAME:
        raise Refused("payments_off", "Stripe collects no deposits here")
    try:
        reports = gateway.read_event(body, request.headers)
    except EventRefused as error:
        raise Refused("webhook_refused", str(error)) from None
    for report in reports:
        take_report(database, gateway.name, report)
