"""What another site's page asks for in the name of the user who is logged in here: refused, to read as to write.

Browsers say where a request comes from (Fetch Metadata, and Origin before that), and a page cannot change what they
say. A client that is no browser says nothing, and carries no user's cookie.
"""

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request

from fairlead.core.errors import Refused

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def refuse_cross_origin(request: Request, public_url: str | None) -> None:
    """Raises `Refused`: `cross_origin_refused` for what a page of another origin asked for.

    `public_url` is where people reach us, for a proxy that changes the Host. A browser that says neither where a
    navigation comes from nor an origin is let through.
    """
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
    """Scheme, host and port of the origin are those that the request came to, or those of the public address."""
    origin = connection.headers.get("origin")
    if origin is None:
        return True
    # A WebSocket's page has the scheme that goes with it.
    scheme = {"ws": "http", "wss": "https"}.get(connection.scope["scheme"], connection.scope["scheme"])
    here = _origin(f"{scheme}://{connection.headers.get('host', '')}")
    return _origin(origin) in {here, _origin(public_url or "")} - {None}


_PORTS = {"http": 80, "https": 443}


def _origin(url: str) -> tuple[str, str, int] | None:
    """Scheme, host and port, as browsers compare them (RFC 6454); None for what is none.

    >>> _origin("https://Leads.example.com"), _origin("null")
    (('https', 'leads.example.com', 443), None)
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
        # Browsers write a name in letters of its own as it is looked up.
        host = (parts.hostname or "").encode("idna").decode()
    except ValueError:
        return None
    return None if port is None or not host else (parts.scheme, host, port)
