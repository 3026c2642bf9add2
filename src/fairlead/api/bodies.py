"""Bodies of requests, for every route: bounded before they are read, and never long on the event loop.

The framework reads JSON and checks it on the loop, also for endpoints that run in a thread, and builds every error
there is before any is left out: a body of a megabyte could hold up all requests for seconds. Here its model says how
large a body may be; what is not short is read and checked in a thread, one at a time in a process; and checking stops
at the first errors (`RequestModel`).
"""

import email.message
import json
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, cast

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from fairlead.api.access import Public, declared_access
from fairlead.api.idempotency import idempotent_by_default
from fairlead.api.schemas.values import RequestModel
from fairlead.api.violations import Violation, violations_of_body

SHORT_BODY_BYTES = 8_192
"""So much is read and checked on the loop, within a millisecond: a thread would take longer."""

MOST_BRACKETS = 10_000
"""In one body, those of its texts included. The largest form and the largest filter have less than a thousand; a
megabyte of empty lists keeps the interpreter busy for half a second."""

_VIOLATIONS = "fairlead.violations"
_UNFIT = b""
"""Instead of a body whose violations are known: it fits no model, so that the framework refuses it, in its turn."""


class BodyRefused(HTTPException):
    """The body is not read: `code` says why. An exception of this kind passes through the framework as it is."""

    def __init__(self, status: int, code: str, words: str | None = None) -> None:
        super().__init__(status)
        self.code, self.words = code, words


def new_body_turns() -> CapacityLimiter:
    """For one application. One: reading JSON keeps the interpreter to itself, and two of them would keep it twice."""
    return CapacityLimiter(1)


def violations_found(request: Request) -> Sequence[Violation]:
    """What was found to be wrong with the body of this request."""
    return cast("Sequence[Violation]", request.scope.get(_VIOLATIONS, ()))


class BoundedRoute(APIRoute):
    """A route whose body, if it takes one, is a model made of `RequestModel`, and is read as that model says.

    A public route with a limit is counted before its body is read. A POST honours `Idempotency-Key`, as
    `idempotency` says.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, idempotent_by_default(endpoint, options), **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """As the framework has it. Raises TypeError for a body that is no model of ours, when the route is made."""
        handle = super().get_route_handler()
        model = body_model_of(self)
        limited = [each for each in declared_access(self.dependant) if isinstance(each, Public) and each.limit]
        if model is None and not limited:
            return handle

        async def bounded(request: Request) -> Response:
            for each in limited:
                await run_in_threadpool(each.count, request)
            return await handle(request if model is None else _BoundedRequest(request, model))

        return bounded


class Router(APIRouter):
    """A router whose routes are all bounded."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=BoundedRoute, **options)


def body_model_of(route: APIRoute) -> type[RequestModel] | None:
    """The model of the body that the route takes, if it takes one. Raises TypeError for a body that is none."""
    if route.body_field is None:
        return None
    model = route.body_field.field_info.annotation
    if not (isinstance(model, type) and issubclass(model, RequestModel)) or len(route.dependant.body_params) != 1:
        raise TypeError(f"the body of {route.path} has to be one model made of RequestModel")
    return model


class _BoundedRequest(Request):
    """A request that reads no more than its model takes, and whose JSON is the model."""

    def __init__(self, request: Request, model: type[RequestModel]) -> None:
        super().__init__(request.scope, request.receive)
        self._model = model

    async def body(self) -> bytes:
        """All of it. Raises `BodyRefused`: `body_too_large`, as soon as that is certain, and
        `content_type_unsupported`.
        """
        if not hasattr(self, "_body"):
            self._body = await _read(self, self._model.most_bytes)
            if self._body and not _is_json(self.headers.get("content-type", "")):
                raise BodyRefused(415, "content_type_unsupported")
        return self._body

    async def json(self) -> Any:
        """The model, or what fits none. Raises `BodyRefused`: `body_malformed`."""
        body = await self.body()
        if len(body) <= SHORT_BODY_BYTES:
            found = read_body(body, self._model)
        else:
            turns: CapacityLimiter = self.app.state.body_turns
            found = await run_sync(read_body, body, self._model, limiter=turns)
        if isinstance(found, RequestModel):
            return found
        self.scope[_VIOLATIONS] = found
        return _UNFIT


async def _read(request: Request, most_bytes: int) -> bytes:
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared[:20]) > most_bytes:
        raise _too_large(most_bytes)
    pieces: list[bytes] = []
    length = 0
    async for piece in request.stream():
        length += len(piece)
        if length > most_bytes:
            raise _too_large(most_bytes)
        pieces.append(piece)
    return b"".join(pieces)


def raw_body(most_bytes: int) -> Any:
    """For a parameter: the body byte by byte, as what signed it saw it. Raises `BodyRefused`: `body_too_large`."""

    async def read(request: Request) -> bytes:
        return await _read(request, most_bytes)

    return Depends(read, scope="function")


def read_body(body: bytes, model: type[RequestModel]) -> RequestModel | list[Violation]:
    """The model that the JSON says, or what is wrong with it. Raises `BodyRefused`: `body_malformed`."""
    if body.count(b"[") + body.count(b"{") > MOST_BRACKETS:
        raise BodyRefused(400, "body_malformed", f"the body has more than {MOST_BRACKETS:,} opening brackets")
    try:
        said = json.loads(body, object_pairs_hook=_object)
    except _Repeated:
        raise BodyRefused(400, "body_malformed", "an object in the body names a member twice") from None
    except (ValueError, RecursionError):
        raise BodyRefused(400, "body_malformed") from None
    try:
        return model.model_validate(said)
    except ValidationError as error:
        return violations_of_body(cast("Sequence[Any]", error.errors(include_url=False, include_input=False)), said)


class _Repeated(ValueError):
    """An object has two members of one name: readers differ in which of them counts."""


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(members)
    if len(made) != len(members):
        raise _Repeated
    return made


def _too_large(most: int) -> BodyRefused:
    return BodyRefused(413, "body_too_large", f"the body is larger than the {most:,} bytes that this operation takes")


def _is_json(content_type: str) -> bool:
    message = email.message.Message()
    message["content-type"] = content_type
    kind = message.get_content_subtype()
    return message.get_content_maintype() == "application" and (kind == "json" or kind.endswith("+json"))
