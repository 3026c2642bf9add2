"""`fairlead serve`: everything on one machine, in one process group."""

import os
import subprocess
import sys
import threading
import time
from typing import Annotated

import typer

from fairlead.cli.long_running import WITH_PARENT, begin, marketplace_when_there
from fairlead.flows.access.encryption_keys import with_encryption_keys
from fairlead.settings import Settings, load_settings
from fairlead.telemetry.logs import get_logger

log = get_logger(__name__)

TICK_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 30
KILL_AFTER_SECONDS = 10


def serve(
    workers: Annotated[int, typer.Option(min=1, max=32, help="How many worker processes.")] = 1,
) -> None:
    """Run the web process and a worker together, until stopped: all that one machine needs.

    On an empty database it prints a link, good once, that lets the first operator in. It needs no setting: the keys
    that encrypt secrets are made on the first start and kept with the data. Keep a copy of them elsewhere.

    A process that dies is started again. Ctrl-C or SIGTERM stops them all, each finishing what is under way. The first
    worker answers /metrics on FAIRLEAD_WORKER_PORT, the next on the port after it, and so on.

    Examples:

        fairlead serve

        fairlead serve --workers 2
    """
    settings = load_settings()
    stop = begin(settings, "serve")
    # Held open for as long as the others run: an embedded server stays up, and the schema is checked once for all.
    with marketplace_when_there(settings, stop, 1) as database:
        if database is not None:
            with_encryption_keys(database, settings)  # made by one process, before all others look for them
            _supervise([_Child("web", []), *_workers(settings, workers)], settings, stop)


def _workers(settings: Settings, count: int) -> list["_Child"]:
    first = settings.worker_port
    ports = [first + number if first else 0 for number in range(count)]
    return [_Child("worker", ["--port", str(port)]) for port in ports]


class _Child:
    """A process that is kept running."""

    def __init__(self, verb: str, words: list[str]) -> None:
        self.verb = verb
        self._command = [sys.executable, "-m", "fairlead", verb, *words, WITH_PARENT, str(os.getpid())]
        self._process: subprocess.Popen[bytes] | None = None
        self._deaths = 0
        self._start_at = 0.0

    def keep_running(self) -> None:
        if self._process is None:
            if time.monotonic() >= self._start_at:
                # A group of its own: Ctrl-C reaches only the parent, which stops the children in order.
                self._process = subprocess.Popen(self._command, start_new_session=True)
                self._started = time.monotonic()
        elif (status := self._process.poll()) is not None:
            ran_seconds = time.monotonic() - self._started
            self._deaths = 0 if ran_seconds > LONGEST_PAUSE_SECONDS else self._deaths + 1
            pause_seconds = min(2.0**self._deaths, LONGEST_PAUSE_SECONDS)
            log.warning(
                "a process ended and is started again", kind=self.verb, status_code=status, wait_seconds=pause_seconds
            )
            self._process, self._start_at = None, time.monotonic() + pause_seconds

    def ask_to_stop(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def wait(self, deadline: float) -> None:
        if self._process is None:
            return
        try:
            self._process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("a process did not stop and is killed", kind=self.verb)
            self._process.kill()
            self._process.wait()


def _supervise(children: list[_Child], settings: Settings, stop: threading.Event) -> None:
    while not stop.is_set():
        for child in children:
            child.keep_running()
        stop.wait(TICK_SECONDS)
    for child in children:
        child.ask_to_stop()
    deadline = time.monotonic() + settings.shutdown_timeout_seconds + KILL_AFTER_SECONDS
    for child in children:
        child.wait(deadline)
    log.info("all stopped")
