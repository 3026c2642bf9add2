"""Ending what a killed postmaster left: its children, which hold the directory's shared memory.

Most notice within moments that their postmaster is gone. One that waits for a lock which a killed process held never
does (PostgreSQL's lightweight locks are semaphores), and as long as it lives no server starts on the directory. A
postmaster that restarts after a crash kills such children after 5 seconds (its SIGKILL_CHILDREN_AFTER_SECS); with the
postmaster gone this is ours to do. It costs nothing that was acknowledged: the next server recovers from the log.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from fairlead.store.embedded.errors import EmbeddedPostgresError
from fairlead.store.embedded.process import parent_of, postgres_processes, title_of

_NOTICE_WITHIN_S = 5.0
_GONE_WITHIN_S = 30.0


def orphans(data: Path) -> list[int]:
    """Return the processes on the data directory whose postmaster is gone; none where the system has no /proc.

    Told by their title, which only a postmaster's children bear: neither a postmaster whose pid file was lost nor a
    server in single-user mode is one, and both are left alone.
    """
    pids = postgres_processes(data)
    return [pid for pid in pids if title_of(pid).startswith(b"postgres: ") and parent_of(pid) not in pids]


def end_orphans(data: Path) -> None:
    """Leave no child of a killed postmaster on the data directory: waited for 5 seconds, then killed.

    Call it under the start lock. Raises EmbeddedPostgresError that names the processes where they outlive that by half
    a minute, as one does that waits for a disk which does not answer. Idempotent.
    """
    start = time.monotonic()
    while pids := orphans(data):
        waited_s = time.monotonic() - start
        if waited_s > _GONE_WITHIN_S:
            raise EmbeddedPostgresError(
                f"processes of a killed server do not end (number {', '.join(map(str, pids))}): they still use {data}; "
                "try again when they are gone"
            )
        if waited_s > _NOTICE_WITHIN_S:
            _kill(pids)
        time.sleep(0.02)


def _kill(pids: list[int]) -> None:
    for pid in pids:
        # Gone by itself meanwhile, or another user's: then it is waited for, and named in the end.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
