"""Writes that another site's page makes in the name of whoever is logged in here: refused.

Browsers say where a request comes from (Fetch Metadata, and Origin before that), and a page cannot change what they
say. What comes from no browser says nothing, and rides on nobody's cookie.
"""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request

from fairlead.core.errors import Refused

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def refuse_cross_origin(request: Request, public_url: str | None) -> None:
    """Raises `Refused`: `cross_origin_refused` for a write that a page of another origin asked for.

    `public_url` is where people reach us, for a proxy that changes the Host.
    """
    if request.method in SAFE_METHODS:
        return
    if not _is_ours(request, public_url):
        raise Refused("cross_origin_refused", "a page of another site asked for this")


def refuse_cross_origin_watcher(connection: HTTPConnection, public_url: str | None, *, by_cookie: bool) -> None:
    """Raises `Refused`: `cross_origin_refused` for a WebSocket that a page of another origin opened.

    Browsers let any page open one, cookies included, and show it what comes back. They always say the origin, so that
    a cookie without one is refused too.
    """
    if "origin" not in connection.headers:
        is_ours = not by_cookie
    else:
        is_ours = _is_ours(connection, public_url) and _has_our_origin(connection, public_url)
    if not is_ours:
        raise Refused("cross_origin_refused", "a page of another site asked for this")


def _is_ours(connection: HTTPConnection, public_url: str | None) -> bool:
    site = connection.headers.get("sec-fetch-site")
    return site in ("same-origin", "none") if site is not None else _has_our_origin(connection, public_url)


def _has_our_origin(connection: HTTPConnection, public_url: str | None) -> bool:
    origin = connection.headers.get("origin")
    return origin is None or _host(origin) in {connection.headers.get("host"), _host(public_url or "")} - {None}


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).netloc or None
    except ValueError:
        return None
