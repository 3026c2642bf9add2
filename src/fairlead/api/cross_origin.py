"""Writes that another site's page makes in the name of whoever is logged in here: refused.

Browsers say where a request comes from (Fetch Metadata, and Origin before that), and a page cannot change what they
say. What comes from no browser says nothing, and rides on nobody's cookie.
"""

from urllib.parse import urlsplit

from starlette.requests import Request

from fairlead.core.errors import Refused

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def refuse_cross_origin(request: Request, public_url: str | None) -> None:
    """Raises `Refused`: `cross_origin_refused` for a write that a page of another origin asked for.

    `public_url` is where people reach us, for a proxy that changes the Host.
    """
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        is_ours = site in ("same-origin", "none")
    else:
        origin = request.headers.get("origin")
        is_ours = origin is None or _host(origin) in {request.headers.get("host"), _host(public_url or "")} - {None}
    if not is_ours:
        raise Refused("cross_origin_refused", "a page of another site asked for this")


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).netloc or None
    except ValueError:
        return None
