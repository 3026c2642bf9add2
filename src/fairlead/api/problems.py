"""Whatever goes wrong, as one kind of answer: RFC 9457, `application/problem+json`, with a stable code.

Nothing that was sent is ever repeated: it may be a password, a telephone number, or not even JSON.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import ConfigDict, Field
from starlette.exceptions import HTTPException

from fairlead.api.bodies import BodyRefused, violations_found
from fairlead.api.problem_codes import kind_of
from fairlead.api.schemas.values import ResponseModel
from fairlead.api.violations import Place, Violation, as_written, pointer_to, violations_of_parameters
from fairlead.core.document import DocumentProblem
from fairlead.core.errors import BadInput, FairleadError, Refused, Unavailable
from fairlead.flows.configuration.versions import InvalidDocument
from fairlead.telemetry.errors import error_kind
from fairlead.telemetry.logs import current_correlation_id, get_logger

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = {429: 30, 503: 5}
"""When to ask again, where what refused does not know it better: no answer of these statuses leaves that open."""

_log = get_logger(__name__)

_CODE_OF_STATUS = {
    400: "body_malformed",
    404: "route_unknown",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "content_type_unsupported",
    422: "input_invalid",
    429: "too_many_attempts",
    503: "unavailable",
}
_DETAILS = {
    "request_malformed": "the request could not be read; the connection is closed",
    "head_too_large": "at most 200 headers and 64 KiB of request line and headers are accepted",
    "body_malformed": "the body could not be read as JSON in UTF-8",
    "route_unknown": "no resource exists at this address",
    "method_not_allowed": "the header Allow names the methods that this address takes",
    "body_too_large": "the body is larger than this operation takes",
    "content_type_unsupported": "the header Content-Type must be application/json",
    "unavailable": "the service is temporarily unavailable: try again",
    "internal_error": "the server failed: its log has details under the request's id",
    "input_invalid": "the input is invalid: errors names each place",
    "idempotency_key_missing": "requests that move money need the header Idempotency-Key",
}


def example_of_code(code: str) -> dict[str, Any]:
    """What an answer with this code may look like."""
    kind = kind_of(code)
    violation = {"location": "body", "pointer": "/name", "code": "missing", "detail": "Field required"}
    return {
        "type": f"/api/v1/problems/{code}",
        "title": kind.title,
        "status": kind.status,
        "detail": _DETAILS.get(code, kind.title),
        "code": code,
        "request_id": "01900000-0000-7000-8000-000000000001",
        "errors": [violation] if code == "input_invalid" else [],
    }


class Problem(ResponseModel):
    """What went wrong. `code` says it to programs and never changes; `detail` says it to people."""

    model_config = ConfigDict(json_schema_extra={"examples": [example_of_code("lead_unknown")]})

    type: str = Field(description="Where this server explains the code.")
    title: str = Field(description="What the code means, in a few words.")
    status: int = Field(description="The status of the answer, once more.")
    detail: str = Field(description="What went wrong this time, for people.")
    code: str = Field(description="What went wrong, for programs: one of `/api/v1/problems`, which never changes.")
    request_id: str = Field(description="The id of the request, as in `X-Request-ID` and in the server's log.")
    errors: Sequence[Violation] = Field(description="What is wrong with the input, where it is the input.")


def problem_response(
    code: str,
    detail: str | None = None,
    violations: Sequence[Violation] = (),
    headers: Mapping[str, str] | None = None,
    more: Mapping[str, object] | None = None,
) -> Response:
    """The answer with this code; its status and title are those of the code. `more` are members of its own."""
    kind = kind_of(code)
    problem = Problem(
        type=f"/api/v1/problems/{code}",
        title=kind.title,
        status=kind.status,
        detail=as_written(detail or _DETAILS.get(code, kind.title)),
        code=code,
        request_id=current_correlation_id() or "",
        errors=violations,
    )
    with_it = {"WWW-Authenticate": 'Bearer realm="fairlead"'} if kind.status == 401 else {}
    with_it |= when_to_ask_again(kind.status) | dict(headers or {})
    body = json.dumps(problem.model_dump(mode="json") | dict(more or {}), ensure_ascii=False)
    return Response(body, kind.status, media_type=MEDIA_TYPE, headers=with_it)


def when_to_ask_again(status: int, error: Refused | None = None) -> dict[str, str]:
    """The header that says it, where an answer has one: as the error has it, else as answers of this status do."""
    seconds = getattr(error, "retry_after_seconds", None) or RETRY_AFTER_SECONDS.get(status)
    return {} if seconds is None else {"Retry-After": str(seconds)}


def problem_of_status(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """The answer for a status that a library chose: nothing of its words is repeated."""
    return problem_response(_CODE_OF_STATUS.get(status, "internal_error"), headers=headers)


def problem_of(error: FairleadError, method: str) -> Response:
    """The answer for what a flow raised. An error of the server is logged; the client learns no detail of it."""
    if isinstance(error, InvalidDocument):
        return problem_response("input_invalid", violations=[_violation_in(each) for each in error.details])
    if isinstance(error, BadInput):
        # What asks for nothing but an answer has no body: all that it says is in its address.
        place: Place = "query" if method == "GET" else "body"
        return problem_response("input_invalid", violations=[_violation_of(line, place) for line in error.problems])
    if isinstance(error, Refused):
        headers = when_to_ask_again(kind_of(error.code).status, error)
        return problem_response(error.code, str(error), headers=headers)
    if isinstance(error, Unavailable):
        _log.warning("a request could not be served", error=error_kind(error), exc_info=error)
        return problem_response("unavailable")
    _log.error("a request failed", error=error_kind(error), exc_info=error)
    return problem_response("internal_error")


def answer_with_problems(application: FastAPI) -> None:
    """Every error of the application is a problem from now on."""

    async def of_flow(request: Request, error: Exception) -> Response:
        # What opens a WebSocket is a GET, and has no method to say so.
        return problem_of(cast("FairleadError", error), request.scope.get("method", "GET"))

    async def of_input(request: Request, error: Exception) -> Response:
        return _problem_of_input(request, cast("RequestValidationError", error).errors())

    async def of_body(_request: Request, error: Exception) -> Response:
        refused = cast("BodyRefused", error)
        return problem_response(refused.code, refused.words)

    async def of_library(_request: Request, error: Exception) -> Response:
        known = cast("HTTPException", error)
        return problem_of_status(known.status_code, known.headers)

    application.add_exception_handler(FairleadError, of_flow)
    application.add_exception_handler(RequestValidationError, of_input)
    application.add_exception_handler(BodyRefused, of_body)
    application.add_exception_handler(HTTPException, of_library)


def _problem_of_input(request: Request, errors: Sequence[Any]) -> Response:
    missing = [error["loc"] for error in errors if error["type"] == "missing"]
    # The framework names a header as it came over the wire, in lower case.
    if ("header", "idempotency-key") in missing:
        return problem_response("idempotency_key_missing")
    in_body = violations_found(request)
    of_framework = [each for each in errors if not (in_body and each["loc"][0] == "body")]
    return problem_response("input_invalid", violations=[*violations_of_parameters(of_framework), *in_body])


# A line of `BadInput` names its place first: `lead[0].age: Age is required`, `html, line 3: an unknown filter`.
_PLACE = re.compile(r"([A-Za-z_][\w.\[\]-]*)(?:, (line [0-9]+))?: (.+)", re.DOTALL)


def _violation_of(line: str, place: Place) -> Violation:
    found = _PLACE.fullmatch(line)
    if found is None:
        return Violation(location=place, pointer="", code="input_invalid", detail=as_written(line))
    detail = found[3] if found[2] is None else f"{found[2]}: {found[3]}"
    return Violation(location=place, pointer=_pointer(found[1]), code="input_invalid", detail=as_written(detail))


def _violation_in(problem: DocumentProblem) -> Violation:
    """One problem of a form or a filter, which has a code of its own."""
    return Violation(
        location="body", pointer=_pointer(problem.path), code=problem.code, detail=as_written(problem.message)
    )


def _pointer(path: str) -> str:
    return pointer_to(part for part in re.split(r"[.\[\]]+", path) if part)
