"""Limits on how many requests of a kind are worked on at once, so that no kind takes all threads.

Requests that check or make a password wait for a slot, without holding a thread: a hash takes a core for some 70 ms,
and two hundred logins that waited in threads made every other request wait for seconds. Each kind of them has slots of
its own. Rate limits come before: a request that one refuses never takes a slot.

Requests that keep a thread for long, such as a replay, are refused at once where no slot is free.
"""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from threading import Lock
from typing import Literal, TypeAlias, cast, get_args

from anyio import CapacityLimiter, current_time, fail_after, sleep
from fastapi import Request

from fairlead.core.errors import Unavailable
from fairlead.flows.access.throttle import Throttled

PasswordRequest: TypeAlias = Literal["login", "one-time link", "session"]
PasswordSlots: TypeAlias = dict[PasswordRequest, CapacityLimiter]

AT_ONCE = 3
PATIENCE_SECONDS = 10.0
EVEN_ANSWER_SECONDS = 0.25
TRY_AGAIN_SECONDS = 5


def new_password_slots() -> PasswordSlots:
    """For one application: of each kind so many requests about passwords have a thread at once."""
    return {kind: CapacityLimiter(AT_ONCE) for kind in cast("tuple[PasswordRequest, ...]", get_args(PasswordRequest))}


@asynccontextmanager
async def password_slot(request: Request, kind: PasswordRequest) -> AsyncGenerator[None]:
    """The block has a slot of its kind. Raises `Unavailable` where none was free for long."""
    slots = cast("PasswordSlots", request.app.state.password_slots)[kind]
    try:
        with fail_after(PATIENCE_SECONDS):
            await slots.acquire()
    except TimeoutError:
        raise Unavailable("too many passwords are being checked at once; try again") from None
    try:
        yield
    finally:
        slots.release()


@asynccontextmanager
async def constant_time() -> AsyncGenerator[None]:
    """The block takes at least a quarter of a second, so that its duration does not disclose what it found.

    It waits with neither a thread nor a connection. What raises is answered at once: that tells nothing of an account.
    """
    began = current_time()
    yield
    await sleep(max(0.0, began + EVEN_ANSWER_SECONDS - current_time()))


class ConcurrencyLimit:
    """So many slots in a process, of which each caller has one at a time: no caller takes them all.

    A caller is named by its `Principal.owner`, so that a person with a session and keys has one by all of them.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._lock = Lock()
        self._taken_by: set[str] = set()

    @contextmanager
    def slot(self, caller: str) -> Generator[None]:
        """The block has a slot. Raises `Throttled` where the caller has one or none is free: waiting takes a thread."""
        with self._lock:
            if caller in self._taken_by or len(self._taken_by) == self._count:
                raise Throttled(TRY_AGAIN_SECONDS)
            self._taken_by.add(caller)
        try:
            yield
        finally:
            with self._lock:
                self._taken_by.remove(caller)


REPLAYS = ConcurrencyLimit(2)
"""Of whatever rebuilds how a niche stood at a past decision: routes and pages alike, each caller one at a time."""

PREVIEWS = ConcurrencyLimit(2)
"""Of message templates, which an operator may have made to take a second or two and a few hundred megabytes."""
