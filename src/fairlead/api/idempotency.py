"""Requests that may be sent again: the header `Idempotency-Key`, kept in the transaction of the effect."""

import hashlib
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from fairlead.api.shapes.values import in_words
from fairlead.flows.access.principal import Client, Principal
from fairlead.flows.access.throttle import network_of
from fairlead.flows.once import LONGEST_KEY, Once, once_for

_DESCRIPTION = (
    "A text of your choice for this request. Sent again with the same key and body, it has no further effect, and the "
    "answer is the first one, marked by `Idempotency-Replayed: true`; with another body it is "
    "refused. Remembered for a day at least."
)
REPLAYED = "Idempotency-Replayed"
"""`true` on an answer that is that of an earlier request with the same key."""

_PATTERN = in_words("^[!-~]([ -~]*[!-~])?$", "Input should be printable ASCII without spaces around it")


@dataclass(frozen=True, slots=True)
class Repeatable:
    """The key that came with a request, if one did, and what the request was sent to."""

    key: str | None
    route: str
    response: Response

    def once(self, who: Principal, asked: BaseModel | None = None) -> Once | None:
        """For the flow: this request of that principal, for this body. None without a key."""
        return self._once_of(who.actor.name, asked)

    def once_of_public(self, client: Client, asked: BaseModel) -> Once | None:
        """The same for a request without a principal: keys of different networks never meet."""
        return self._once_of("public:" + hashlib.sha256(network_of(client.ip).encode()).hexdigest(), asked)

    def _once_of(self, actor_id: str, asked: BaseModel | None) -> Once | None:
        if self.key is None:
            return None
        body = {} if asked is None else asked.model_dump(mode="json")
        return replace(once_for(actor_id, self.key, self.route, body), on_replay=self._mark)

    def _mark(self) -> None:
        self.response.headers[REPLAYED] = "true"


async def _repeatable(
    request: Request,
    response: Response,
    idempotency_key: Annotated[
        str | None, Header(max_length=LONGEST_KEY, pattern=_PATTERN, description=_DESCRIPTION)
    ] = None,
) -> Repeatable:
    return Repeatable(idempotency_key, f"{request.method} {request.url.path}", response)


async def _repeatable_for_certain(
    request: Request,
    response: Response,
    idempotency_key: Annotated[str, Header(max_length=LONGEST_KEY, pattern=_PATTERN, description=_DESCRIPTION)],
) -> Repeatable:
    return Repeatable(idempotency_key, f"{request.method} {request.url.path}", response)


MayRepeat = Annotated[Repeatable, Depends(_repeatable, scope="function")]
"""For what starts work: with a key it is done once, without one each request counts."""

MustSayOnce = Annotated[Repeatable, Depends(_repeatable_for_certain, scope="function")]
"""For what moves money, and nothing but the key tells two of them apart: without a key the answer is 400."""
