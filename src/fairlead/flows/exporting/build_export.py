"""What `build_export` jobs do: the file of an export is built, piece by piece, from one snapshot.

Pieces and progress are committed in short transactions of their own while the snapshot is read in another. Only the
last of them calls the file ready, so that one whose worker died is built anew, by a run with another number.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from fairlead.core.errors import Refused
from fairlead.flows.exporting.export import about_file
from fairlead.flows.exporting.file_formats import file_pieces
from fairlead.flows.exporting.requests import export_job, request_of
from fairlead.flows.exporting.rows import open_rows
from fairlead.flows.failures.failed_exports import record_failed_build
from fairlead.settings import Settings
from fairlead.store.audit.log import SYSTEM, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.exports.chunks import Chunk, add_chunk, delete_chunks
from fairlead.store.exports.requests import (
    ExportRow,
    another_actor_is_next,
    begin_run,
    finish_run,
    lock_export,
    put_back,
    record_progress,
)
from fairlead.store.jobs.queue import enqueue
from fairlead.store.leads.rows import clock
from fairlead.store.notifications.outbox import Notification, notify
from fairlead.telemetry.logs import get_logger

log = get_logger(__name__)

CHUNK_BYTES = 1_048_576
STEPS_ASIDE_SECONDS = 1.0
"""How long one waits at least that lets another go first."""

PROGRESS_SECONDS = 1.0
"""How far it has come is on record this often, also where a piece takes longer."""


class _Overtaken(Exception):
    """Another run builds the export, or it was cancelled or deleted: this one has nothing to say any more."""


class _Stopped(Exception):
    """The worker stops: another builds the export anew."""


@dataclass(slots=True)
class _Run:
    """A run of an export, and what it has written so far."""

    export_id: str
    attempt: int
    expected: tuple[int, bool] | None = None
    rows_written: int = 0
    byte_count: int = 0
    chunk_count: int = 0
    kept: bytearray = field(default_factory=bytearray)
    digest: Any = field(default_factory=hashlib.sha256)
    recorded_at: float = field(default_factory=time.monotonic)


class ExportBuilder:
    """One process's way to run export jobs, one at a time."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    def build(self, export_id: str, may_go_on: Callable[[], bool] = lambda: True) -> bool:
        """The export is ready, or its failed run is on record and the next enqueued, or it is given up.

        Nothing is done for one that is finished, cancelled or deleted. One whose requester was served last lets others
        go first that wait: its job is enqueued anew, behind theirs. Returns False where there was no going on: the
        export waits, and its job has to be run again. Raises `Unavailable` where not even that could be recorded.
        """
        row = self._database.run(lambda conn: self._begin(conn, export_id))
        if row is None:
            return True
        try:
            self._build(row, may_go_on)
        except _Overtaken:
            log.info("an export was cancelled or overtaken", export_id=export_id)
        except _Stopped:
            self._database.run(lambda conn: _leave(conn, row))
            return False
        except Exception as error:
            factor = self._settings.retry_delay_factor
            record_failed_build(self._database, export_id, row.attempt, error, factor)
        return True

    def _begin(self, conn: Connection, export_id: str) -> ExportRow | None:
        if another_actor_is_next(conn, export_id):
            enqueue(conn, [export_job(export_id, STEPS_ASIDE_SECONDS)])
            return None
        row = begin_run(conn, export_id, clock(conn))
        if row is not None:
            delete_chunks(conn, export_id)
        return row

    def _build(self, row: ExportRow, may_go_on: Callable[[], bool]) -> None:
        run, request = _Run(row.export_id, row.attempt), request_of(row)
        with ExitStack() as held:
            opened = open_rows(self._database, held, request, is_counted=False)
            if opened.expected is not None:
                run.expected = (opened.expected, opened.is_estimate)
            rows = self._bounded(run, opened.rows)
            pieces = file_pieces(rows, opened.columns, row.format, exact=request.exact, about=about_file(request))
            for piece in held.enter_context(closing(pieces)):
                if not may_go_on():
                    raise _Stopped
                self._take(run, piece)
        self._database.run(lambda conn: self._finish(conn, run, row))

    def _bounded(self, run: _Run, rows: Iterator[Sequence[Any]]) -> Iterator[Sequence[Any]]:
        most = self._settings.export_max_rows
        for row in rows:
            run.rows_written += 1
            if run.rows_written > most:
                raise _too_large(f"more than {most:,} rows (FAIRLEAD_EXPORT_MAX_ROWS)")
            yield row

    def _take(self, run: _Run, piece: bytes) -> None:
        run.kept += piece
        run.digest.update(piece)
        most = self._settings.export_max_megabytes
        if run.byte_count + len(run.kept) > most * 1_000_000:
            raise _too_large(f"more than {most:,} MB (FAIRLEAD_EXPORT_MAX_MEGABYTES)")
        while len(run.kept) >= CHUNK_BYTES:
            self._write(run, CHUNK_BYTES)
        if time.monotonic() - run.recorded_at >= PROGRESS_SECONDS:
            self._database.run(lambda conn: _progress(conn, run))
            run.recorded_at = time.monotonic()

    def _write(self, run: _Run, length: int) -> None:
        chunk = Chunk(run.chunk_count, run.byte_count, bytes(run.kept[:length]))

        def work(conn: Connection) -> None:
            _progress(conn, run, len(chunk.content))
            add_chunk(conn, run.export_id, run.attempt, chunk)

        self._database.run(work)
        del run.kept[:length]
        run.byte_count += length
        run.chunk_count += 1
        run.recorded_at = time.monotonic()

    def _finish(self, conn: Connection, run: _Run, row: ExportRow) -> None:
        _progress(conn, run, len(run.kept))
        if run.kept:
            add_chunk(conn, run.export_id, run.attempt, Chunk(run.chunk_count, run.byte_count, bytes(run.kept)))
        now = clock(conn)
        expires_at = now + timedelta(days=self._settings.export_kept_days)
        finish_run(conn, run.export_id, run.attempt, run.digest.digest(), now, expires_at)
        if row.is_email_wanted:
            detail = {"export_id": run.export_id, "export_kind": row.kind, "row_count": run.rows_written}
            notify(conn, [Notification("export_ready", user_id=row.requested_by_user_id, detail=detail)], now)
        told = {"rows": run.rows_written, "byte_count": run.byte_count + len(run.kept)}
        append_audit(conn, [AuditEvent(SYSTEM, "export.ready", "export", run.export_id, new=told)], now)


def _progress(conn: Connection, run: _Run, more_bytes: int = 0) -> None:
    byte_count = run.byte_count + more_bytes
    if not record_progress(conn, run.export_id, run.attempt, run.rows_written, byte_count, run.expected):
        raise _Overtaken


def _leave(conn: Connection, row: ExportRow) -> None:
    found = lock_export(conn, row.export_id)
    if found is not None and found.state == "running" and found.attempt == row.attempt:
        put_back(conn, row.export_id, None)


def _too_large(what: str) -> Refused:
    return Refused(
        "export_too_large", f"the export has {what}: choose a shorter span of time, or fewer rows by a filter"
    )
