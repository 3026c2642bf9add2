"""The address without a path: it leads to the first page of the user who is logged in."""

from typing import Annotated

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

from fairlead.api.access import OpenedSession, needs_session
from fairlead.console.navigation import home_of
from fairlead.console.page import PageRoute
from fairlead.flows.access.principal import require_open

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/")
def show_home(opened: Annotated[OpenedSession, needs_session("it leads to what the user may see")]) -> Response:
    """To the overview of operators, to the inbox of providers, to the login without a session."""
    require_open(opened.principal)
    return RedirectResponse(home_of(opened.principal), 303)
