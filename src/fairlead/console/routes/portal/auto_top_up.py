"""Auto top-up: when it charges, how much, which payment method; and the test gateway's page for saving one."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Path, Response

from fairlead.api.access import OwnProvider, needs_own
from fairlead.api.resources import ServerSettings
from fairlead.api.schemas.values import Uuid
from fairlead.console.entered_amount import entered_amount
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.payment_words import reason_word
from fairlead.console.routes.portal.frame import Reader, render_portal
from fairlead.console.texts import noted
from fairlead.core.permissions import Permission
from fairlead.delivery.sandbox_gateway import TestCard
from fairlead.flows.configuration.own_provider import read_own_profile
from fairlead.flows.payments.auto_top_up import read_auto_top_up
from fairlead.flows.payments.saving_methods import require_test_saving

router = APIRouter(route_class=PageRoute, include_in_schema=False)

CARDS: Mapping[TestCard, tuple[str, str]] = {
    "pays": (noted("Pays"), noted("Every charge succeeds at once.")),
    "pays_later": (noted("Pays later"), noted("Every charge is under way first, and succeeds when it is asked about.")),
    "declines": (noted("Is declined"), noted("There is not enough money behind it. It is tried again.")),
    "declines_for_good": (noted("Is declined for good"), noted("It was lost: auto top-up goes off at once.")),
    "asks_its_owner": (noted("Asks its owner"), noted("The bank wants every charge confirmed: auto top-up goes off.")),
}


@router.get("/portal/auto-top-up")
def show_auto_top_up(page: PageOfRequest, caller: Reader, settings: ServerSettings) -> Response:
    """The terms, what was charged this month, and the payment method."""
    seen = read_auto_top_up(caller.database, caller.provider_id)
    profile = read_own_profile(caller.database, caller.provider_id)
    row = seen.row
    entered = {
        name: entered_amount(None if row is None else getattr(row, name), seen.currency)
        for name in ("threshold_cents", "amount_cents", "monthly_limit_cents")
    }
    return render_portal(
        page,
        "auto-top-up.html",
        caller,
        top_up=row,
        method=seen.method,
        charged_cents=seen.charged_cents,
        month_ends=seen.month_ends,
        month_zone=seen.month_zone,
        version=seen.version,
        balance=profile.row.balance,
        currency=seen.currency,
        gateway=settings.deposit_gateway,
        entered=entered,
        reason_word=reason_word,
    )


@router.get("/portal/test-gateway/method/{setup_id}")
def show_test_cards(
    page: PageOfRequest,
    caller: Annotated[OwnProvider, needs_own(Permission.OWN_WRITE)],
    setup_id: Annotated[Uuid, Path()],
) -> Response:
    """The test gateway's page on which one of its cards is saved."""
    require_test_saving(caller.database, caller.provider_id, setup_id)
    return render_portal(page, "test-gateway-method.html", caller, setup_id=setup_id, cards=list(CARDS.items()))
