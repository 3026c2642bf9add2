"""The inbox: the leads that the provider bought, the newest first, with what is to be done about each."""

from dataclasses import replace
from typing import Annotated, Literal, TypeAlias

from fastapi import APIRouter, Query, Response

from fairlead.api.schemas.pagination import ByCursor, cursor_after
from fairlead.api.schemas.values import Slug
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.console.routes.portal.frame import Reader, render_portal
from fairlead.console.routes.portal.lead_words import lead_name
from fairlead.console.texts import noted
from fairlead.store.portal.inbox import InboxFilter, InboxItem, inbox_page

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Shown: TypeAlias = Literal["all", "unread", "open", "accepted", "rejected", "reported", "refunded"]

_TABS: tuple[tuple[Shown, str, InboxFilter], ...] = (
    ("all", noted("All"), InboxFilter()),
    ("unread", noted("Unread"), InboxFilter(is_viewed=False)),
    ("open", noted("Open"), InboxFilter(status="active")),
    ("accepted", noted("Accepted"), InboxFilter(status="accepted")),
    ("rejected", noted("Rejected"), InboxFilter(status="rejected")),
    ("reported", noted("Reported"), InboxFilter(is_reported=True)),
    ("refunded", noted("Refunded"), InboxFilter(status="refunded")),
)


@router.get("/portal/inbox")
def show_inbox(
    page: PageOfRequest,
    caller: Reader,
    listed: ByCursor,
    show: Annotated[Shown, Query()] = "all",
    niche: Annotated[Slug | None, Query()] = None,
) -> Response:
    """The provider's leads in the state that is asked for."""
    chosen = next(wanted for name, _, wanted in _TABS if name == show)
    wanted = replace(chosen, niche_slug=niche)
    found = caller.database.read(lambda conn: inbox_page(conn, caller.provider_id, wanted, listed.after, listed.limit))
    beside = "" if niche is None else f"&niche={niche}"
    cursor = cursor_after(found.next_after)
    return render_portal(
        page,
        "inbox.html",
        caller,
        tabs=[(f"/portal/inbox?show={name}{beside}", title, name == show) for name, title, _ in _TABS],
        show=show,
        niche=niche,
        without_niche=f"/portal/inbox?show={show}",
        leads=[(each, lead_name(each), is_answerable(each)) for each in found.items],
        next_address=None if cursor is None else f"/portal/inbox?show={show}{beside}&cursor={cursor}",
    )


def is_answerable(lead: InboxItem) -> bool:
    """Whether it can still be accepted or rejected."""
    return lead.status == "active"
