"""The cookie that holds a session's token: sent to this host only, over https only, out of reach of scripts."""

from starlette.requests import HTTPConnection
from starlette.responses import Response

from fairlead.settings import Settings

COOKIE = "__Host-fairlead_session"
"""The prefix makes browsers refuse it from any other host, path, or an insecure connection."""

DEVELOPMENT_COOKIE = "fairlead_session_http"
"""Where FAIRLEAD_COOKIE_OVER_HTTP is set. Another name, so that neither is ever taken for the other."""


def cookie_name(settings: Settings) -> str:
    """The name of the cookie on this installation."""
    return DEVELOPMENT_COOKIE if settings.cookie_over_http else COOKIE


def token_of(request: HTTPConnection, settings: Settings) -> str | None:
    """The token that came with the request; None without one."""
    return request.cookies.get(cookie_name(settings)) or None


def give_token(response: Response, settings: Settings, token: str) -> None:
    """The browser has this token from now on, until it is closed; the session itself ends earlier or later."""
    response.set_cookie(
        cookie_name(settings), token, path="/", secure=not settings.cookie_over_http, httponly=True, samesite="lax"
    )


def take_token_back(response: Response, settings: Settings) -> None:
    """The browser has no token any more."""
    response.delete_cookie(
        cookie_name(settings), path="/", secure=not settings.cookie_over_http, httponly=True, samesite="lax"
    )
