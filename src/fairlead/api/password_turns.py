"""Requests that check or make a password wait for their turn without holding a thread.

A hash takes a core for some 70 ms, and only so many are made at once. Whoever waits for that in a thread keeps it from
everybody else: two hundred logins at once made every other request wait for seconds.
"""

from collections.abc import AsyncGenerator

from anyio import CapacityLimiter, fail_after
from fastapi import Depends, Request

from fairlead.core.errors import Unavailable

AT_ONCE = 3
PATIENCE_SECONDS = 10.0


def new_turns() -> CapacityLimiter:
    """For one application: so many requests about passwords have a thread at once."""
    return CapacityLimiter(AT_ONCE)


async def _turn(request: Request) -> AsyncGenerator[None]:
    turns: CapacityLimiter = request.app.state.password_turns
    try:
        with fail_after(PATIENCE_SECONDS):
            await turns.acquire_on_behalf_of(request)
    except TimeoutError:
        raise Unavailable("too many passwords are being checked at once; try again") from None
    try:
        yield
    finally:
        turns.release_on_behalf_of(request)


in_turn = Depends(_turn, scope="function")
"""For the `dependencies` of a route that checks or makes a password, or answers as slowly as if it did."""
