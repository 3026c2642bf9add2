"""Exporting: one snapshot, in the audit log before its first row leaves, written out in flat memory."""

import csv
import json
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TextIO, cast

from fairlead.core.canonical import JsonObject, canonical_json, timestamp_text
from fairlead.core.errors import BadInput, Refused
from fairlead.store.audit import Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.exports import (
    EXPORTS,
    ExportFilter,
    count_rows,
    export_columns,
    knows_providers,
    stream_rows,
)
from fairlead.store.leads import clock, niche_form
from fairlead.store.lookups import provider_id_of

FORMATS = ("csv", "jsonl")

_FORMULA_SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
"""With the full-width ones, which some spreadsheets take for the same."""


@dataclass(frozen=True, slots=True)
class ExportRequest:
    """What is exported and how. `since` is inclusive, `before` exclusive; `exact` leaves formulas alone."""

    what: str
    format: str = "csv"
    niche_slug: str | None = None
    provider: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    exact: bool = False


def harmless_cell(text: str) -> str:
    """The text, with `'` before it where a spreadsheet would run it as a formula.

    >>> harmless_cell("=1+1"), harmless_cell(" @SUM(A1)"), harmless_cell("a=b")
    ("'=1+1", "' @SUM(A1)", 'a=b')
    """
    if text.startswith(("\t", "\r")):
        return f"'{text}"
    for character in text:
        if character in _FORMULA_SIGNS:
            return f"'{text}"
        # A spreadsheet skips what it does not show before it looks for a formula.
        if not character.isspace() and unicodedata.category(character) not in ("Cc", "Cf"):
            break
    return text


def export(
    database: Database,
    request: ExportRequest,
    output: TextIO,
    actor: Actor,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> int:
    """Everything that was asked for is in `output`, as one snapshot has it; returns the number of rows.

    The export is in the audit log, with its filter and its number of rows, before the first row is written:
    however it ends, nothing leaves unrecorded. `on_progress` is told (rows written, rows in all) now and
    then.

    Raises `BadInput` (unknown export, format or use of a filter) and `Refused` (`niche_unknown`,
    `provider_unknown`).
    """
    problems: list[str] = []
    if request.what not in EXPORTS:
        problems.append(f"there is no export {request.what!r}; there are {', '.join(EXPORTS)}")
    elif request.provider is not None and not knows_providers(request.what):
        problems.append(f"--provider: the {request.what} is not kept by provider")
    if request.format not in FORMATS:
        problems.append(f"there is no format {request.format!r}; there are {', '.join(FORMATS)}")
    if request.since and request.before and request.since >= request.before:
        problems.append("--from lies after --to")
    if problems:
        raise BadInput(problems)
    with database.snapshot() as conn:
        chosen = _filter(conn, request)
        total = count_rows(conn, request.what, chosen)
        _record(database, request, chosen, total, actor)
        columns = export_columns(request.what)
        write = (
            _csv_writer(output, columns, request.exact) if request.format == "csv" else _jsonl_writer(output, columns)
        )
        for number, row in enumerate(stream_rows(conn, request.what, chosen), start=1):
            write(row)
            if number % 1000 == 0:
                on_progress(number, total)
    on_progress(total, total)
    return total


def _filter(conn: Connection, request: ExportRequest) -> ExportFilter:
    niche_id = None
    if request.niche_slug is not None:
        niche = niche_form(conn, request.niche_slug)
        if niche is None:
            raise Refused("niche_unknown", f"there is no niche {request.niche_slug!r}")
        niche_id = niche.niche_id
    provider_id = None if request.provider is None else provider_id_of(conn, request.provider)
    return ExportFilter(niche_id, provider_id, request.since, request.before)


def _record(database: Database, request: ExportRequest, chosen: ExportFilter, rows: int, actor: Actor) -> None:
    # The provider by id: the audit log holds no personal data.
    told = {
        "format": request.format,
        "niche_id": chosen.niche_id,
        "provider_id": chosen.provider_id,
        "since": chosen.since and timestamp_text(chosen.since),
        "before": chosen.before and timestamp_text(chosen.before),
        "rows": rows,
    }
    event = AuditEvent(actor, "data.exported", "export", request.what, new=told)
    database.run(lambda conn: append_audit(conn, [event], clock(conn)))


def _csv_writer(output: TextIO, columns: Sequence[str], exact: bool) -> Callable[[Sequence[Any]], None]:
    # CR LF, as RFC 4180 has it: with LF alone a lone CR within a cell would not be quoted.
    writer = csv.writer(output, lineterminator="\r\n")
    writer.writerow(columns)

    def write(row: Sequence[Any]) -> None:
        writer.writerow([_csv_cell(value, exact) for value in row])

    return write


def _csv_cell(value: object, exact: bool) -> object:
    if isinstance(value, datetime):
        return timestamp_text(value)
    if isinstance(value, Mapping):
        return canonical_json(cast(JsonObject, value)).decode()
    return harmless_cell(value) if isinstance(value, str) and not exact else value


def _jsonl_writer(output: TextIO, columns: Sequence[str]) -> Callable[[Sequence[Any]], None]:
    def write(row: Sequence[Any]) -> None:
        document = {
            name: timestamp_text(value) if isinstance(value, datetime) else value
            for name, value in zip(columns, row, strict=True)
        }
        output.write(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")

    return write
