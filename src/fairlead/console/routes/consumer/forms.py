"""The form of a niche, as a page of its own and inside the pages of other sites, the confirmation of a lead,
and what became of it."""

from importlib.resources import files
from typing import Annotated

from fastapi import APIRouter, Path, Response

from fairlead.api.access import public
from fairlead.api.resources import MarketplaceDatabase
from fairlead.api.schemas.values import Slug
from fairlead.console.page import PageOfRequest, PageRoute, framed_by_any_site
from fairlead.flows.intake.public_form import read_public_form

router = APIRouter(route_class=PageRoute, include_in_schema=False)

NicheSlug = Annotated[Slug, Path()]
FIELDS_ON_ONE_PAGE = 3
"""A form with more is asked in steps, on a telephone one question at a time."""


@router.get("/forms/embed.js", dependencies=[public("other sites load it to show a form")])
async def show_embedding_script() -> Response:
    """The script with which another site shows a form."""
    content = (files("fairlead.console") / "static" / "embed.js").read_bytes()
    headers = {"Cache-Control": "public, max-age=300", "Cross-Origin-Resource-Policy": "cross-origin"}
    return Response(content, media_type="text/javascript", headers=headers)


@router.get("/forms/{slug}", dependencies=[public("consumers have no account")])
def show_form(slug: NicheSlug, page: PageOfRequest, database: MarketplaceDatabase) -> Response:
    """The form. Any site may show it within its own pages: it acts for no user who is logged in."""
    form = read_public_form(database, slug)
    return framed_by_any_site(
        page.render("consumer/form.html", form=form, is_stepped=len(form.fields) > FIELDS_ON_ONE_PAGE)
    )


@router.get("/confirm-lead", dependencies=[public("the link proves access to the mailbox that it was sent to")])
def show_confirmation(page: PageOfRequest) -> Response:
    """What the link in the message leads to. Only the button confirms: programs that read mail open every link."""
    return page.render("consumer/confirm-lead.html")


@router.get("/my-request", dependencies=[public("the link proves access to the mailbox that it was sent to")])
def show_own_request(page: PageOfRequest) -> Response:
    """What a consumer's link to its request leads to: how far that has come, who has it, and withdrawing it.

    The page's script asks for it: what stands behind the `#` of the link reaches no server by the address.
    """
    return page.render("consumer/my-request.html")
