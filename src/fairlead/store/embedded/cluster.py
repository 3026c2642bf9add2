"""One PostgreSQL cluster in one directory: made when missing, started when down, stopped when unused."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from fairlead.core.errors import Unavailable
from fairlead.store.embedded.account import (
    ServerAccount,
    make_root,
    refuse_unreachable,
    server_account,
)
from fairlead.store.embedded.binaries import find_binaries, usable_by
from fairlead.store.embedded.errors import EmbeddedPostgresError
from fairlead.store.embedded.initialise import initialise, provision
from fairlead.store.embedded.launch import (
    Launch,
    ServerFailed,
    StillRecovering,
    start_server,
    stop_server,
    wait_until_ready,
)
from fairlead.store.embedded.process import Postmaster, live_postmaster
from fairlead.store.embedded.server_file import ServerFile, read_server_file, write_server_file
from fairlead.store.embedded.server_log import lines_since, resource_trouble
from fairlead.store.embedded.usage import Usage, start_lock


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """What there is to know about the cluster from outside; sizes in bytes, times in UTC (ISO 8601)."""

    running: bool
    version: str | None
    port: int | None
    pid: int | None
    data_dir: Path
    size_bytes: int
    stays_up: bool
    started_by: str | None
    started_at: str | None


class Cluster:
    """The cluster in `root`, with its locks, log, passwords and, where needed, a copy of the programs.

    `bin_dir` is tried first when looking for PostgreSQL. `extra_settings` are given to the server on its
    command line each time it starts; with fsync off nothing survives a power loss, which is what a test
    wants. `schema_name` is the marketplace's whose portal role is made with the cluster (ADR 12).
    """

    def __init__(
        self,
        root: Path,
        *,
        bin_dir: Path | None = None,
        extra_settings: Mapping[str, str] | None = None,
        schema_name: str = "fairlead",
    ) -> None:
        self.root = root.resolve()
        self.data = self.root / "data"
        self._bin_dir = bin_dir
        self._extra = dict(extra_settings or {})
        self._schema_name = schema_name
        self._log = self.root / "server.log"
        self._stay = self.root / "stays-up"

    @contextmanager
    def use(self) -> Generator[str]:
        """Yield the database's URL, with the server up for as long as the block lasts.

        The server is started if it is down, shared with every other process that uses it, and stopped at the
        end by the last process to leave, unless `keep_running` said otherwise. A process that is killed counts as
        gone. Where the block raises `Unavailable` because the server lacks something, such as room on its disk,
        EmbeddedPostgresError says so instead.
        """
        with self._locked() as lock:
            usage = Usage(self.root)
            try:
                url = self._ensure_running(lock)
            except BaseException as error:
                if not isinstance(error, StillRecovering):
                    self._stop_if_last(usage)
                usage.close()
                raise
        log_start = self._log.stat().st_size if self._log.exists() else 0
        try:
            yield url
        except Unavailable as error:
            # What a client is told of a server without room is that it is starting up.
            trouble = resource_trouble(lines_since(self._log, log_start), self.data)
            if trouble is None:
                raise
            raise EmbeddedPostgresError(f"the embedded server is in trouble: {trouble} (log: {self._log})") from error
        finally:
            self._leave(usage)

    def start(self) -> str:
        """Leave the server running, until `stop` or the last user's leaving; return the database's URL."""
        with self._locked() as lock:
            return self._ensure_running(lock)

    def keep_running(self) -> str:
        """Leave the server running until `stop`, whichever process comes and goes; return the database's URL."""
        with self._locked() as lock:
            url = self._ensure_running(lock)
            self._stay.touch(mode=0o600)
            return url

    def stop(self, *, force: bool = True) -> bool:
        """Leave the server down and return whether it was up; a cluster that does not exist is down.

        Without `force` a server that others are using is left running, and stops when the last of them
        leaves; that raises EmbeddedPostgresError. With it their transactions are rolled back. Idempotent.
        """
        if not self.data.exists():
            return False
        with start_lock(self.root):
            self._stay.unlink(missing_ok=True)
            usage = Usage(self.root)
            try:
                if not force and not usage.is_last():
                    raise EmbeddedPostgresError(
                        "other fairlead processes are using the database; "
                        "it stops when the last of them ends (at once: fairlead db stop --force)"
                    )
                return stop_server(self.data)
            finally:
                usage.close()

    @property
    def url(self) -> str:
        """The URL of Fairlead's database on the running server, as its owner, who may create databases."""
        return self._content().url(self._port())

    @property
    def superuser_url(self) -> str:
        """The URL of the maintenance database on the running server, as the superuser."""
        return self._content().superuser_url(self._port())

    def status(self) -> ClusterStatus:
        """Return what the cluster is doing now, also when there is none yet; no lock, no start."""
        running = live_postmaster(self.data)
        content = self._content() if (self.root / "server.json").exists() else None
        version = (content.version if content else "") or _major_text(self.data)
        return ClusterStatus(
            running=running is not None,
            version=version,
            port=running.port if running else None,
            pid=running.pid if running else None,
            data_dir=self.data,
            size_bytes=_size_bytes(self.data),
            stays_up=self._stay.exists(),
            started_by=content.started_by or None if content and running else None,
            started_at=content.started_at or None if content and running else None,
        )

    @contextmanager
    def _locked(self) -> Generator[int]:
        is_root = os.geteuid() == 0 if hasattr(os, "geteuid") else False
        make_root(self.root, traversable=is_root)
        with start_lock(self.root) as lock:
            yield lock

    def _ensure_running(self, lock: int) -> str:
        running = live_postmaster(self.data)
        if running is None or not self._answers(running):
            self._start_under(lock, server_account(self.root, self.data))
        provision(self.superuser_url, self._content(), self._schema_name)
        return self.url

    def _answers(self, running: Postmaster) -> bool:
        try:
            wait_until_ready(self._content().superuser_url(running.port), running.pid, self._log)
        except ServerFailed:  # it died while we looked
            return False
        return True

    def _start_under(self, lock: int, account: ServerAccount) -> None:
        refuse_unreachable(self.root, account)
        is_new = not self.data.exists()
        major = None if is_new else int(_major_text(self.data) or 0)
        binaries = usable_by(find_binaries(self._bin_dir, major), account, self.root)
        if is_new:
            initialise(self.root, account, binaries, lock, durable=self._extra.get("fsync") != "off")
        content = self._content()
        port = start_server(Launch(self.data, self._log, account, binaries, self._extra), content)
        content = replace(
            content,
            port=port,
            version=binaries.version,
            started_by=_this_process(),
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        write_server_file(self.root, content)

    def _leave(self, usage: Usage) -> None:
        try:
            with start_lock(self.root):
                self._stop_if_last(usage)
        finally:
            usage.close()

    def _stop_if_last(self, usage: Usage) -> None:
        if usage.is_last() and not self._stay.exists():
            stop_server(self.data)

    def _content(self) -> ServerFile:
        return read_server_file(self.root)

    def _port(self) -> int:
        running = live_postmaster(self.data)
        if running is None:
            raise EmbeddedPostgresError("the embedded database is not running; start it with: fairlead db start")
        return running.port


def _major_text(data: Path) -> str | None:
    try:
        return (data / "PG_VERSION").read_text(encoding="utf-8").strip() or None
    except (OSError, ValueError):
        return None


def _size_bytes(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size
            except OSError:  # gone while we looked
                continue
    return total


def _this_process() -> str:
    words = [Path(sys.argv[0]).name, *sys.argv[1:3]]
    return f"{' '.join(words)} (process {os.getpid()})"
