"""Reading the rows of an export: counted, estimated and streamed, from one snapshot and in flat memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import sql

from fairlead.store.connection import Connection
from fairlead.store.exports.sources import Source

STREAMED_ROWS = 2_000


@dataclass(frozen=True, slots=True)
class ExportFilter:
    """Which rows: those that match everything that is given; `time_from` is included, `time_before` is not.

    `values` are by the names of the source's filters; of a niche and a provider they are the ids.
    """

    values: Mapping[str, str] = field(default_factory=dict[str, str])
    time_from: datetime | None = None
    time_before: datetime | None = None


def count_rows(conn: Connection, source: Source, chosen: ExportFilter) -> int:
    """How many rows the export has in this snapshot."""
    where, parameters = _where(source, chosen)
    query = sql.SQL("select count(*) from {}{}").format(_raw(source.tables), where)
    rows = conn.execute(query, parameters).fetchall()
    return int(rows[0][0])


def estimate_rows(conn: Connection, source: Source, chosen: ExportFilter) -> int:
    """About how many rows the export has, as the planner takes it: nothing is read for that."""
    where, parameters = _where(source, chosen)
    query = sql.SQL("explain (format json) select 1 from {}{}").format(_raw(source.tables), where)
    rows = conn.execute(query, parameters).fetchall()
    return int(rows[0][0][0]["Plan"]["Plan Rows"])


def stream_rows(conn: Connection, source: Source, chosen: ExportFilter) -> Iterator[Sequence[Any]]:
    """The rows of the export in their documented order, in flat memory."""
    where, parameters = _where(source, chosen)
    query = sql.SQL("select {} from {}{} order by {}").format(
        _raw(", ".join(column.expression for column in source.columns)),
        _raw(source.tables),
        where,
        _raw(source.order),
    )
    with conn.cursor(name="export") as cursor:
        cursor.itersize = STREAMED_ROWS
        cursor.execute(query, parameters)
        yield from cursor


def _where(source: Source, chosen: ExportFilter) -> tuple[sql.Composable, list[object]]:
    conditions: list[tuple[str, list[object]]] = []
    if "" in source.filters:
        conditions.append((source.filters[""], []))
    for name, value in chosen.values.items():
        conditions.append((source.filters[name], [value]))
    if chosen.time_from is not None:
        conditions.append((f"{source.moment} >= %s", [chosen.time_from]))
    if chosen.time_before is not None:
        conditions.append((f"{source.moment} < %s", [chosen.time_before]))
    text = " where " + " and ".join(condition for condition, _ in conditions) if conditions else ""
    return _raw(text), [value for _, values in conditions for value in values]


def _raw(text: str) -> sql.SQL:
    # Only ever a constant of `sources`; nothing that a person typed.
    return sql.SQL(text)  # pyright: ignore[reportArgumentType]
