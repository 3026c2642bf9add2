"""Logging in: the password, then the second factor, or setting one up."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from fairlead.api.access import OpenedSession, needs_session, public
from fairlead.console.page import PageOfRequest, PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Next = Annotated[str, Query(max_length=2_000)]
Half = Annotated[OpenedSession, needs_session("a login is finished here")]


def _inside(address: str) -> str:
    """The address to go on to, if it is one of this server's pages; the first page otherwise."""
    return address if address.startswith("/") and not address.startswith(("//", "/\\")) else "/"


@router.get("/login", dependencies=[public("logging in is how a user authenticates")])
def show_login(page: PageOfRequest, next: Next = "/") -> Response:
    """Email address and password."""
    return page.render("login.html", next_address=_inside(next))


@router.get("/login/second-factor")
def show_second_factor(page: PageOfRequest, opened: Half, next: Next = "/") -> Response:
    """The code of the authenticator app, or a recovery code."""
    return page.render("second-factor.html", next_address=_inside(next))
