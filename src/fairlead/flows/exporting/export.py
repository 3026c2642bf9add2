"""Exporting: one snapshot, in the audit log before its first row leaves, written out in flat memory."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TextIO

from fairlead.core.canonical import timestamp_text
from fairlead.core.errors import BadInput, Refused
from fairlead.core.gates import recorded_refusal
from fairlead.core.messages import Names
from fairlead.flows.exporting.export_text import FORMATS, text_of
from fairlead.flows.exporting.open_export import OpenExport, begin_export
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.exports import (
    EXPORTS,
    SENTENCE,
    ExportFilter,
    count_rows,
    export_columns,
    knows_providers,
    stream_rows,
)
from fairlead.store.leads.rows import clock, niche_form
from fairlead.store.lookups import level_names, marketplace_currency, provider_id_of


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What is exported and how. `time_from` is included, `time_before` is not; `exact` leaves formulas alone."""

    what: str
    format: str = "csv"
    niche_slug: str | None = None
    provider: str | None = None
    time_from: datetime | None = None
    time_before: datetime | None = None
    exact: bool = False


def open_export(
    database: Database,
    request: ExportRequest,
    actor: Actor,
    *,
    at_once: int | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> OpenExport:
    """Everything that was asked for, as one snapshot has it, to be read piece by piece and closed.

    The export is in the audit log, with its filter and its number of rows, before this returns: however it ends,
    nothing leaves unrecorded. `on_progress` is told (rows written, rows in all) now and then. With `at_once`, no more
    exports than that are open in the marketplace.

    Raises `BadInput` (unknown export, format or use of a filter) and `Refused` (`niche_unknown`, `provider_unknown`,
    `too_many_exports`).
    """
    problems: list[str] = []
    if request.what not in EXPORTS:
        problems.append(f"there is no export {request.what!r}; there are {', '.join(EXPORTS)}")
    elif request.provider is not None and not knows_providers(request.what):
        problems.append(f"--provider: the {request.what} is not kept by provider")
    if request.format not in FORMATS:
        problems.append(f"there is no format {request.format!r}; there are {', '.join(FORMATS)}")
    if problems:
        raise BadInput(problems)
    with ExitStack() as held:
        conn = begin_export(database, held, at_once)
        chosen = _filter(conn, request)
        total = count_rows(conn, request.what, chosen)
        _record(database, request, chosen, total, actor)

        def rows() -> Iterator[Sequence[Any]]:
            finished = _finish(conn, request.what)
            for number, row in enumerate(stream_rows(conn, request.what, chosen), start=1):
                yield finished(row)
                if number % 1000 == 0:
                    on_progress(number, total)
            on_progress(total, total)

        text = text_of(rows(), export_columns(request.what), request.format, exact=request.exact)
        return OpenExport(text, total, held.pop_all())


def export(
    database: Database,
    request: ExportRequest,
    output: TextIO,
    actor: Actor,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """As `open_export`, and all of it is in `output`; returns the number of rows."""
    with open_export(database, request, actor, on_progress=on_progress) as opened:
        for piece in opened.text:
            output.write(piece)
        assert opened.row_count is not None, "it was counted"
        return opened.row_count


def _finish(conn: Connection, what: str) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """What makes a row of the database one of the file: refusals are told by their sentences."""
    if SENTENCE not in export_columns(what):
        return lambda row: row
    position = export_columns(what).index(SENTENCE)
    names = Names(level_names(conn, None), marketplace_currency(conn))

    def finished(row: Sequence[Any]) -> Sequence[Any]:
        recorded = row[position]
        if recorded is None:
            return row
        sentence = recorded_refusal(recorded["refused"], recorded["level"]).sentence(names)
        return (*row[:position], sentence, *row[position + 1 :])

    return finished


def _filter(conn: Connection, request: ExportRequest) -> ExportFilter:
    niche_id = None
    if request.niche_slug is not None:
        niche = niche_form(conn, request.niche_slug)
        if niche is None:
            raise Refused("niche_unknown", f"there is no niche {request.niche_slug!r}")
        niche_id = niche.niche_id
    provider_id = None if request.provider is None else provider_id_of(conn, request.provider)
    return ExportFilter(niche_id, provider_id, request.time_from, request.time_before)


def _record(database: Database, request: ExportRequest, chosen: ExportFilter, rows: int, actor: Actor) -> None:
    # The provider by id: the audit log holds no personal data.
    told = {
        "format": request.format,
        "niche_id": chosen.niche_id,
        "provider_id": chosen.provider_id,
        "time_from": chosen.time_from and timestamp_text(chosen.time_from),
        "time_before": chosen.time_before and timestamp_text(chosen.time_before),
        "rows": rows,
    }
    event = AuditEvent(actor, "data.exported", "export", request.what, new=told)
    database.run(lambda conn: append_audit(conn, [event], clock(conn)))
