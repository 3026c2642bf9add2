"""Requests that may be sent again: the header `Idempotency-Key`, kept in the transaction of the effect.

Every POST honours it. Most need to say nothing for that: `idempotent_by_default` makes the whole request one
transaction, with the key and the answer in it. A route that hands the key to its flow takes `AcceptIdempotencyKey` or
`RequireIdempotencyKey`. What has no effect, and where a key cannot be honoured, is declared among the route's
`dependencies`:

    dependencies=[changes_nothing("why")]
    dependencies=[refuses_keys("why")]
"""

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, cast, get_args

from fastapi import Depends, Header, Request, Response
from fastapi.dependencies.models import Dependant
from pydantic import BaseModel, TypeAdapter, ValidationError

from fairlead.api.access import OwnProvider
from fairlead.api.resources import resources_of
from fairlead.api.schemas.values import RequestModel, ResponseModel, pattern_with_message
from fairlead.core.errors import Broken, Refused
from fairlead.delivery.secret_box import SecretBox
from fairlead.flows.access.principal import Client, Principal
from fairlead.flows.access.throttle import network_digest
from fairlead.flows.idempotency import LONGEST_KEY, IdempotencyKey, answer_lost, idempotency_key_for
from fairlead.flows.idempotent_requests import AnswerRetention, KeptAnswer, run_request_idempotent
from fairlead.store.connection import Database

_DESCRIPTION = (
    "A text of your choice for this request. Sent again with the same key and body, it has no further effect, and the "
    "answer is the first one, marked by `Idempotency-Replayed: true`; with another body it is "
    "refused. Remembered for a day at least."
)
REPLAYED = "Idempotency-Replayed"
"""`true` on an answer that is that of an earlier request with the same key."""

_PATTERN = pattern_with_message("^[!-~]([ -~]*[!-~])?$", "Input should be printable ASCII without spaces around it")


@dataclass(frozen=True, slots=True)
class RequestIdempotency:
    """The key that came with a request to a marketplace, if one did, and what the request was sent to."""

    key: str | None
    route: str
    response: Response
    box: SecretBox | None
    database: Database

    def key_of(self, who: Principal, asked: BaseModel | None = None) -> IdempotencyKey | None:
        """For the flow: this request of that principal, for this body. None without a key."""
        return self._key_of(who.actor.name, asked)

    def key_of_public(self, client: Client, asked: BaseModel) -> IdempotencyKey | None:
        """The same for a request without a principal: keys of different networks never meet."""
        return None if self.key is None else self._key_of(f"public:{network_digest(self.database, client.ip)}", asked)

    def _key_of(self, actor_id: str, asked: BaseModel | None) -> IdempotencyKey | None:
        if self.key is None:
            return None
        body = {} if asked is None else asked.model_dump(mode="json")
        return replace(idempotency_key_for(actor_id, self.key, self.route, body), on_replay=self._mark)

    def _mark(self) -> None:
        self.response.headers[REPLAYED] = "true"


async def _optional_key(
    request: Request,
    response: Response,
    idempotency_key: Annotated[
        str | None, Header(max_length=LONGEST_KEY, pattern=_PATTERN, description=_DESCRIPTION)
    ] = None,
) -> RequestIdempotency:
    return _made(request, response, idempotency_key)


async def _required_key(
    request: Request,
    response: Response,
    idempotency_key: Annotated[str, Header(max_length=LONGEST_KEY, pattern=_PATTERN, description=_DESCRIPTION)],
) -> RequestIdempotency:
    return _made(request, response, idempotency_key)


def _made(request: Request, response: Response, key: str | None) -> RequestIdempotency:
    resources = resources_of(request)
    return RequestIdempotency(key, f"{request.method} {request.url.path}", response, resources.box, resources.database)


AcceptIdempotencyKey = Annotated[RequestIdempotency, Depends(_optional_key, scope="function")]
"""For what starts work: with a key it is done once, without one each request counts."""

RequireIdempotencyKey = Annotated[RequestIdempotency, Depends(_required_key, scope="function")]
"""For what moves money, and nothing but the key tells two of them apart: without a key the answer is 400."""


@dataclass(frozen=True, slots=True)
class ChangesNothing:
    """A POST that only asks: it may be sent again anyway, and a key is not looked at."""

    why: str

    def __call__(self) -> None:
        """Everything is let through."""


@dataclass(frozen=True, slots=True)
class RefusesKeys:
    """POSTs that cannot be held to one effect: one with a key is refused before anything is done.

    Only callers that are let through are told so: `idempotent_by_default` puts the refusal behind all that the endpoint
    declares.
    """

    why: str

    def __call__(self) -> None:
        """Everything is let through, for now."""

    async def refuse(self, request: Request) -> None:
        """Nothing is done for a request with a key. Raises `Refused`: `idempotency_key_unsupported`."""
        if "idempotency-key" in request.headers:
            raise Refused("idempotency_key_unsupported", f"this takes no Idempotency-Key: {self.why}")


def changes_nothing(why: str) -> Any:
    """For a route's `dependencies`: why sending it again does no harm."""
    return Depends(ChangesNothing(why), scope="function")


def refuses_keys(why: str) -> Any:
    """For a route's or router's `dependencies`: why a key cannot be honoured."""
    return Depends(RefusesKeys(why), scope="function")


