"""Starting and killing other processes from a test."""

import os
import signal
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.processes import python_process

HERE = Path(__file__).parent
SRC = HERE.parents[2] / "src"


@contextmanager
def client(*words: str | Path) -> Generator[subprocess.Popen[str]]:
    """Run client.py with these words; what is left of it at the end is killed."""
    with python_process([str(HERE / "client.py"), *map(str, words)], {"PYTHONPATH": str(SRC)}) as process:
        yield process


def read_line(process: subprocess.Popen[str]) -> str:
    """Return the next line that the process prints, or fail with what it complained about."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate()[1]
    return line.strip()


def leave(process: subprocess.Popen[str]) -> None:
    """Let a holding client end cleanly, and wait for it."""
    _, complaint = process.communicate("", timeout=60)
    assert process.returncode == 0, complaint


def kill_hard(pid: int) -> None:
    """End the process with no chance to clean up."""
    os.kill(pid, signal.SIGKILL)


def ask(url: str, query: str) -> list[tuple[object, ...]]:
    """Return the rows of one query over a connection of its own."""
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def keep_a_row(url: str) -> None:
    """Commit a table `kept` with one row, a fresh one whatever was there."""
    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE IF EXISTS kept")
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
