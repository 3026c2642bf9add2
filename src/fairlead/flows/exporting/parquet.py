"""Rows as a Parquet file with typed columns: times in UTC, amounts in whole cents, documents as JSON.

The library that writes it comes with the extra `parquet`. Row groups are written one after the other, so that no more
than one of them is in memory.
"""

import importlib
import io
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from fairlead.flows.exporting.export_text import json_text
from fairlead.store.exports.columns import ExportColumn

ROWS_OF_GROUP = 5_000


class _Sink(io.RawIOBase):
    """What is written is kept until it is taken; a place in the file is what was written in all."""

    def __init__(self) -> None:
        super().__init__()
        self._kept = bytearray()
        self._written = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written

    def write(self, data: Any, /) -> int:
        view = memoryview(data)
        self._kept += view
        self._written += view.nbytes
        return view.nbytes

    def taken(self) -> bytes:
        taken = bytes(self._kept)
        self._kept.clear()
        return taken


def parquet_pieces(
    rows: Iterable[Sequence[Any]], columns: Sequence[ExportColumn], about: Mapping[str, str]
) -> Generator[bytes]:
    """The file, piece by piece; `about` is in its metadata. Raises `ImportError` without the extra."""
    arrow: Any = importlib.import_module("pyarrow")
    parquet: Any = importlib.import_module("pyarrow.parquet")
    types = {
        "text": arrow.string(),
        "json": arrow.string(),
        "integer": arrow.int64(),
        "number": arrow.float64(),
        "boolean": arrow.bool_(),
        "time": arrow.timestamp("us", tz="UTC"),
        "day": arrow.date32(),
    }
    schema = arrow.schema([(column.name, types[column.type]) for column in columns], metadata=dict(about))
    sink = _Sink()
    with parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        for group in _groups(iter(rows)):
            arrays = [
                arrow.array([_value(row[place], column) for row in group], type=types[column.type])
                for place, column in enumerate(columns)
            ]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))
            yield sink.taken()
    yield sink.taken()


def _groups(rows: Iterator[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    while group := list(islice(rows, ROWS_OF_GROUP)):
        yield group


def _value(value: Any, column: ExportColumn) -> Any:
    return json_text(value) if column.type == "json" and value is not None else value
