"""The cookie that holds a session's token: sent to this host only, over https only, out of reach of scripts."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from fairlead.api.resources import resources_of
from fairlead.core.errors import Refused
from fairlead.settings import LOOPBACK_HOSTS, Settings

COOKIE = "__Host-fairlead_session"
"""The prefix makes browsers refuse it from any other host, path, or an insecure connection."""

DEVELOPMENT_COOKIE = "fairlead_session_http"
"""For a browser on this machine, or where FAIRLEAD_COOKIE_OVER_HTTP is set.

Another name, so that neither is ever taken for the other.
"""

_FROM_A_PROXY = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")


def token_of(request: HTTPConnection) -> str | None:
    """The token that came with the request; None without one."""
    return request.cookies.get(_name(request)) or None


def refuse_hidden_proxy(request: Request) -> None:
    """Raises `Refused`: `cross_origin_refused` where the cookie would be one for this machine, and the browser is not.

    A proxy that sets no header of its own looks like a browser on this machine; the Origin of what a browser sends is
    where its user is. Asked before anything is done, so that no link is used up by an attempt that cannot succeed.
    """
    origin = request.headers.get("origin")
    settings = resources_of(request).settings
    if origin is None or settings.cookie_over_http is not None or not _is_on_this_machine(request, settings):
        return
    if _host_of(origin) not in LOOPBACK_HOSTS:
        raise Refused(
            "cross_origin_refused",
            "this site has an address that its server does not know: set FAIRLEAD_PUBLIC_URL to it and start again",
        )


def give_token(response: Response, request: Request, token: str) -> None:
    """The browser has this token from now on, until it is closed; the session itself ends earlier or later."""
    name = _name(request)
    response.set_cookie(name, token, path="/", secure=name == COOKIE, httponly=True, samesite="lax")


def take_token_back(response: Response, request: Request) -> None:
    """The browser has no token any more."""
    name = _name(request)
    response.delete_cookie(name, path="/", secure=name == COOKIE, httponly=True, samesite="lax")


def _name(request: HTTPConnection) -> str:
    settings = resources_of(request).settings
    wanted = settings.cookie_over_http
    return DEVELOPMENT_COOKIE if wanted or (wanted is None and _is_on_this_machine(request, settings)) else COOKIE


def _is_on_this_machine(request: HTTPConnection, settings: Settings) -> bool:
    """Whether a browser on this machine asks this server itself: nothing that it sends crosses a network.

    A proxy on this machine says that it is one, or has another name for the site; and where the site has an address of
    its own, people use that.
    """
    peer = request.client.host if request.client else ""
    is_direct = settings.public_url is None and not any(name in request.headers for name in _FROM_A_PROXY)
    is_plain = request.scope["scheme"] in ("http", "ws")
    return is_direct and is_plain and _is_loopback(peer) and request.url.hostname in LOOPBACK_HOSTS


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).hostname
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
