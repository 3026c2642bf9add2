"""The document that says what the API takes and answers (OpenAPI 3.1), made from the routes themselves.

The framework describes what succeeds. What fails is put in here, the same for all: which problems a route can answer
with follows from what it declares, and from `refuses(...)`, which names its own.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from fairlead.api.access import Access, Needs, NeedsOwn, NeedsSession, Public, declared_access
from fairlead.api.answers import add_own_headers, describe_answer
from fairlead.api.bodies import body_model_of
from fairlead.api.cross_origin import SAFE_METHODS
from fairlead.api.examples import add_examples
from fairlead.api.field_descriptions import describe_fields
from fairlead.api.idempotency import RefusesKeys, declared_repetition
from fairlead.api.problem_codes import kind_of
from fairlead.api.problems import Problem
from fairlead.api.session_cookie import COOKIE

TITLE = "Fairlead"
DESCRIPTION = """\
Sells each lead to the right service providers: fairly, atomically, exactly once, and able to prove it.

**Who you are.** Browsers log in and have a session cookie; machines send an API key as `Authorization: Bearer fl_...`.
`x-permission` says what an operation needs.

**What goes wrong** is always the same kind of answer, `application/problem+json` (RFC 9457), with a stable `code`.

Times are in UTC, amounts in minor units of the marketplace's currency (`*_cents`). Every answer has an `X-Request-ID`;
send your own to find it again in logs and the audit trail.
"""

_SCHEMES = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "Given by `POST /api/v1/session`. What pages of other sites ask for is refused.",
    },
    "api_key": {"type": "http", "scheme": "bearer", "description": "An API key, `fl_...`, with scopes."},
}


def refuses(*codes: str) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`: the codes that it refuses with beside those that every route can."""
    by_status: dict[int | str, list[str]] = {}
    for code in codes:
        by_status.setdefault(kind_of(code).status, []).append(code)
    return {
        status: {"description": ", ".join(f"`{code}`" for code in of_status)} for status, of_status in by_status.items()
    }


def api_routes(application: FastAPI) -> Iterator[RouteContext]:
    """Every route of the application that is declared with FastAPI, wherever it was included from."""
    return (each for each in iter_route_contexts(application.routes) if isinstance(each.original_route, APIRoute))


def access_of(route: RouteContext) -> list[Access]:
    """What the route declares about who may call it; exactly one, if it is right."""
    return list(declared_access(route.dependant))


def document_of(application: FastAPI) -> dict[str, Any]:
    """The document, made anew."""
    document = get_openapi(
        title=TITLE, version="1", description=DESCRIPTION, routes=application.routes, openapi_version="3.1.0"
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs")
    schemas["Problem"] = problem
    schemas["JsonValue"]["description"] = "Any value that JSON can write."
    document["components"]["securitySchemes"] = _SCHEMES
    for route in api_routes(application):
        for method in route.methods or ():
            operation = document["paths"].get(route.path_format, {}).get(method.lower())
            if operation is not None:
                _complete(operation, _codes_of_all(operation, method, route), access_of(route)[0], schemas)
                add_own_headers(operation, cast("APIRoute", route.original_route).endpoint)
                _say_how_large(operation, route)
    _name_bounds(document)
    describe_fields(document)
    add_examples(document)
    return document


_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def _name_bounds(part: Any) -> None:
    """Bounds of integers that `values.Int` looks at first have the names that JSON Schema gives them.

    Pydantic writes those that come behind a validator of ours by its own names, which mean nothing to API clients.
    """
    if isinstance(part, dict):
        known = cast("dict[str, Any]", part)
        if known.get("type") in ("integer", "number"):
            for own, name in _BOUNDS.items():
                if own in known:
                    known[name] = known.pop(own)
        for each in known.values():
            _name_bounds(each)
    elif isinstance(part, list):
        for each in cast("list[Any]", part):
            _name_bounds(each)


def _complete(operation: dict[str, Any], codes: Iterator[str], access: Access, schemas: Mapping[str, Any]) -> None:
    responses: dict[str, Any] = operation["responses"]
    # The framework's own, in a form that is not ours.
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]
    for code in codes:
        status = str(kind_of(code).status)
        found = responses.setdefault(status, {"description": ""})
        names = [each for each in found["description"].split(", ") if each and each != f"`{code}`"]
        found["description"] = ", ".join([*names, f"`{code}`"])
    for status, response in responses.items():
        describe_answer(status, response, schemas)
    operation["responses"] = dict(sorted(responses.items()))
    if isinstance(access, Needs | NeedsOwn):
        operation["security"] = [{"session": []}, {"api_key": []}]
        operation["x-permission"] = access.permission.value
    else:
        operation["security"] = [{"session": []}] if isinstance(access, NeedsSession) else []


def _say_how_large(operation: dict[str, Any], route: RouteContext) -> None:
    model = body_model_of(cast("APIRoute", route.original_route))
    if model is not None:
        operation["requestBody"]["description"] = f"At most {model.most_bytes:,} bytes."


def _codes_of_all(operation: dict[str, Any], method: str, route: RouteContext) -> Iterator[str]:
    access = access_of(route)[0]
    headers = {each["name"].lower(): each for each in operation.get("parameters", ()) if each["in"] == "header"}
    if "requestBody" in operation:
        yield from ("body_malformed", "body_too_large", "content_type_unsupported", "input_invalid")
    elif operation.get("parameters"):
        yield "input_invalid"
    if isinstance(access, Needs | NeedsOwn):
        yield from ("session_invalid", "api_key_invalid", "permission_missing", "second_factor_required")
        yield from ("enrolment_required", "step_up_required", "too_many_attempts")
    if isinstance(access, NeedsSession):
        yield from ("session_invalid", "session_required")
    if method not in SAFE_METHODS or not isinstance(access, Public):
        yield "cross_origin_refused"
    if (key := headers.get("idempotency-key")) is not None:
        yield from ("idempotency_key_reused", "idempotency_answer_lost")
        if key.get("required"):
            yield "idempotency_key_missing"
    if method == "POST" and any(isinstance(each, RefusesKeys) for each in declared_repetition(route.dependant)):
        yield "idempotency_key_unsupported"
    if "if-match" in headers:
        # Its absence has an answer of its own, so to the framework it is optional.
        headers["if-match"]["required"] = True
        yield from ("version_conflict", "precondition_required")
    yield from ("internal_error", "unavailable")
