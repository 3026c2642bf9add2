"""A call that answers in time or not at all."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")


class Bounded(Generic[Result]):
    """A function that raises TimeoutError when its result is not there within `seconds`.

    For calls that have no bound of their own: a client waits forever for a server that is frozen, not gone. Such a call
    goes on in its thread; until it ends, further ones raise at once, so that they never pile up. Safe in threads.
    """

    def __init__(self, call: Callable[[], Result], seconds: float) -> None:
        self._call = call
        self._seconds = seconds
        self._one_at_a_time = threading.Lock()
        self._stuck: threading.Thread | None = None

    def __call__(self) -> Result:
        """The result, or what the call raised, or TimeoutError."""
        with self._one_at_a_time:
            if self._stuck is not None and self._stuck.is_alive():
                raise TimeoutError("an earlier call has not ended yet")
            results: list[Result] = []
            errors: list[BaseException] = []
            thread = threading.Thread(target=self._run, args=(results, errors), name="bounded", daemon=True)
            self._stuck = thread
            thread.start()
            thread.join(self._seconds)
            if errors:
                raise errors[0]
            if not results:
                raise TimeoutError(f"no answer within {self._seconds:g} s")
            return results[0]

    def _run(self, results: list[Result], errors: list[BaseException]) -> None:
        try:
            results.append(self._call())
        except BaseException as error:
            errors.append(error)
