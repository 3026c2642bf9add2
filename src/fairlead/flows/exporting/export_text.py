"""Rows as the text of a file: CSV that is safe to open in a spreadsheet, or JSONL that says all of it."""

import csv
import io
import json
import unicodedata
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TextIO, cast

from fairlead.core.canonical import JsonObject, canonical_json, timestamp_text

FORMATS = ("csv", "jsonl")

_FORMULA_SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
"""With the full-width ones, which some spreadsheets take for the same."""

CHUNK_CHARACTERS = 65_536
"""About how much text is handed on at a time."""


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


def text_of(rows: Iterable[Sequence[Any]], columns: Sequence[str], file_format: str, *, exact: bool) -> Generator[str]:
    """The file with these rows, piece by piece, in flat memory. `exact` leaves formulas alone in CSV."""
    buffer = io.StringIO(newline="")
    write = _csv_writer(buffer, columns, exact) if file_format == "csv" else _jsonl_writer(buffer, columns)
    for row in rows:
        write(row)
        if buffer.tell() >= CHUNK_CHARACTERS:
            yield _emptied(buffer)
    yield _emptied(buffer)


def _emptied(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


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
