"""Requests that may be sent again: the header `Idempotency-Key`, kept in the transaction of the effect."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request
from pydantic import BaseModel

from fairlead.api.shapes.values import in_words
from fairlead.flows.access.principal import Principal
from fairlead.flows.once import LONGEST_KEY, Once, once_for

_DESCRIPTION = (
    "A text of your choice for this request. Sent again with the same key and body, it has no further effect, and the "
    "answer is the first one; with another body it is refused. Remembered for a day at least."
)
_PATTERN = in_words("^[!-~]([ -~]*[!-~])?$", "Input should be printable ASCII without spaces around it")


@dataclass(frozen=True, slots=True)
class Repeatable:
    """The key that came with a request, if one did, and what the request was sent to."""

    key: str | None
    route: str

    def once(self, who: Principal, asked: BaseModel | None = None) -> Once | None:
        """For the flow: this request of that principal, for this body. None without a key."""
        if self.key is None:
            return None
        body = {} if asked is None else asked.model_dump(mode="json")
        return once_for(who.actor.name, self.key, self.route, body)


async def _repeatable(
    request: Request,
    idempotency_key: Annotated[
        str | None, Header(max_length=LONGEST_KEY, pattern=_PATTERN, description=_DESCRIPTION)
    ] = None,
) -> Repeatable:
    return Repeatable(idempotency_key, f"{request.method} {request.url.path}")


async def _repeatable_for_certain(
    request: Request,
    idempotency_key: Annotated[str, Header(max_length=LONGEST_KEY, pattern=_PATTERN, description=_DESCRIPTION)],
) -> Repeatable:
    return Repeatable(idempotency_key, f"{request.method} {request.url.path}")


MayRepeat = Annotated[Repeatable, Depends(_repeatable, scope="function")]
"""For what starts work: with a key it is done once, without one each request counts."""

MustSayOnce = Annotated[Repeatable, Depends(_repeatable_for_certain, scope="function")]
"""For what moves money, and nothing but the key tells two of them apart: without a key the answer is 400."""
