"""Changing what one has seen: ETag in the answer, If-Match in the request, and a conflict told before it does harm.

The check itself is the flow's, under its lock (`version_conflict`, 412): here a version only crosses the wire.
"""

from typing import Annotated

from fastapi import Depends, Header, Response

from fairlead.api.schemas.values import pattern_with_message
from fairlead.core.errors import Refused

# A proxy that compresses makes ETags weak on their way; ours name a state, so that such a one says no less.
_PATTERN = pattern_with_message(r'^(\*|(W/)?"[!#-~]{1,128}")$', "Input should be one ETag in its quotes, or *")


def show_version(response: Response, version: str) -> None:
    """The answer says which version of the thing it shows."""
    response.headers["ETag"] = f'"{version}"'


async def _expected(
    if_match: Annotated[
        str | None,
        Header(pattern=_PATTERN, description="The ETag of what you saw, in its quotes; `*` for whatever it is by now."),
    ] = None,
) -> str | None:
    if if_match is None:
        raise Refused("precondition_required", "say in If-Match which version you saw (its ETag)")
    return None if if_match == "*" else if_match.removeprefix("W/").strip('"')


ExpectedVersion = Annotated[str | None, Depends(_expected, scope="function")]
"""The version that the client saw, to hand to the flow; None: any. Without the header the answer is 428."""
