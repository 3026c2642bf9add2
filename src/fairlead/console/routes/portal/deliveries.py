"""Deliveries: the webhook endpoint to which leads are sent, how it fares, and what it answered."""

from fastapi import APIRouter, Response

from fairlead.api.schemas.pagination import ByCursor, cursor_after
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.routes.portal.frame import Reader, render_portal
from fairlead.console.routes.portal.message_kinds import KINDS
from fairlead.flows.notifications.endpoint_reading import deliveries_to, endpoints_of

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/portal/deliveries")
def show_deliveries(page: PageOfRequest, caller: Reader, listed: ByCursor) -> Response:
    """The provider's endpoint, or how to have one, and its last deliveries."""
    seen = next(iter(endpoints_of(caller.database, caller.provider_id)), None)
    if seen is None:
        return render_portal(page, "deliveries.html", caller, endpoint=None)
    found = deliveries_to(
        caller.database, seen.endpoint.endpoint_id, listed.after, listed.limit, of_provider_id=caller.provider_id
    )
    cursor = cursor_after(found.next_after)
    return render_portal(
        page,
        "deliveries.html",
        caller,
        endpoint=seen.endpoint,
        version=seen.version,
        kinds=KINDS,
        deliveries=found.items,
        next_address=None if cursor is None else f"/portal/deliveries?cursor={cursor}",
    )
