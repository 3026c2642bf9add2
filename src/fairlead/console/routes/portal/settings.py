"""Settings: the company as the marketplace knows it, what the provider is told, its team and its API keys."""

from fastapi import APIRouter, Response

from fairlead.api.resources import MarketplaceDatabase
from fairlead.console.entered_amount import entered_amount
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.routes.portal.frame import Reader, render_portal
from fairlead.console.routes.portal.message_kinds import KINDS
from fairlead.core.permissions import Permission
from fairlead.flows.configuration.billing_details import read_billing_details
from fairlead.flows.configuration.own_provider import read_own_profile
from fairlead.flows.configuration.versions import preferences_version
from fairlead.flows.notifications.endpoint_reading import endpoints_of
from fairlead.flows.notifications.preferences import notification_preferences
from fairlead.store.portal.own_users import users_of_provider

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/portal/settings")
def show_settings(page: PageOfRequest, caller: Reader, marketplace: MarketplaceDatabase) -> Response:
    """What the provider may look at and change of itself."""
    profile = read_own_profile(caller.database, caller.provider_id)
    preferences = notification_preferences(caller.database, caller.provider_id)
    # Of its users the provider's own database shows no more than whose a key is.
    users = marketplace.read(lambda conn: users_of_provider(conn, caller.provider_id))
    return render_portal(
        page,
        "settings.html",
        caller,
        company=profile.row,
        company_version=profile.version,
        currency=profile.currency,
        billing=read_billing_details(caller.database, caller.provider_id),
        threshold=entered_amount(profile.row.low_balance_threshold_cents, profile.currency),
        messages=[(kind, title, preferences.get(kind, {})) for kind, title in KINDS.items()],
        preferences_version=preferences_version(caller.provider_id, preferences),
        has_endpoint=bool(endpoints_of(caller.database, caller.provider_id)),
        users=users,
        may_hold_keys=Permission.OWN_KEYS in caller.principal.permissions,
        own_user_id=caller.principal.user_id,
    )
