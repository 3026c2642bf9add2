"""Fetching the file of an export: read piece by piece, by an actor who may see what is in it at that moment."""

from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from fairlead.core.errors import Refused, Unavailable
from fairlead.flows.exporting.open_export import OpenExport
from fairlead.flows.exporting.requests import Requester, require_row
from fairlead.store.audit.log import AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.exports.chunks import chunk_at
from fairlead.store.exports.requests import ExportRow, lock_export
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id


@dataclass(frozen=True, slots=True)
class Download:
    """A file, or a part of it, to be read: from `first_byte` on, `byte_count` bytes."""

    row: ExportRow
    opened: OpenExport
    first_byte: int
    byte_count: int


def open_download(
    database: Database,
    export_id: str,
    requester: Requester,
    wanted: tuple[int | None, int | None] | None = None,
    known_checksum: str | None = None,
) -> Download | None:
    """The file, with the download in the audit log before this returns; None where it is known by its checksum.

    `wanted` is a part of it: its first and last byte, or (None, n) for the last n. Pieces are read one by one, each in
    a transaction of its own. Raises `BadInput` (no id), and `Refused`: `export_unknown`, `permission_missing` (also
    where the requester had the right when it was requested), `export_not_ready`, `export_expired`,
    `range_not_satisfiable`.
    """
    checked = checked_id(export_id, "export")

    def work(conn: Connection) -> Download | None:
        row = lock_export(conn, checked)
        if row is None:
            raise Refused("export_unknown", f"there is no export {checked}")
        require_row(row, requester)
        now = clock(conn)
        _require_ready(row, now)
        if known_checksum is not None and known_checksum == row.checksum:
            return None
        first, count = _span(row.byte_count, wanted)
        told = {
            "kind": row.kind,
            "format": row.format,
            "rows": row.rows_written,
            "with_contact_data": row.with_contact_data,
            "first_byte": first,
            "byte_count": count,
        }
        append_audit(conn, [AuditEvent(requester.actor, "export.downloaded", "export", checked, new=told)], now)
        pieces = _pieces(database, row, first, count)
        return Download(row, OpenExport(pieces, row.rows_written, ExitStack()), first, count)

    return database.run(work)


def _require_ready(row: ExportRow, now: datetime) -> None:
    if row.state == "expired" or (row.state == "ready" and row.expires_at is not None and row.expires_at <= now):
        raise Refused("export_expired", "the file was deleted when its time was over: request the export anew")
    if row.state != "ready":
        raise Refused("export_not_ready", f"the export is {row.state}")


def _span(byte_count: int, wanted: tuple[int | None, int | None] | None) -> tuple[int, int]:
    if wanted is None:
        return 0, byte_count
    first, last = wanted
    if first is None:
        first, last = max(0, byte_count - (last or 0)), None
    last = byte_count - 1 if last is None else min(last, byte_count - 1)
    if first > last:
        raise Refused("range_not_satisfiable", f"the file has {byte_count} bytes")
    return first, last - first + 1


def _pieces(database: Database, row: ExportRow, first: int, count: int) -> Generator[bytes]:
    place, end = first, first + count
    while place < end:
        chunk = database.read(partial(chunk_at, export_id=row.export_id, attempt=row.attempt, byte_offset=place))
        if chunk is None:
            raise Unavailable("an export was deleted while it was read, and is broken off")
        start = place - chunk.byte_offset
        piece = chunk.content[start : start + end - place]
        yield piece
        place += len(piece)
