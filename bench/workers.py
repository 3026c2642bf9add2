"""Real `fairlead worker` processes on a database of the measured server."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PATIENCE_SECONDS = 60


@contextmanager
def workers(url: str, count: int, directory: Path) -> Iterator[None]:
    """So many workers serve the database's queues, with the settings that they have by default.

    Each starts with empty rosters, logs into the directory as it would on standard error, and writes the emails there.
    They are stopped as an operator would stop them.
    """
    mail = directory / "mail"
    mail.mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FAIRLEAD_")}
    environment |= {
        "FAIRLEAD_DATABASE_URL": url,
        "FAIRLEAD_MAIL_TRANSPORT": "directory",
        "FAIRLEAD_MAIL_DIRECTORY": str(mail),
        "FAIRLEAD_WORKER_PORT": "0",
        "FAIRLEAD_DRAIN_SECONDS": "5",
    }
    with ExitStack() as open_:
        for number in range(count):
            open_.enter_context(_worker(environment, directory / f"worker-{number}.log"))
        yield


@contextmanager
def _worker(environment: dict[str, str], log: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "fairlead", "worker", "--with-parent", str(os.getpid())]
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, env=environment, stderr=stderr)
        try:
            _await_serving(process, log)
            yield
            assert process.poll() is None, f"a worker ended by itself: {log.read_text()[-2000:]}"
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _await_serving(process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while "serving the queues" not in log.read_text():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the worker does not serve: {log.read_text()[-2000:]}")
        time.sleep(0.05)
