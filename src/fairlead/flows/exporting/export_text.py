"""Rows as the text of a file: CSV that is safe to open in a spreadsheet, or JSONL that says all of it."""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, TextIO, cast

from fairlead.core.canonical import JsonObject, canonical_json, timestamp_text

_FORMULA_SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
"""With the full-width ones, which some spreadsheets take for the same."""

BYTE_ORDER_MARK = "\ufeff"
"""Without it at the front a spreadsheet takes UTF-8 for an old encoding of its country."""

CHUNK_CHARACTERS = 65_536
"""About how much text is handed on at a time."""


_DIVIDES = re.compile(r"[;|\t\r\n]")
"""At these a spreadsheet that is set to another country or separator ends the cell, whatever quotes are around it."""


def harmless_cell(text: str) -> str:
    r"""The text, with `'` wherever a spreadsheet would begin to run it as a formula.

    That is at its start, and behind `;`, `|`, a tab or a line break, at which a spreadsheet may divide the cell.

    >>> harmless_cell("=1+1"), harmless_cell(" @SUM(A1)"), harmless_cell("a=b"), harmless_cell("x;=1+1")
    ("'=1+1", "' @SUM(A1)", 'a=b', "x;'=1+1")
    """
    if text[:1].isalnum() and _DIVIDES.search(text) is None:
        return text
    places = _formula_starts(text)
    if text.startswith(("\t", "\r")) and 0 not in places:
        places.insert(0, 0)
    ends = [*places[1:], len(text)]
    pieces = [f"'{text[place:end]}" for place, end in zip(places, ends, strict=False)]
    return f"{text[: places[0]]}{''.join(pieces)}" if places else text


def _formula_starts(text: str) -> list[int]:
    """Where the cells that would be formulas begin, ascending."""
    found: list[int] = []
    begun = [0]  # Where a cell begins of which nothing has been seen so far.
    for place, character in enumerate(text):
        if _DIVIDES.match(character):
            begun = [*begun[: character.isspace()], place + 1]
        elif not begun:
            continue
        elif character in _FORMULA_SIGNS:
            found += begun
            begun = []
        # A spreadsheet skips what it does not show before it looks for a formula, and takes away quotes.
        elif character != '"' and not character.isspace() and unicodedata.category(character) not in ("Cc", "Cf"):
            begun = []
    return found


def text_of(rows: Iterable[Sequence[Any]], columns: Sequence[str], file_format: str, *, exact: bool) -> Generator[str]:
    """The file with these rows, piece by piece, in flat memory. In CSV, `exact` leaves formulas alone.

    CSV begins with a byte order mark unless it is `exact`: a program does not expect one, a spreadsheet needs it.
    """
    buffer = io.StringIO(newline="")
    if file_format == "csv" and not exact:
        buffer.write(BYTE_ORDER_MARK)
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
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list | tuple):
        text = json_text(cast(object, value))
        # The same document, in which a spreadsheet finds nothing to divide: both stand within strings only.
        return text if exact else text.replace(";", "\\u003b").replace("|", "\\u007c")
    return harmless_cell(value) if isinstance(value, str) and not exact else value


def json_text(value: object) -> str:
    """The document as text, the same for the same document; a text that stands for one is left as it is."""
    if isinstance(value, str):
        return value
    # JSON has no tuples.
    document = list(cast("tuple[object, ...]", value)) if isinstance(value, tuple) else value
    return canonical_json(cast(JsonObject, document)).decode()


def _jsonl_writer(output: TextIO, columns: Sequence[str]) -> Callable[[Sequence[Any]], None]:
    def write(row: Sequence[Any]) -> None:
        document = {name: _json_value(value) for name, value in zip(columns, row, strict=True)}
        output.write(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")

    return write


def _json_value(value: object) -> object:
    if isinstance(value, datetime):
        return timestamp_text(value)
    return value.isoformat() if isinstance(value, date) else value
