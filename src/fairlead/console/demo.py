"""The seats of a demo: one link that takes the first, once, and a page from which the others are taken.

Only the demo adds these routes, to a server that listens on the machine itself and to no other.
"""

import secrets
from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, FastAPI, Path, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from fairlead.api.access import OpenedSession, needs_session, public
from fairlead.api.session_cookie import give_token
from fairlead.console.page import HtmlPage, PageOfRequest, PageRoute, page_of_status
from fairlead.console.texts import translated
from fairlead.flows.access.demo_seats import DemoSeat

SeatName = Literal["operator", "provider"]
Seated = Annotated[OpenedSession, needs_session("seats of a demo are changed by a user who has one")]


def offer_seats(application: FastAPI, seats: Mapping[SeatName, DemoSeat], form_path: str) -> str:
    """The application has the demo's routes, and its pages say that it is one. Returns the path of the first seat.

    The path works once.
    """
    entrance = secrets.token_urlsafe(24)
    unused = [entrance]
    router = APIRouter(route_class=PageRoute, include_in_schema=False)

    @router.get("/demo/enter/{token}", dependencies=[public("the token is a secret that works once")])
    async def enter(  # pyright: ignore[reportUnusedFunction]
        token: Annotated[str, Path(max_length=200)], request: Request, page: PageOfRequest
    ) -> Response:
        if not secrets.compare_digest(token.encode(), entrance.encode()):
            return await run_in_threadpool(page_of_status, request, 404)
        if not unused:
            return await run_in_threadpool(_used, page)
        unused.clear()
        return _seated(request, seats["operator"], "/")

    @router.get("/demo")
    def show_seats(opened: Seated, page: PageOfRequest) -> Response:  # pyright: ignore[reportUnusedFunction]
        return page.render("demo.html", opened.principal, seats=seats, form_path=form_path)

    @router.get("/demo/seats/{name}")
    def take_seat(  # pyright: ignore[reportUnusedFunction]
        name: Annotated[SeatName, Path()], _: Seated, request: Request
    ) -> Response:
        return _seated(request, seats[name], "/")

    application.include_router(router)
    application.state.is_demo = True
    return f"/demo/enter/{entrance}"


def _used(page: HtmlPage) -> Response:
    return page.render(
        "error.html",
        status=410,
        error_status=410,
        title=translated("This link was used"),
        detail=translated(
            "It logs in once. The browser that it was opened in is still logged in. For another browser, end the demo "
            "with Ctrl-C and start it again: it goes on where it was, and prints a new link."
        ),
    )


def _seated(request: Request, seat: DemoSeat, path: str) -> Response:
    answer = RedirectResponse(path, 303)
    give_token(answer, request, seat.token)
    return answer
