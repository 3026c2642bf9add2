"""Waiting for what must come. No test asks how fast it comes: a machine may be as busy as it likes."""

import time
from collections.abc import Callable

PATIENCE_SECONDS = 60
"""How long a test waits for what must come: long enough that only what never comes takes longer."""

OUTLASTS_PATIENCE_MS = 1500 * PATIENCE_SECONDS
"""For connections that hold a lock, or wait for one, while a test waits: the server may not end them first."""


def wait_until(
    condition: Callable[[], object],
    what: str = "what was waited for",
    patience_seconds: float = PATIENCE_SECONDS,
    *,
    pause_seconds: float = 0.01,
) -> None:
    """Returns once the condition holds; fails, naming `what` was waited for, where it never does."""
    deadline = time.monotonic() + patience_seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {patience_seconds:.0f} s: {what}"
        time.sleep(pause_seconds)
