"""Decisions come first: emails of the same process wait while a lead is being decided in it, or just about to be."""

import threading
from collections.abc import Collection, Generator
from contextlib import contextmanager

LONGEST_SECONDS = 0.05
"""An email waits no longer: a process that decides without a pause sends some all the same."""


class Precedence:
    """Shared by all threads of one worker process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = 0
        self._is_free = threading.Event()
        self._is_free.set()

    def expect(self, queues: Collection[str]) -> None:
        """Something new is in these queues; if it is a lead to decide, what gives precedence waits from now on."""
        if "distribute" in queues:
            self._is_free.clear()

    @contextmanager
    def taken(self) -> Generator[None]:
        """What gives precedence waits until the block ends."""
        with self._lock:
            self._taken += 1
            self._is_free.clear()
        try:
            yield
        finally:
            with self._lock:
                self._taken -= 1
                if not self._taken:
                    self._is_free.set()

    def give(self) -> None:
        """The decisions have gone first, or have had `LONGEST_SECONDS` for it."""
        if not self._is_free.wait(LONGEST_SECONDS):
            with self._lock:
                if not self._taken:  # what was expected went to another process
                    self._is_free.set()
