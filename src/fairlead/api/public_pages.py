"""Pages of other sites may call what is public, and read the answers: no cookie is involved.

Browsers ask first whether they may (CORS), and hand an answer to a page only if it says so. Starlette's own middleware
says it, for the addresses under `/api/v1/public/` and for no other.
"""

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

PUBLIC_PREFIX = "/api/v1/public/"
PREFLIGHT_LASTS_SECONDS = 3_600


class OpenToPages:
    """An ASGI application around another. Without credentials: a page never acts for a user who is logged in here."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._open = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "POST"],
            allow_headers=["Content-Type", "Idempotency-Key", "X-Request-ID"],
            expose_headers=["X-Request-ID", "Retry-After", "Idempotency-Replayed"],
            max_age=PREFLIGHT_LASTS_SECONDS,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_open = scope["type"] == "http" and scope["path"].startswith(PUBLIC_PREFIX)
        await (self._open if is_open else self._app)(scope, receive, send)
