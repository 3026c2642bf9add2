"""Telling a living postmaster from a stale file: postmaster.pid alone is never believed.

The number in that file outlives its process (kill -9, power loss, a restarted container), and the system
gives it to another process. A postmaster is alive when its process exists, is no zombie, is called postgres and
works in our directory.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_HAS_PROC = (_PROC / "self" / "stat").exists()
_PORT_LINE = 3


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A running server: its process id and the TCP port that it was started on."""

    pid: int
    port: int


def live_postmaster(data: Path) -> Postmaster | None:
    """Return the server that runs on the data directory; None when its pid file is absent or misleads."""
    lines = _pid_file_lines(data)
    if len(lines) <= _PORT_LINE or not lines[0].isdigit() or not lines[_PORT_LINE].isdigit():
        return None
    pid = int(lines[0])
    if pid <= 0 or not is_alive(pid) or not _serves(pid, data):
        return None
    return Postmaster(pid=pid, port=int(lines[_PORT_LINE]))


def is_alive(pid: int) -> bool:
    """Return True when the process exists and is no zombie."""
    if _HAS_PROC:
        fields = _stat_fields(pid)
        return bool(fields) and fields[0] not in ("Z", "X")
    state = _ps(pid, "stat")
    return bool(state) and not state.startswith("Z")


def remove_misleading_pid_file(data: Path) -> None:
    """Leave no postmaster.pid that would keep a server from starting; call it when no postmaster is alive.

    A file whose process is gone stays: PostgreSQL checks by it that no orphaned backend still uses the
    directory. A file that is empty, garbage, or names a process of another program goes, for PostgreSQL would
    refuse to start.
    """
    lines = _pid_file_lines(data)
    named = int(lines[0]) if lines and lines[0].isdigit() else 0
    if named <= 0 or _exists(named):
        (data / "postmaster.pid").unlink(missing_ok=True)


def postgres_processes(data: Path) -> list[int]:
    """Return the processes of PostgreSQL that work in the data directory; none where the system has no /proc."""
    return [int(entry.name) for entry in _PROC.glob("[0-9]*") if _is_postgres(entry) and _works_in(entry.name, data)]


def title_of(pid: int) -> bytes:
    """Return the process's first word, which PostgreSQL's children overwrite with what they are; empty if it is gone.

    Ours to see on Linux alone.
    """
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")[0]
    except OSError:
        return b""


def parent_of(pid: int) -> int:
    """Return the number of the process's parent; 0 if the process is gone. Ours to see on Linux alone."""
    fields = _stat_fields(pid)
    return int(fields[1]) if fields else 0


def _pid_file_lines(data: Path) -> list[str]:
    try:
        text = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [line.strip() for line in text.splitlines()]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _serves(pid: int, data: Path) -> bool:
    if not _HAS_PROC:
        command = _ps(pid, "command")
        return "postgres" in command and str(data) in command
    try:
        words = (_PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    if os.path.basename(words[0]) not in (b"postgres", b"postmaster"):
        return False
    return os.fsencode(data) in words or _works_in(pid, data)


def _stat_fields(pid: int) -> list[str]:
    """The state, the parent and so on; nothing if the process is gone."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return []
    return stat.rpartition(")")[2].split()


def _is_postgres(entry: Path) -> bool:
    try:
        return (entry / "comm").read_bytes().strip() in (b"postgres", b"postmaster")
    except OSError:
        return False


def _works_in(pid: int | str, data: Path) -> bool:
    try:
        return os.readlink(_PROC / str(pid) / "cwd") == str(data)
    except OSError:
        return False


def _ps(pid: int, column: str) -> str:
    done = subprocess.run(
        ["/bin/ps", "-ww", "-o", f"{column}=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()