def declared_repetition(dependant: Dependant) -> Iterator[ChangesNothing | RefusesKeys]:
    """What a route declares instead of honouring a key."""
    for each in dependant.dependencies:
        if isinstance(each.call, ChangesNothing | RefusesKeys):
            yield each.call


def idempotent_by_default(endpoint: Callable[..., Any], options: dict[str, Any]) -> Callable[..., Any]:
    """The endpoint of a route with these options, such that it honours a key, unless it says otherwise.

    With a key, all that it does through the database that it is handed is one transaction with its answer. It must do
    nothing else that could be seen outside, since it may be run again.
    """
    declared = [each.dependency for each in cast("Sequence[Any]", options.get("dependencies") or ())]
    signature = inspect.signature(endpoint)
    parameters = signature.parameters.values()
    if (
        "POST" not in (options.get("methods") or ())
        or any(isinstance(each, ChangesNothing) for each in declared)
        or any(RequestIdempotency in get_args(each.annotation) for each in parameters)
    ):
        return endpoint
    for each in declared:
        if isinstance(each, RefusesKeys):
            return _refusing(endpoint, each)
    if inspect.iscoroutinefunction(endpoint):
        raise TypeError(f"{endpoint.__name__} waits beside the database, and cannot be one transaction")
    answering = _Answering(endpoint, signature.return_annotation)

    @functools.wraps(endpoint)
    def idempotent(**arguments: Any) -> Any:
        idempotency: RequestIdempotency = arguments.pop(_PARAMETER)
        return endpoint(**arguments) if idempotency.key is None else answering.answer(idempotency, arguments)

    _add_parameter(idempotent, signature, AcceptIdempotencyKey)
    return idempotent


_PARAMETER = "idempotency_by_default"


def _add_parameter(wrapper: Callable[..., Any], signature: inspect.Signature, annotation: Any) -> None:
    """The last one, so that the framework sees to it after all others."""
    added = inspect.Parameter(_PARAMETER, inspect.Parameter.KEYWORD_ONLY, annotation=annotation)
    vars(wrapper)["__signature__"] = signature.replace(parameters=[*signature.parameters.values(), added])


def _refusing(endpoint: Callable[..., Any], declared: RefusesKeys) -> Callable[..., Any]:
    """The endpoint, behind the refusal of a key."""
    if inspect.iscoroutinefunction(endpoint):

        @functools.wraps(endpoint)
        async def waiting(**arguments: Any) -> Any:
            del arguments[_PARAMETER]
            return await endpoint(**arguments)

        wrapper: Callable[..., Any] = waiting
    else:

        @functools.wraps(endpoint)
        def running(**arguments: Any) -> Any:
            del arguments[_PARAMETER]
            return endpoint(**arguments)

        wrapper = running
    refusal = Annotated[None, Depends(declared.refuse, scope="function")]
    _add_parameter(wrapper, inspect.signature(endpoint), refusal)
    return wrapper


class _Answering:
    """An endpoint, and how its answers are kept."""

    def __init__(self, endpoint: Callable[..., Any], answer: Any) -> None:
        self._endpoint = endpoint
        self._adapter: TypeAdapter[Any] = TypeAdapter(answer)
        self._kind = answer if isinstance(answer, type) and issubclass(answer, ResponseModel) else ResponseModel

    def answer(self, idempotency: RequestIdempotency, arguments: dict[str, Any]) -> Any:
        """The answer, the first time or again; `idempotency` has a key."""
        response = idempotency.response
        of_others = {REPLAYED.lower(), *response.headers}

        def work(database: Database) -> KeptAnswer:
            answer = self._endpoint(**_handed(arguments, database))
            own = {name: value for name, value in response.headers.items() if name not in of_others}
            return KeptAnswer(self._adapter.dump_python(answer, mode="json"), own)

        keeping = AnswerRetention(idempotency.box, self._kind.holds_secret, self._kind.is_personal)
        done = run_request_idempotent(_database_of(arguments), _request_of(idempotency, arguments), keeping, work)
        response.headers.update(done.headers)
        try:
            return self._adapter.validate_python(done.body)
        except ValidationError:
            raise answer_lost() from None


def _request_of(idempotency: RequestIdempotency, arguments: dict[str, Any]) -> IdempotencyKey:
    asked = next((each for each in arguments.values() if isinstance(each, RequestModel)), None)
    for each in arguments.values():
        if isinstance(each, Principal | OwnProvider):
            key = idempotency.key_of(each.principal if isinstance(each, OwnProvider) else each, asked)
            assert key is not None, "there is a key"
            return key
    raise Broken("a route that honours a key by default has to know who asks")


def _database_of(arguments: dict[str, Any]) -> Database:
    """The only one that the endpoint is handed: what it does through another would not be undone with the key."""
    found = [each for each in arguments.values() if isinstance(each, Database)]
    found += [each.database for each in arguments.values() if isinstance(each, OwnProvider)]
    if len(found) != 1:
        raise Broken(f"a route that honours a key by default is handed {len(found)} databases instead of one")
    return found[0]


def _handed(arguments: dict[str, Any], database: Database) -> dict[str, Any]:
    handed = dict(arguments)
    for name, each in arguments.items():
        if isinstance(each, Database):
            handed[name] = database
        elif isinstance(each, OwnProvider):
            handed[name] = replace(each, database=database)
    return handed
