"""Real `fairlead worker` and `fairlead web` processes on a database of the measured server."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

PATIENCE_SECONDS = 300


@contextmanager
def workers(url: str, count: int, directory: Path, settings: Mapping[str, str] | None = None) -> Iterator[list[int]]:
    """So many workers serve the database's queues, with the settings that they have by default.

    Each starts with empty rosters, logs into the directory as it would on standard error, and writes the emails there.
    They are stopped as an operator would stop them. `settings` prevail. Gives their process ids.
    """
    environment = _environment(url, directory) | dict(settings or {})
    pids: list[int] = []
    with ExitStack() as open_:
        for number in range(count):
            log = directory / f"worker-{number}.log"
            pids.append(open_.enter_context(_process("worker", environment, log, "serving the queues")))
        yield pids


@contextmanager
def web(url: str, directory: Path, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """A web process answers for the database, at the address that is given. It is stopped as an operator would.

    `settings` prevail.
    """
    log = directory / "web.log"
    environment = _environment(url, directory) | {"FAIRLEAD_WEB_PORT": "0"} | dict(settings or {})
    with _process("web", environment, log, "web started"):
        port = re.search(r'"port": (\d+)', log.read_text())
        if port is None:
            raise RuntimeError("the web process does not say where it listens")
        yield f"http://127.0.0.1:{port[1]}"


def _environment(url: str, directory: Path) -> dict[str, str]:
    mail = directory / "mail"
    mail.mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FAIRLEAD_")}
    return environment | {
        "FAIRLEAD_DATABASE_URL": url,
        "FAIRLEAD_MAIL_TRANSPORT": "directory",
        "FAIRLEAD_MAIL_DIRECTORY": str(mail),
        "FAIRLEAD_WORKER_PORT": "0",
        "FAIRLEAD_SHUTDOWN_TIMEOUT_SECONDS": "5",
    }


@contextmanager
def _process(verb: str, environment: dict[str, str], log: Path, ready: str) -> Iterator[int]:
    command = [sys.executable, "-m", "fairlead", verb, "--with-parent", str(os.getpid())]
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, env=environment, stderr=stderr)
        try:
            _await_serving(process, log, ready)
            yield process.pid
            assert process.poll() is None, f"a process ended by itself: {log.read_text()[-2000:]}"
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await_serving(process: "subprocess.Popen[bytes]", log: Path, ready: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while ready not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the process does not serve: {log.read_text()[-2000:]}")
        time.sleep(0.05)
