"""A provider's auto top-up, and the payment method that it charges."""

from typing import Annotated

from fastapi import Response
from pydantic import Field, StrictBool

from fairlead.api.access import OwnProvider, needs_own
from fairlead.api.bodies import Router
from fairlead.api.conditional import ExpectedVersion, show_version
from fairlead.api.idempotency import refuses_keys
from fairlead.api.openapi import refuses
from fairlead.api.resources import ServerSettings
from fairlead.api.routes.provider.payments import CheckoutPage
from fairlead.api.schemas.auto_top_up import AutoTopUpState, shown_top_up
from fairlead.api.schemas.values import Cents, RequestModel, Uuid
from fairlead.core.permissions import Permission
from fairlead.delivery.sandbox_gateway import TestCard
from fairlead.flows.access.read_limits import CHECKOUTS_OF_PROVIDER
from fairlead.flows.payments.auto_top_up import SeenAutoTopUp, WantedTopUp, change_auto_top_up, read_auto_top_up
from fairlead.flows.payments.gateways import open_gateway
from fairlead.flows.payments.saving_methods import answer_as_test_card, forget_method, open_saving

router = Router(prefix="/api/v1/provider/auto-top-up", tags=["provider: money"])

Reader = Annotated[OwnProvider, needs_own(Permission.OWN_READ)]
Writer = Annotated[OwnProvider, needs_own(Permission.OWN_WRITE)]
Saver = Annotated[OwnProvider, needs_own(Permission.OWN_WRITE, CHECKOUTS_OF_PROVIDER)]


class NewAutoTopUp(RequestModel):
    """When the saved payment method is charged, and how much."""

    threshold_cents: Cents = Field(description="Below which balance it is topped up, in minor units.", examples=[2000])
    amount_cents: Cents = Field(
        description="How much is charged at once, in minor units; between the marketplace's smallest and largest "
        "deposit.",
        examples=[5000],
    )
    monthly_limit_cents: Cents = Field(
        description="The most that is charged in a month of the marketplace's calendar, in minor units.",
        examples=[50_000],
    )
    is_on: StrictBool = Field(description="Whether it is on. That needs a saved payment method.", examples=[False])


class ChosenTestCard(RequestModel):
    """Which of the test gateway's cards is saved."""

    setup_id: Uuid = Field(description="The id in the address of the test gateway's page.")
    card: TestCard = Field(
        description="`pays`; `pays_later`, when it is asked again; `declines`, to be tried again; `declines_for_good`; "
        "or `asks_its_owner`, who would have to confirm each charge.",
        examples=["pays"],
    )


@router.get("", responses=refuses("provider_unknown"))
def show_own_auto_top_up(caller: Reader, response: Response) -> AutoTopUpState:
    """Show the auto top-up, what it charged this month, and the ETag that a change has to name."""
    return _shown(read_auto_top_up(caller.database, caller.provider_id), response)


@router.put("", responses=refuses("provider_unknown", "payment_method_missing"))
def replace_own_auto_top_up(
    asked: NewAutoTopUp, expected: ExpectedVersion, caller: Writer, response: Response
) -> AutoTopUpState:
    """Set the auto top-up, and switch it on or off. Switched on, a balance that is low already is topped up at once."""
    wanted = WantedTopUp(asked.threshold_cents, asked.amount_cents, asked.monthly_limit_cents, asked.is_on)
    done = change_auto_top_up(caller.database, caller.provider_id, wanted, caller.actor, expected_version=expected)
    return _shown(done, response)


@router.post(
    "/method",
    responses=refuses("payments_off", "too_many_payments", "gateway_unavailable"),
    dependencies=[refuses_keys("it asks the gateway outside of any transaction, and nothing is charged")],
)
def open_own_saving(caller: Saver, settings: ServerSettings) -> CheckoutPage:
    """Open the gateway's page on which a payment method is saved. The one that there is stays until then."""
    url = open_saving(
        caller.database,
        open_gateway(caller.database, settings),
        caller.provider_id,
        f"{settings.site_url or ''}/portal/auto-top-up",
        caller.actor,
    )
    return CheckoutPage(url=url)


@router.delete(
    "/method", status_code=204, response_class=Response, responses=refuses("provider_unknown", "gateway_unavailable")
)
def forget_own_method(caller: Writer, settings: ServerSettings) -> None:
    """Forget the saved payment method, here and at the gateway. The auto top-up is off then."""
    forget_method(caller.database, open_gateway(caller.database, settings), caller.provider_id, caller.actor)


@router.post("/method/test-card", responses=refuses("payment_unknown"))
def choose_own_test_card(asked: ChosenTestCard, caller: Writer) -> AutoTopUpState:
    """Say which test card is saved at the test gateway. The first choice counts; no money stands behind it."""
    answer_as_test_card(caller.database, caller.provider_id, asked.setup_id, asked.card)
    return shown_top_up(read_auto_top_up(caller.database, caller.provider_id))


def _shown(seen: SeenAutoTopUp, response: Response) -> AutoTopUpState:
    show_version(response, seen.version)
    return shown_top_up(seen)
