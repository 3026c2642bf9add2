"""Running the program within a test: its exit status, what it said, and on which stream."""

import json
import signal
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from fairlead.cli import main


@dataclass(frozen=True)
class Ran:
    """One run of the program."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it answered to --json."""
        return json.loads(self.out)


class Program:
    """The program, with the environment of a test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys
        monkeypatch.setenv("FAIRLEAD_DATABASE_URL", url)
        monkeypatch.setenv("FAIRLEAD_SCHEMA", "fairlead")

    def __call__(self, *words: str) -> Ran:
        self._monkeypatch.setattr(sys, "argv", ["fairlead", *words])
        self._capsys.readouterr()
        status: object = 0
        # Verbs that run until they are stopped leave theirs, and a second SIGINT to those ends the process.
        handlers = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            main()
        except SystemExit as stop:
            status = stop.code
        finally:
            for each, handler in handlers.items():
                signal.signal(each, handler)
        out, err = self._capsys.readouterr()
        return Ran(status if isinstance(status, int) else int(status is not None), out, err)
