"""Requests that check or make a password wait for their turn without holding a thread.

A hash takes a core for some 70 ms, and only so many are made at once. Whoever waits for that in a thread keeps it from
everybody else: two hundred logins at once made every other request wait for seconds.

Each kind of request has turns of its own, so that many of one kind keep none of another waiting. A limit comes before a
turn: whoever is refused by one never had it.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Literal, TypeAlias, cast, get_args

from anyio import CapacityLimiter, current_time, fail_after, sleep
from fastapi import Request

from fairlead.core.errors import Unavailable

Kind: TypeAlias = Literal["login", "one-time link", "session"]
Turns: TypeAlias = dict[Kind, CapacityLimiter]

AT_ONCE = 3
PATIENCE_SECONDS = 10.0
EVEN_ANSWER_SECONDS = 0.25


def new_turns() -> Turns:
    """For one application: of each kind so many requests about passwords have a thread at once."""
    return {kind: CapacityLimiter(AT_ONCE) for kind in cast("tuple[Kind, ...]", get_args(Kind))}


@asynccontextmanager
async def turn(request: Request, kind: Kind) -> AsyncGenerator[None]:
    """The block has a turn of its kind. Raises `Unavailable` where there was none for long."""
    turns = cast("Turns", request.app.state.password_turns)[kind]
    try:
        with fail_after(PATIENCE_SECONDS):
            await turns.acquire()
    except TimeoutError:
        raise Unavailable("too many passwords are being checked at once; try again") from None
    try:
        yield
    finally:
        turns.release()


@asynccontextmanager
async def answered_evenly() -> AsyncGenerator[None]:
    """The block takes at least a quarter of a second, so that how long it took does not tell what it found.

    It waits with neither a thread nor a connection. What raises is answered at once: that tells nothing of an account.
    """
    began = current_time()
    yield
    await sleep(max(0.0, began + EVEN_ANSWER_SECONDS - current_time()))
