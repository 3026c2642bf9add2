"""A page that shows the document to people:

Swagger UI, which comes with this program and loads nothing from other servers.
"""

from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from fastapi import Path, Response

from fairlead.api.access import public
from fairlead.api.bodies import Router

router = Router(
    prefix="/api/v1/docs", dependencies=[public("shows the document, which is public too")], include_in_schema=False
)

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Only what this server sends is run or asked. The style sheet has its pictures within it."""

Asset = Literal["swagger-ui-5.35.0.js", "swagger-ui-5.35.0.css", "start.js"]

_MEDIA_TYPES = {"js": "text/javascript", "css": "text/css", "html": "text/html"}
# A file that has its version in its name never changes.
_FOR_GOOD, _FOR_NOW = "public, max-age=31536000, immutable", "no-cache"


@router.get("")
async def show_documentation() -> Response:
    """The page."""
    answer = _answer("index.html", _FOR_NOW)
    answer.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return answer


@router.get("/{asset}")
async def show_documentation_asset(asset: Annotated[Asset, Path()]) -> Response:
    """A script or style of the page."""
    return _answer(asset, _FOR_NOW if asset == "start.js" else _FOR_GOOD)


def _answer(name: str, cache_control: str) -> Response:
    media_type = _MEDIA_TYPES[name.rsplit(".", 1)[1]]
    return Response(_content(name), media_type=media_type, headers={"Cache-Control": cache_control})


@cache
def _content(name: str) -> bytes:
    return (files("fairlead.api") / "documentation" / name).read_bytes()
