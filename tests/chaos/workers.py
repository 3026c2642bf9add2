"""Worker processes as operators run them: started, killed, stopped from outside, and their logs kept.

Nothing in here waits for a time that ought to be enough: it waits for what must come, up to a deadline.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.waiting import PATIENCE_SECONDS, wait_until

SERVING = "serving the queues"
FAIRLEAD = ("-m", "fairlead")
LINES_SHOWN = 40
DEADLY_STATUS = 9

_DEADLY = """
import os, sys
from fairlead.core import batch
lead_id, status, decide = sys.argv.pop(1), sys.argv.pop(1), batch.decide
def decide_or_die(roster, lead, *rest):
    if lead.lead_id == lead_id:
        os._exit(int(status))
    return decide(roster, lead, *rest)
batch.decide = decide_or_die
from fairlead.cli import main
main()
"""
"""The program, in which one lead is deadly: any worker that begins to decide it is gone."""


def environment(database_url: str, **settings: object) -> dict[str, str]:
    """What a process of a test is started with: no setting of the user who runs the tests, and short bounds."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("FAIRLEAD_", "PYTEST_"))}
    given: dict[str, object] = {
        "database_url": database_url,
        "heartbeat_timeout_seconds": 3,
        "retry_delay_factor": 0.001,
        "worker_concurrency": 3,
        "delivery_concurrency": 3,
        "web_port": 0,
        "worker_port": 0,
        "webhook_allow_private": True,
    }
    chosen = {f"FAIRLEAD_{name.upper()}": str(value) for name, value in (given | settings).items()}
    return inherited | chosen | {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"}


def deadly_at(lead_id: str) -> tuple[str, ...]:
    """The program in which this lead is deadly; who dies of it ends with `DEADLY_STATUS`."""
    return ("-c", _DEADLY, lead_id, str(DEADLY_STATUS))


@dataclass
class Process:
    """One process and its log."""

    name: str
    popen: "subprocess.Popen[bytes]"
    log: Path

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.popen.pid

    def is_alive(self) -> bool:
        """Whether it runs, stopped or not."""
        return self.popen.poll() is None

    def lines(self) -> list[dict[str, Any]]:
        """What it logged so far. Lines that are no events are given as the event `not json`."""
        found: list[dict[str, Any]] = []
        for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                found.append({"event": "not json", "text": line})
        return found

    def events(self, event: str) -> list[dict[str, Any]]:
        """Its log lines of this event."""
        return [line for line in self.lines() if line["event"] == event]

    def is_serving(self) -> bool:
        """Whether it lives and has come to serve the queues."""
        return self.is_alive() and SERVING in self.log.read_text(encoding="utf-8", errors="replace")

    def port(self) -> int:
        """Where it answers /livez, /readyz and /metrics."""
        return int(self.events("worker started")[-1]["port"])

    def answer(self, path: str) -> tuple[int, str]:
        """Status and body that it answers this path with; (0, why) where it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port()}{path}", timeout=10) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read().decode()
        except OSError as error:
            return 0, str(error)

    def kill(self) -> None:
        """It is gone, at once, wherever it was."""
        self.popen.kill()
        self.popen.wait(PATIENCE_SECONDS)

    def send(self, number: signal.Signals) -> None:
        """It has been sent this signal."""
        self.popen.send_signal(number)

    def ended(self, within_seconds: float) -> int:
        """Its exit status, once it has ended by itself."""
        return self.popen.wait(within_seconds)


@dataclass
class Fleet:
    """The processes of one test."""

    folder: Path
    environment: Mapping[str, str]
    processes: list[Process] = field(default_factory=list[Process])
    kills: int = 0
    program: Sequence[str] = FAIRLEAD

    def start(self, words: Sequence[str] = ("worker", "--port", "0")) -> Process:
        """A process of this verb has been started; it need not serve yet."""
        name = f"{words[0]}-{len(self.processes) + 1}"
        log = self.folder / f"{name}.log"
        with log.open("wb") as stream:
            popen = subprocess.Popen(
                [sys.executable, *self.program, *words],
                env=dict(self.environment),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                start_new_session=True,
            )
        self.processes.append(Process(name, popen, log))
        return self.processes[-1]

    def start_serving(self, count: int) -> list[Process]:
        """So many workers serve the queues."""
        started = [self.start() for _ in range(count)]
        for process in started:
            wait_until(lambda process=process: process.is_serving() or not process.is_alive(), f"{process.name} serves")
            assert process.is_alive(), f"{process.name} ended:\n{process.log.read_text()}"
        return started

    def serving(self) -> list[Process]:
        """Those that serve the queues."""
        return [process for process in self.processes if process.is_serving()]

    def living(self) -> list[Process]:
        """Those that run."""
        return [process for process in self.processes if process.is_alive()]

    def events(self, event: str) -> list[dict[str, Any]]:
        """Log lines of this event, of all processes that there ever were."""
        return [line for process in self.processes for line in process.events(event)]

    def end(self) -> None:
        """Nothing that was started runs any more, children of children included; what they logged last is shown."""
        for process in self.processes:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        for process in self.processes:
            process.popen.wait(PATIENCE_SECONDS)
            print(f"--- {process.name}, exit status {process.popen.returncode}")
            # Lines that say that all is well only show how far it came.
            lines = process.log.read_text(encoding="utf-8", errors="replace").splitlines()
            telling = [line for line in lines if '"level": "info"' not in line]
            print(*telling[-LINES_SHOWN:], *lines[-2:], sep="\n")


@contextmanager
def restarting(fleet: Fleet, count: int) -> Generator[None]:
    """While the block runs, so many workers are kept running, however often they die."""

    def keep_running() -> None:
        for _ in range(count - len(fleet.living())):
            fleet.start()

    with _repeating(keep_running, lambda: 0.2):
        yield


@contextmanager
def killing(fleet: Fleet, dice: random.Random, every_seconds: float) -> Generator[None]:
    """While the block runs, one serving worker after the other is killed with -9."""

    def kill_one() -> None:
        if serving := fleet.serving():
            dice.choice(serving).kill()
            fleet.kills += 1

    with _repeating(kill_one, lambda: every_seconds * dice.uniform(0.5, 1.5)):
        yield


@contextmanager
def _repeating(act: Callable[[], None], pause_seconds: Callable[[], float]) -> Generator[None]:
    stop = threading.Event()
    troubles: list[BaseException] = []

    def again_and_again() -> None:
        try:
            while not stop.wait(pause_seconds()):
                act()
        except BaseException as trouble:
            troubles.append(trouble)

    thread = threading.Thread(target=again_and_again)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert not troubles, troubles
