"""Query parameters that an operation does not know: refused, as members of a body are, and not left out.

Who asks for the ledger of `provder_id=...` would otherwise be handed everybody's.
"""

from collections.abc import Iterator

from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from starlette.requests import HTTPConnection


async def refuse_unknown_parameters(request: HTTPConnection) -> None:
    """Every parameter of the address is one that the operation declares. Raises `RequestValidationError`.

    A WebSocket is no operation, and sees to its own.
    """
    if request.scope["type"] != "http" or not request.query_params:
        return
    known = frozenset(_declared(request.scope["route"].dependant))
    unknown = [name for name in request.query_params if name not in known]
    if unknown:
        what = {"type": "extra_forbidden", "msg": "There is no such parameter"}
        raise RequestValidationError([{**what, "loc": ("query", name)} for name in unknown])


def _declared(dependant: Dependant) -> Iterator[str]:
    yield from (parameter.alias for parameter in dependant.query_params)
    for each in dependant.dependencies:
        yield from _declared(each)
