"""What every request and answer has: an id, headers that keep browsers careful, a line in the log, a problem if it
fails. Pure ASGI: the framework's own kind of middleware loses what is bound to the context.
"""

import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fairlead.api.problems import problem_of_status, problem_response
from fairlead.telemetry.errors import error_kind
from fairlead.telemetry.logs import checked_correlation_id, correlation, get_logger

_log = get_logger(__name__)

REQUEST_ID = "X-Request-ID"

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # Unless a route says otherwise, an answer is private to its client.
    "Cache-Control": "no-store",
}
"""On every answer that does not say otherwise itself, as a page with scripts of its own has to."""

STRICT_TRANSPORT = "max-age=31536000; includeSubDomains"
"""Added where the request came over https, also by way of a trusted proxy."""

_UNREMARKABLE = frozenset({"/livez", "/readyz", "/metrics"})


def refusal(code: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """Status, headers and body of the answer to what never became a request, with an id of its own, which is logged.

    The sender closes the connection, as it says.
    """
    with correlation(None) as request_id:
        answer = problem_response(code)
        _log.info("a request was refused", status_code=answer.status_code)
    headers = {**SECURITY_HEADERS, **dict(answer.headers), REQUEST_ID: request_id, "Connection": "close"}
    return answer.status_code, list(headers.items()), bytes(answer.body)


class RequestMiddleware:
    """An ASGI application around another. Use it once, around everything that answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        given = checked_correlation_id(Headers(scope=scope).get(REQUEST_ID))
        with correlation(given) as request_id:
            answer = _Response(scope, receive, send, request_id)
            if scope["type"] == "websocket":
                await self._app(scope, receive, answer.send)
                return
            await self._answer(scope, receive, answer)

    async def _answer(self, scope: Scope, receive: Receive, answer: "_Response") -> None:
        began = time.monotonic()
        try:
            await self._app(scope, receive, answer.send)
        except Exception as error:
            _log.error("a request failed", error=error_kind(error), exc_info=error)
            if answer.status is not None:
                raise  # half of an answer is out: only ending the connection says that it is not all
            await problem_response("internal_error")(scope, receive, answer.send)
        finally:
            write = _log.debug if scope["path"] in _UNREMARKABLE else _log.info
            seconds = round(time.monotonic() - began, 4)
            write("request", method=scope["method"], route=_route(scope), status_code=answer.status, seconds=seconds)


class _Response:
    """The answer on its way out. One that a library wrote in plain words, for an error, is replaced by a problem."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        self.status: int | None = None
        self._scope, self._receive, self._send = scope, receive, send
        self._request_id = request_id
        self._is_replaced = False

    async def send(self, message: Message) -> None:
        if self._is_replaced:
            return
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if message["status"] >= 400 and headers.get("content-type", "text/plain").startswith("text/plain"):
                await problem_of_status(message["status"])(self._scope, self._receive, self.send)
                self._is_replaced = True
                return
            self.status = message["status"]
            self._add_to(headers)
        elif message["type"] == "websocket.http.response.start":  # the refusal of a WebSocket
            self.status = message["status"]
            self._add_to(MutableHeaders(scope=message))
        elif message["type"] == "websocket.accept":
            self.status = 101
        elif message["type"] == "websocket.close" and self.status is None:  # no route has it
            await problem_response("route_unknown")(self._scope, self._receive, self.send)
            return
        await self._send(message)

    def _add_to(self, headers: MutableHeaders) -> None:
        headers[REQUEST_ID] = self._request_id
        for name, value in SECURITY_HEADERS.items():
            headers.setdefault(name, value)
        if "frame-ancestors *" in headers["Content-Security-Policy"]:
            del headers["X-Frame-Options"]  # which knows no such thing, and counts where the policy is not understood
        if self._scope["scheme"] in ("https", "wss"):
            headers.setdefault("Strict-Transport-Security", STRICT_TRANSPORT)


def _route(scope: Scope) -> str | None:
    """The template of the address, never the address: that holds ids, and what people typed."""
    path = getattr(scope.get("route"), "path", None)
    return None if path is None else path.replace("{", "<").replace("}", ">")
