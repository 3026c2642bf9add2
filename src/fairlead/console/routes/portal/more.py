"""Why did I not get more leads: the provider's own numbers, each reason counted, and what would help."""

from fastapi import APIRouter, Response

from fairlead.api.resources import MarketplaceDatabase
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.routes.portal.frame import ActivityReader, render_portal
from fairlead.console.routes.portal.remedies import passed_by
from fairlead.console.terms import limit_lines, local_text
from fairlead.core.refusals import InsufficientBalance
from fairlead.flows.configuration.terms_in_force import terms_of_provider
from fairlead.flows.own_activity import ACTIVITY_DAYS, own_activity
from fairlead.store.lookups import marketplace_currency

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/portal/more")
def show_more(page: PageOfRequest, caller: ActivityReader, marketplace: MarketplaceDatabase) -> Response:
    """The last thirty days, by niche and subscription."""
    # From the journal and the queues, which the provider's own database does not show.
    activity = own_activity(marketplace, caller.provider_id)
    terms = terms_of_provider(marketplace, caller.provider_id)
    currency = caller.database.read(marketplace_currency)
    return render_portal(
        page,
        "more.html",
        caller,
        days=ACTIVITY_DAYS,
        terms={id: (each, limit_lines(each, currency, page.viewer)) for id, each in terms.items()},
        local_text=local_text,
        short_of_money=InsufficientBalance.reason,
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
