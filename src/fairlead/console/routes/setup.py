"""Where the set-up link leads: the first operator of an empty marketplace."""

from fastapi import APIRouter, Response

from fairlead.api.access import public
from fairlead.api.resources import MarketplaceDatabase
from fairlead.console.page import PageOfRequest, PageRoute
from fairlead.flows.access.first_operator import is_set_up

router = APIRouter(
    route_class=PageRoute, include_in_schema=False, dependencies=[public("there is no user yet who could log in")]
)


@router.get("/setup")
def show_setup(page: PageOfRequest, database: MarketplaceDatabase) -> Response:
    """The first operator's email and password; its token stands behind the `#`. Over for good once there is one."""
    if is_set_up(database):
        return page.render("setup-finished.html", status=410)
    return page.render("setup.html")
