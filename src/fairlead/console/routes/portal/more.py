"""Why did I not get more leads: the provider's own numbers, each reason counted, and what would help."""

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from fairlead.api.resources import MarketplaceDatabase
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.periods import TITLES
from fairlead.console.routes.portal.frame import ActivityReader, render_portal
from fairlead.console.routes.portal.remedies import passed_by
from fairlead.console.terms import limit_lines, local_text
from fairlead.core.own_standing import NOT_TOLD_APART
from fairlead.core.refusals import InsufficientBalance
from fairlead.flows.configuration.terms_in_force import terms_of_provider
from fairlead.flows.reporting.own_activity import own_activity
from fairlead.flows.reporting.own_figures import own_figures
from fairlead.flows.reporting.reports import AskedDays
from fairlead.store.lookups import marketplace_currency

router = APIRouter(route_class=PageRoute, include_in_schema=False)


Span = Literal["30", "90", "365"]
SPANS: Mapping[Span, str] = {"30": TITLES["30"], "90": TITLES["90"], "365": TITLES["365"]}


@router.get("/portal/more")
def show_more(
    page: PageOfRequest,
    caller: ActivityReader,
    marketplace: MarketplaceDatabase,
    days: Annotated[Span, Query()] = "30",
) -> Response:
    """The last days in figures, beside as many before, then by niche and subscription."""
    # From the journal and the queues, which the provider's own database does not show.
    terms = terms_of_provider(marketplace, caller.provider_id)
    currency = caller.database.read(marketplace_currency)
    activity = own_activity(marketplace, caller.provider_id, days=int(days))
    asked = AskedDays(timezone=page.viewer.zone_name, usual_days=int(days))
    return render_portal(
        page,
        "more.html",
        caller,
        terms={id: (each, limit_lines(each, currency, page.viewer)) for id, each in terms.items()},
        local_text=local_text,
        days=int(days),
        spans=[(title, f"/portal/more?days={each}", each == days) for each, title in SPANS.items()],
        own=own_figures(caller.database, caller.provider_id, asked),
        short_of_money=InsufficientBalance.reason,
        not_told_apart=NOT_TOLD_APART,
        niches=[
            (
                niche,
                [
                    (each, passed_by(each.refused, each.owned.seen.row.subscription.subscription_id))
                    for each in niche.subscriptions
                ],
            )
            for niche in activity.niches
        ],
    )
