"""What the document says of every answer: a description of its own, its headers, and the example of a problem.

It is put in here once for all routes, from what each declares, so that no route can say too little or the wrong thing.
"""

from collections.abc import Callable, Mapping
from inspect import unwrap
from types import FunctionType
from typing import Any, cast

from fairlead.api.problem_codes import kind_of
from fairlead.api.problems import MEDIA_TYPE, example_of_code

_SAID_BY_FRAMEWORK = "Successful Response"


def _header(description: str, schema: Mapping[str, object], *, is_always: bool = True) -> dict[str, Any]:
    return {"description": description, "required": is_always, "schema": dict(schema)}


REQUEST_ID = _header(
    "The id of the request, as in logs and the audit trail.", {"type": "string", "examples": ["ord-4711"]}
)
RETRY_AFTER = _header(
    "In how many seconds it may be tried again.", {"type": "string", "pattern": "^[0-9]+$", "examples": ["5"]}
)
AUTHENTICATE = _header("How to say who you are.", {"type": "string", "examples": ['Bearer realm="fairlead"']})
_OWN = {
    "ETag": _header(
        "The version of what is shown: a change names it in `If-Match`.",
        {"type": "string", "examples": ['"41"']},
        is_always=False,
    ),
    "Location": _header(
        "The address of what was made.",
        {"type": "string", "examples": ["/api/v1/admin/leads/01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f"]},
        is_always=False,
    ),
    "Idempotency-Replayed": _header(
        "The answer is that of an earlier request with the same `Idempotency-Key`.",
        {"type": "string", "const": "true"},
        is_always=False,
    ),
    "Set-Cookie": _header("The cookie of the session: a new one, or its end.", {"type": "string"}, is_always=False),
}
_PUT_BY = {
    "show_version": "ETag",
    "Location": "Location",
    "give_token": "Set-Cookie",
    "take_token_back": "Set-Cookie",
}
NO_BODY = "Done. The answer has no body."


def describe_answer(status: str, response: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    """The response says what it holds, has the headers that every answer of its status has, and the right example."""
    headers: dict[str, Any] = response.setdefault("headers", {})
    headers["X-Request-ID"] = REQUEST_ID
    if status in ("429", "503"):
        headers["Retry-After"] = RETRY_AFTER
    if status == "401":
        headers["WWW-Authenticate"] = AUTHENTICATE
    if int(status) >= 400:
        codes = [each.strip("`") for each in response["description"].split(", ")]
        assert all(str(kind_of(code).status) == status for code in codes), response
        response["content"] = {
            MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example_of_code(codes[0])}
        }
    elif response["description"] == _SAID_BY_FRAMEWORK:
        response["description"] = _said_of(response, schemas)


def own_headers(endpoint: Callable[..., Any]) -> frozenset[str]:
    """The headers that a route puts into its answer itself, or by a function of its module.

    Read from its code: a list beside it would say what its author meant it to send.
    """
    found: set[str] = set()
    reached, waiting = set[FunctionType](), [cast("FunctionType", unwrap(endpoint))]
    while waiting:
        function = waiting.pop()
        reached.add(function)
        named = {*function.__code__.co_names, *(each for each in function.__code__.co_consts if isinstance(each, str))}
        found |= {header for name, header in _PUT_BY.items() if name in named}
        called = (function.__globals__.get(name) for name in sorted(named))
        waiting += [
            each
            for each in called
            if isinstance(each, FunctionType) and each.__module__ == function.__module__ and each not in reached
        ]
    return frozenset(found)


def add_own_headers(operation: dict[str, Any], endpoint: Callable[..., Any]) -> None:
    """What succeeds has the headers that the route puts into its answer itself."""
    names = sorted(own_headers(endpoint))
    if any(each["name"].lower() == "idempotency-key" for each in operation.get("parameters", ())):
        names.append("Idempotency-Replayed")
    for status, response in operation["responses"].items():
        if int(status) < 400:
            response["headers"] |= {name: _OWN[name] for name in names}


def _said_of(response: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    for media in response.get("content", {}).values():
        schema = media.get("schema", {})
        if "$ref" in schema:
            schema = schemas[schema["$ref"].rsplit("/", 1)[1]]
        if schema.get("description"):
            return str(schema["description"]).split("\n\n")[0].replace("\n", " ")
        if "anyOf" in schema:
            return " Or: ".join(_said_of({"content": {"": {"schema": each}}}, schemas) for each in schema["anyOf"])
    return NO_BODY
