"""Logging in: the password, then the second factor, or setting one up."""

import re
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import RedirectResponse

from fairlead.api.access import OpenedSession, needs_session, public
from fairlead.console.page import LOGIN_STEPS, PageOfRequest, PageRoute, address_with_next

router = APIRouter(route_class=PageRoute, include_in_schema=False)

Next = Annotated[str, Query(max_length=2_000)]
Unfinished = Annotated[OpenedSession, needs_session("a login is finished here")]

_OWN_PAGE = re.compile(r"/(?![/\\])[^\x00-\x20\x7f\\{}]*")
"""Browsers leave tabs and line ends out of an address, and forms fill in what stands in braces."""


def _inside(address: str) -> str:
    """The address to go on to, if it is one of this server's pages; the first page otherwise."""
    return address if _OWN_PAGE.fullmatch(address) else "/"


@router.get("/login", dependencies=[public("logging in is how a user authenticates")])
def show_login(page: PageOfRequest, next: Next = "/") -> Response:
    """Email address and password."""
    return page.render("login.html", next_address=_inside(next))


@router.get("/login/second-factor")
def show_second_factor(page: PageOfRequest, opened: Unfinished, next: Next = "/") -> Response:
    """The code of the authenticator app, or a recovery code. One whose login is further on is led there."""
    step, address = opened.principal.next_step, _inside(next)
    if step != "second_factor":
        return RedirectResponse(address if step is None else address_with_next(LOGIN_STEPS[step], address), 303)
    return page.render("second-factor.html", next_address=address, again=address_with_next("/login", address))


@router.get("/login/enrolment")
def show_enrolment(page: PageOfRequest, opened: Unfinished, next: Next = "/") -> Response:
    """Setting up a second factor: operators have to before they go on, everyone else may, and may replace one."""
    principal, address = opened.principal, _inside(next)
    if principal.next_step == "second_factor":
        return RedirectResponse(address_with_next(LOGIN_STEPS["second_factor"], address), 303)
    return page.render(
        "enrolment.html",
        next_address=address,
        again=address_with_next("/login", address),
        is_required=principal.next_step == "enrolment",
        replaces_one=principal.next_step is None and principal.is_second_factor_done,
    )
