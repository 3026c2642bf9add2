"""What the verbs that run until they are stopped have in common: signals, logs, and a database that may be away."""

import os
import signal
import sys
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from typing import Annotated

import typer

from fairlead.cli.garbage import keep_collections_short
from fairlead.cli.marketplace import marketplace
from fairlead.core.errors import Unavailable
from fairlead.settings import Settings
from fairlead.store.connection import Database
from fairlead.telemetry.errors import error_kind
from fairlead.telemetry.logs import get_logger, set_up_logs
from fairlead.telemetry.traces import set_up_traces, shut_down_traces

log = get_logger(__name__)

PAUSES_SECONDS = (0.5, 1, 2, 5, 10)
WITH_PARENT = "--with-parent"

WithParent = Annotated[int | None, typer.Option(WITH_PARENT, hidden=True, help="End when this is not the parent.")]


def begin(settings: Settings, process: str, parent_pid: int | None = None) -> threading.Event:
    """Logs, traces and garbage collection are set up; returns an event that SIGTERM, SIGINT and the parent's death set.

    A second SIGINT ends the process at once, for an operator who does not want to wait.
    """
    keep_collections_short()
    set_up_logs(settings.log_level, settings.log_format)
    set_up_traces(f"fairlead-{process}")
    stop = threading.Event()

    def on_signal(number: int, _frame: object) -> None:
        if stop.is_set() and number == signal.SIGINT:
            os._exit(130)
        log.info("stopping", signal=signal.Signals(number).name)
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    if parent_pid is not None:
        threading.Thread(target=_end_with, args=(parent_pid, stop), daemon=True).start()
    return stop


def _end_with(parent_pid: int, stop: threading.Event) -> None:
    while os.getppid() == parent_pid:
        if stop.wait(1):
            return
    log.warning("stopping: the process that started this one is gone")
    stop.set()


@contextmanager
def marketplace_when_there(
    settings: Settings, stop: threading.Event, max_connections: int, patience_seconds: float | None = None
) -> Generator[Database | None]:
    """The marketplace's database, waited for as long as it is away; None when `stop` was set before it came.

    Raises `Refused` when the schema is not the one that is needed: waiting would not bring it.
    """
    with ExitStack() as stack:
        failures = 0
        while True:
            try:
                database = stack.enter_context(marketplace(settings, max_connections, patience_seconds))
                break
            except Unavailable as error:
                pause_seconds = PAUSES_SECONDS[min(failures, len(PAUSES_SECONDS) - 1)]
                failures += 1
                log.warning("waiting for the database", error=error_kind(error), wait_seconds=pause_seconds)
                if stop.wait(pause_seconds):
                    yield None
                    return
        yield database


def leave_now(status: int) -> None:
    """The process ends, whatever its threads are at: their transactions are rolled back, their jobs rescued."""
    shut_down_traces()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
