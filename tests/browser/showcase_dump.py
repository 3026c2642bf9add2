"""The marketplace of `showcase` made once for all processes of a run, each of which has a server of its own."""

import fcntl
import subprocess
from pathlib import Path

from fairlead.store.connection import Database
from fairlead.store.embedded.binaries import find_binaries
from fairlead.store.schema import migrate
from tests.browser.showcase import fill_marketplace


def fill_database(url: str, dump: Path | None) -> None:
    """The empty database at this superuser's address has the schema and the showcase.

    With `dump`, the first process to come makes it and leaves it there; every other one waits and takes it from there.
    """
    if dump is None:
        _make(url)
        return
    with dump.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if dump.exists():
            _run("pg_restore", "--exit-on-error", "--no-owner", "--no-privileges", "--dbname", url, dump)
            with Database(url, "fairlead") as database:
                migrate(database)  # the portal's role is the other server's: it is made here, with its rights
        else:
            _make(url)
            _run("pg_dump", "--format", "custom", "--compress", "0", "--file", dump, url)


def _make(url: str) -> None:
    with Database(url, "fairlead") as database:
        migrate(database)
        fill_marketplace(database)


def _run(program: str, *words: str | Path) -> None:
    path = find_binaries(None).program(program)
    done = subprocess.run([path, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
