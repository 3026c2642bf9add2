"""Requests that keep a thread for long: few at once, so that threads remain for all other requests."""

from collections.abc import Generator
from contextlib import contextmanager
from threading import Lock

from fairlead.flows.access.throttle import Throttled

TRY_AGAIN_SECONDS = 5


class Places:
    """So many places in a process, of which each caller has one at a time: no caller takes them all."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._lock = Lock()
        self._taken_by: set[str] = set()

    @contextmanager
    def place_of(self, caller: str) -> Generator[None]:
        """The block has a place. Raises `Throttled` where the caller has one, or all are taken: who waits keeps a
        thread, too.
        """
        with self._lock:
            if caller in self._taken_by or len(self._taken_by) == self._count:
                raise Throttled(TRY_AGAIN_SECONDS)
            self._taken_by.add(caller)
        try:
            yield
        finally:
            with self._lock:
                self._taken_by.remove(caller)
