"""Who uses the cluster, told by locks that the kernel drops when a process dies, however it dies.

Two files in the cluster's root. `start.lock`, exclusive: a process that starts, stops or joins holds it, so "the
last one leaves" and "the next one enters" never overlap. `users.lock`, shared: every process holds it for as
long as it uses the server; one that can take it exclusively is alone.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from fairlead.store.embedded.errors import NEEDS_UNIX, EmbeddedPostgresError

try:
    import fcntl
except ImportError:  # no such thing on Windows
    fcntl = None


@contextmanager
def start_lock(root: Path) -> Generator[int]:
    """Hold the right to start, stop or join the cluster; yields the lock's file descriptor.

    Waits for as long as another process holds it. A child that is given the descriptor keeps the lock after
    us.
    """
    descriptor = _open(root / "start.lock")
    try:
        _flock(descriptor, exclusive=True)
        yield descriptor
    finally:
        os.close(descriptor)


class Usage:
    """One use of the cluster, until `close` or the process's end; make and ask it under the start lock."""

    def __init__(self, root: Path) -> None:
        self._descriptor = _open(root / "users.lock")
        _flock(self._descriptor, exclusive=False)

    def is_last(self) -> bool:
        """Return True when no other process, and no other use in this process, holds the cluster."""
        return _flock(self._descriptor, exclusive=True, wait=False)

    def close(self) -> None:
        """End this use; further calls do nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags, 0o600)
    give_to_owner_of_directory(descriptor, path)
    return descriptor


def give_to_owner_of_directory(descriptor: int, path: Path) -> None:
    """Make the open file belong to its directory's owner, so that root's visit locks no ordinary user out."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        owner = path.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _flock(descriptor: int, *, exclusive: bool, wait: bool = True) -> bool:
    if fcntl is None:
        raise EmbeddedPostgresError(NEEDS_UNIX)
    mode = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
    try:
        fcntl.flock(descriptor, mode if wait else mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
