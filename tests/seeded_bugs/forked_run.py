"""Runs of pytest, each in a fork of one process that has imported what is not ours.

A run of one test is mostly importing, and what is not ours is much of that. Nothing of ours may be imported before the
fork, neither here nor by what is imported here: from which source it comes, each run says. So this is a process of its
own; the one from which the races fork (tests/race/processes.py) has imported ours.
"""

import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from signal import SIGKILL
from tempfile import NamedTemporaryFile

import pytest

ROOT = Path(__file__).parents[2]
OF_OTHERS = (
    *("argon2", "fastapi", "holidays", "hypothesis.stateful", "numpy", "phonenumbers", "psycopg_pool"),
    *(
        "pydantic_settings",
        "starlette.testclient",
        "structlog",
        "typer.rich_utils",
        "typer.testing",
        "uvicorn",
        "zxcvbn",
    ),
)
"""Modules that import most of what the tests and the source need (tests/seeded_bugs/test_forked_run.py)."""


@dataclass(frozen=True)
class Forks:
    """The process that is forked; it answers each line with the exit code of the run that the line asks for."""

    process: "subprocess.Popen[str]"

    def run_pytest(
        self, words: Sequence[str], path: Sequence[Path], environment: Mapping[str, str], patience_seconds: float
    ) -> tuple[int, str]:
        """The exit code of pytest with these words, and what it wrote. Modules are looked for in `path` first.

        Raises TimeoutError when it takes longer than patience lasts; nothing can be run here afterwards.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with NamedTemporaryFile(mode="r", encoding="utf-8", errors="replace") as output:
            asked = {
                "output": output.name,
                "words": [*words],
                "path": [str(each) for each in path],
                "environment": dict(environment),
            }
            self.process.stdin.write(json.dumps(asked) + "\n")
            self.process.stdin.flush()
            with DefaultSelector() as selector:
                selector.register(self.process.stdout, EVENT_READ)
                if not selector.select(patience_seconds):
                    raise TimeoutError(f"no end of pytest {words}, which has written:\n{output.read()}")
            return int(self.process.stdout.readline()), output.read()


@contextmanager
def forks() -> Iterator[Forks]:
    """While the block runs, pytest can be run in forks."""
    command = [sys.executable, "-m", "tests.seeded_bugs.forked_run"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True, start_new_session=True) as process:
        try:
            yield Forks(process)
        finally:
            # With the run that had no end, which would go on by itself.
            os.killpg(process.pid, SIGKILL)


def _serve() -> None:
    for module in OF_OTHERS:
        import_module(module)
    assert not any(name.partition(".")[0] == "fairlead" for name in sys.modules)
    # What was made until here is looked through in no run, and so copied in none.
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _run(**json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _run(output: str, words: list[str], path: list[str], environment: dict[str, str]) -> None:
    """Does not return."""
    written, nothing = os.open(output, os.O_WRONLY), os.open(os.devnull, os.O_RDONLY)
    for stream, descriptor in enumerate((nothing, written, written)):
        os.dup2(descriptor, stream)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = path
    # Plugins come from packages that are imported already, whose assertions are not rewritten any more.
    sys.exit(pytest.main([*words, "-W", "ignore::pytest.PytestAssertRewriteWarning"]))


if __name__ == "__main__":
    _serve()
