"""The marketplace's logo, as pages show it."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from starlette.exceptions import HTTPException

from fairlead.api.access import public
from fairlead.api.resources import MarketplaceDatabase
from fairlead.console.page import PageRoute
from fairlead.store.configuration.marketplace import logo_content

router = APIRouter(
    route_class=PageRoute, include_in_schema=False, dependencies=[public("it stands on pages that everyone sees")]
)

_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}
"""Opened by itself it is a picture and nothing else, whatever its bytes could also be read as."""


@router.get("/logo/{digest}")
def show_logo(digest: Annotated[str, Path(pattern="^[0-9a-f]{64}$")], database: MarketplaceDatabase) -> Response:
    """The picture with this digest: another has another address, so that browsers keep it for good."""
    logo = database.read(lambda conn: logo_content(conn, bytes.fromhex(digest)))
    if logo is None:
        raise HTTPException(404)
    return Response(logo.content, media_type=logo.media_type, headers=_HEADERS)
