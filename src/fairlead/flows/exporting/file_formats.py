"""The formats of exported files: rows become pieces of bytes, in flat memory."""

from collections.abc import Generator, Iterable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from fairlead.flows.exporting.export_text import text_of
from fairlead.flows.exporting.parquet import parquet_pieces
from fairlead.store.exports.columns import ExportColumn

FORMATS = ("csv", "jsonl", "parquet")

MEDIA_TYPES: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}


def available_formats() -> tuple[str, ...]:
    """The formats that this installation can write."""
    return tuple(each for each in FORMATS if missing_extra(each) is None)


def missing_extra(file_format: str) -> str | None:
    """Why a file of this format cannot be written here, in one line; None where it can."""
    if file_format not in FORMATS:
        return f"there is no format {file_format!r}; there are {', '.join(FORMATS)}"
    if file_format == "parquet" and find_spec("pyarrow") is None:
        return "the format parquet needs the extra parquet: install it with pip install 'fairlead[parquet]'"
    return None


def file_pieces(
    rows: Iterable[Sequence[Any]],
    columns: Sequence[ExportColumn],
    file_format: str,
    *,
    exact: bool,
    about: Mapping[str, str],
) -> Generator[bytes]:
    """The file with these rows, piece by piece. `about` is what a Parquet file says of itself beside them."""
    if file_format == "parquet":
        yield from parquet_pieces(rows, columns, about)
        return
    for piece in text_of(rows, [column.name for column in columns], file_format, exact=exact):
        yield piece.encode()
