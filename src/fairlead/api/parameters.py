"""Query parameters and headers that say more than one thing, or what an operation does not know: refused.

Who asks for the ledger of `provder_id=...` would otherwise be handed that of all providers, and of `status=a&status=b`
only the last would count.
"""

from collections.abc import Iterator

from fastapi._compat import field_annotation_is_sequence
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from starlette.requests import HTTPConnection

MOST_PARAMETERS = 100
"""Of one address: more are not looked at one by one."""

_SINGLE_HEADERS = ("authorization", "content-type", "origin")
"""Those that no route declares."""


async def refuse_unclear_parameters(request: HTTPConnection) -> None:
    """Every parameter of the address is one that the operation declares; it and every header that says something to
    the operation come once, unless it takes a list. Raises `RequestValidationError`, before a WebSocket is opened too.
    """
    if request.scope["query_string"].count(b"&") >= MOST_PARAMETERS:
        raise RequestValidationError([_error("too_long", f"there are more than {MOST_PARAMETERS} parameters", "query")])
    known, lists, headers = _declared(request)
    wrong = {
        name: _error("parameter_repeated", "The parameter is given more than once", "query", name)
        for name in request.query_params
        if name not in lists and len(request.query_params.getlist(name)) > 1
    }
    wrong |= {
        name: _error("extra_forbidden", "There is no such parameter", "query", name)
        for name in request.query_params
        if name not in known
    }
    repeated = [
        _error("header_repeated", "The header is given more than once", "header", name)
        for name in headers
        if len(request.headers.getlist(name)) > 1
    ]
    if wrong or repeated:
        raise RequestValidationError([*wrong.values(), *repeated])


def _error(code: str, words: str, *place: str) -> dict[str, object]:
    return {"type": code, "msg": words, "loc": place}


def _declared(request: HTTPConnection) -> tuple[set[str], set[str], list[str]]:
    """The parameters that the operation knows, those of them that are lists, and the headers that it reads."""
    known: set[str] = set()
    lists: set[str] = set()
    headers = [*_SINGLE_HEADERS]
    for each in _all(request.scope["route"].dependant):
        known |= {parameter.alias for parameter in each.query_params}
        lists |= {
            parameter.alias
            for parameter in each.query_params
            if field_annotation_is_sequence(parameter.field_info.annotation)
        }
        headers += [parameter.alias for parameter in each.header_params]
    return known, lists, headers


def _all(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from _all(each)
