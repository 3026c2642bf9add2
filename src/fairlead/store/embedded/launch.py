"""Starting a postmaster and waiting until it answers; stopping one."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg

from fairlead.store.embedded.account import ServerAccount
from fairlead.store.embedded.binaries import Binaries
from fairlead.store.embedded.errors import EmbeddedPostgresError
from fairlead.store.embedded.orphans import end_orphans
from fairlead.store.embedded.process import Postmaster, is_alive, live_postmaster, remove_misleading_pid_file
from fairlead.store.embedded.server_file import ServerFile
from fairlead.store.embedded.server_log import failure_reason, lines_since

READY_WITHIN_S = 600.0
_RETRY_WITHIN_S = 30.0
_STOP_WITHIN_S = 120.0
_LOG_KEPT_BYTES = 10_000_000
# $1 is the log, the rest the server's command. The shell ends at once and leaves the server to init: it is
# no child of ours, gets no Ctrl-C of ours, and its process id is known before it has written any file. Paths
# need no quoting.
_DETACH = 'umask 077; log=$1; shift; "$@" </dev/null >>"$log" 2>&1 & echo $!'


@dataclass(frozen=True, slots=True)
class Launch:
    """What a server is started from: directory, log, account, programs, and settings for its command line."""

    data: Path
    log: Path
    account: ServerAccount
    binaries: Binaries
    extra_settings: Mapping[str, str]


class StillRecovering(EmbeddedPostgresError):
    """The server is up and replays its log, and that takes longer than any caller waits."""


class ServerFailed(EmbeddedPostgresError):
    """The server ended before it answered; `log` is what it wrote since it was started."""

    def __init__(self, message: str, log: str) -> None:
        super().__init__(message)
        self.log = log


def start_server(launch: Launch, content: ServerFile) -> int:
    """Leave a server that answers on 127.0.0.1 and return its port: the last one where free, else another.

    The children of a killed postmaster are ended first. Waits up to 10 minutes while it recovers from a crash. Call it
    under the start lock, with no live postmaster. Raises EmbeddedPostgresError with the server's own reason when it
    does not come up.
    """
    end_orphans(launch.data)
    give_up = time.monotonic() + _RETRY_WITHIN_S
    port = content.port
    while True:
        port = port if port and _is_free(port) else free_port()
        remove_misleading_pid_file(launch.data)
        start = _open_log(launch.log, launch.account)
        pid = _detach(launch, port)
        try:
            wait_until_ready(content.superuser_url(port), pid, launch.log, start)
            return port
        except ServerFailed as failure:
            bind_lost = "Address already in use" in failure.log or "Address in use" in failure.log
            # Orphans that cannot be seen from here (no /proc, another container) are waited for.
            in_use = "is still in use" in failure.log
            if not (bind_lost or in_use) or time.monotonic() > give_up:
                raise
            port = free_port() if bind_lost else port
            time.sleep(0.2)


def wait_until_ready(superuser_url: str, pid: int, log: Path, log_start: int = 0) -> None:
    """Return when the server answers a query; raise ServerFailed when it ends first.

    Refused connections and "starting up" mean wait; a server that recovers for longer than 10 minutes is left
    to it and reported, a password that the server refuses is reported at once.
    """
    give_up = time.monotonic() + READY_WITHIN_S
    pause_s = 0.02
    while True:
        alive = is_alive(pid)
        try:
            with psycopg.connect(superuser_url, connect_timeout=5, autocommit=True) as connection:
                connection.execute("SELECT 1")
            if alive:
                return
        except psycopg.OperationalError as error:
            if alive and "password authentication failed" in str(error):
                raise EmbeddedPostgresError(
                    f"the embedded server refuses the password in {log.parent / 'server.json'}"
                ) from None
        if not alive:
            raise _failed(log, log_start, log.parent / "data")
        if time.monotonic() > give_up:
            raise StillRecovering(
                f"the embedded server (process {pid}) is still recovering "
                f"after {READY_WITHIN_S / 60:.0f} minutes; it goes on in the background, see {log}"
            )
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.5, 0.5)


def stop_server(data: Path) -> bool:
    """Leave no server and no child of a killed one on the data directory; return whether there was a server.

    A fast shutdown: open transactions are rolled back, committed ones are on disk. Call it under the start
    lock.
    """
    running = live_postmaster(data)
    if running is not None:
        _shut_down(running, data)
    end_orphans(data)
    return running is not None


def _shut_down(running: Postmaster, data: Path) -> None:
    try:
        os.kill(running.pid, signal.SIGINT)
    except ProcessLookupError:
        return
    except PermissionError:
        raise EmbeddedPostgresError(f"the server on {data} belongs to another user; stop it as that user") from None
    give_up = time.monotonic() + _STOP_WITHIN_S
    while is_alive(running.pid):
        if time.monotonic() > give_up:
            raise EmbeddedPostgresError(
                f"the embedded server (process {running.pid}) was told to stop "
                f"but still runs after {_STOP_WITHIN_S:.0f} seconds"
            )
        time.sleep(0.02)


def free_port() -> int:
    """Return a TCP port on 127.0.0.1 on which no program listens at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the server does it: connections that linger from its last run are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _detach(launch: Launch, port: int) -> int:
    options = [word for name, value in launch.extra_settings.items() for word in ("-c", f"{name}={value}")]
    server = [launch.binaries.program("postgres"), "-D", launch.data, "-p", str(port), *options]
    done = launch.account.run(["/bin/sh", "-c", _DETACH, "sh", launch.log, *server])
    if done.returncode != 0 or not done.stdout.strip().isdigit():
        raise EmbeddedPostgresError(f"cannot start {server[0]}: {done.stderr.strip()}")
    return int(done.stdout)


def _open_log(log: Path, account: ServerAccount) -> int:
    """Leave a private log that the server's account can write, a big one put aside; return its size."""
    if log.exists() and log.stat().st_size > _LOG_KEPT_BYTES:
        log.replace(log.with_suffix(".log.1"))
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        if account.is_other:
            os.fchown(descriptor, account.uid, account.gid)
        return os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)


def _failed(log: Path, start: int, data: Path) -> ServerFailed:
    lines = lines_since(log, start)
    reason = failure_reason(lines, data)
    return ServerFailed(f"the embedded server did not start: {reason} (log: {log})", "\n".join(lines))
