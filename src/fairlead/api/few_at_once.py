"""Requests that keep a thread for long: few at once, so that there are threads for everybody else."""

from collections.abc import Generator
from contextlib import contextmanager
from threading import BoundedSemaphore

from fairlead.flows.access.throttle import Throttled

TRY_AGAIN_SECONDS = 5


@contextmanager
def place_among(places: BoundedSemaphore) -> Generator[None]:
    """The block has one of the places. Raises `Throttled` where all are taken: whoever waits keeps a thread too."""
    if not places.acquire(blocking=False):
        raise Throttled(TRY_AGAIN_SECONDS)
    try:
        yield
    finally:
        places.release()
