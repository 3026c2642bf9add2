"""Exporting at once: one snapshot, in the audit log before its first row leaves, written out in flat memory."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, BinaryIO

from fairlead.flows.exporting.file_formats import file_pieces
from fairlead.flows.exporting.open_export import OpenExport
from fairlead.flows.exporting.rows import ExportRequest, OpenRows, open_rows
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Database
from fairlead.store.exports.slots import Exporter
from fairlead.store.leads.rows import clock

Progress = Callable[[int, int | None], None]
"""Told how many rows are written, and how many there are in all; None where they are not counted."""


def open_export(
    database: Database,
    request: ExportRequest,
    actor: Actor,
    *,
    exporter: Exporter | None = None,
    on_progress: Progress = lambda done, total: None,
) -> OpenExport:
    """Everything that was asked for, as one snapshot has it, to be read piece by piece and closed.

    The export is in the audit log, with its filter and its number of rows, before this returns: however it ends,
    nothing leaves unrecorded; it is not in itself. `on_progress` is told now and then. With an `exporter`, it
    takes a slot of its party.

    Raises `BadInput` (unknown export, format or use of a filter) and `Refused` (`niche_unknown`, `provider_unknown`,
    `too_many_exports`).
    """
    with ExitStack() as held:
        opened = open_rows(database, held, request, exporter=exporter)
        told = {**opened.chosen, "rows": opened.expected}
        event = AuditEvent(actor, "data.exported", "export", request.what, new=told)
        database.run(lambda conn: append_audit(conn, [event], clock(conn)))
        rows = _watched(opened, on_progress)
        pieces = file_pieces(rows, opened.columns, request.format, exact=request.exact, about=about_file(request))
        return OpenExport(pieces, opened.expected, held.pop_all())


def export(
    database: Database,
    request: ExportRequest,
    output: BinaryIO,
    actor: Actor,
    on_progress: Progress = lambda done, total: None,
) -> int:
    """As `open_export`, and all of it is in `output`; returns the number of rows."""
    written = 0

    def watch(done: int, total: int | None) -> None:
        nonlocal written
        written = done
        on_progress(done, total)

    with open_export(database, request, actor, on_progress=watch) as opened:
        for piece in opened.pieces:
            output.write(piece)
    return written


def about_file(request: ExportRequest) -> Mapping[str, str]:
    """What a file that can says of itself: which export it is, and whether contact data was withheld."""
    contact = "withheld" if request.without_contact_data else "included"
    return {"fairlead.export": request.what, "fairlead.contact_data": contact}


def _watched(opened: OpenRows, on_progress: Progress) -> Iterator[Sequence[Any]]:
    number = 0
    for number, row in enumerate(opened.rows, start=1):
        yield row
        if number % 1000 == 0:
            on_progress(number, opened.expected)
    on_progress(number, opened.expected)
