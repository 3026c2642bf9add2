"""Keyset pagination: pages that cost the same wherever they begin and whatever the filter.

A list is read in the order of an index, from the cursor at which the last page ended. For each page at most so many
rows are scanned: where the filter matches rarely, a page holds fewer items than asked for, perhaps none, and a cursor.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, LiteralString, TypeVar

from fairlead.store.connection import Connection

Item = TypeVar("Item")
Cursor = TypeVar("Cursor")

SCANNED_ROWS = 10_000
"""For one page. Reading so many rows by an index takes some tens of milliseconds."""


@dataclass(frozen=True, slots=True)
class KeysetPage(Generic[Item, Cursor]):
    """Items, and the cursor after which the next page begins; None: there is nothing more.

    A page may hold fewer items than asked for, even none, and still have a next one.
    """

    items: tuple[Item, ...]
    next_after: Cursor | None


@dataclass(slots=True)
class Conditions:
    """Conditions in SQL, all of which must hold, and their values in the same order."""

    texts: list[LiteralString] = field(default_factory=list[LiteralString])
    values: list[object] = field(default_factory=list[object])

    def add(self, text: LiteralString, *values: object) -> None:
        """This must hold too."""
        self.texts.append(text)
        self.values += values

    def add_given(self, text: LiteralString, value: object | None) -> None:
        """This must hold too, if there is a value for it."""
        if value is not None:
            self.add(text, value)

    @property
    def text(self) -> LiteralString:
        """All of them in one."""
        return " and ".join(self.texts) if self.texts else "true"


@dataclass(frozen=True, slots=True)
class KeysetQuery:
    """A query of the rows of a table, which is called `a`, in the order that an index gives.

    `index_filter` is what the index answers and `row_filter` what is checked row by row; `cursor_columns` make a row's
    cursor. `columns` are all that is read of the table: a provider's transaction may not read every one.
    """

    table: LiteralString
    order: LiteralString
    cursor_columns: LiteralString
    index_filter: Conditions
    row_filter: Conditions
    scanned_rows: int = SCANNED_ROWS
    columns: LiteralString = "a.*"

    def rows(
        self,
        conn: Connection,
        columns: LiteralString,
        joins: LiteralString,
        limit: int,
        column_values: Sequence[object] = (),
    ) -> tuple[list[tuple[Any, ...]], Any | None]:
        """At most `limit` rows with these columns, then the cursor columns; and the next page's cursor, or None.

        `joins` is what only those rows are joined with that are shown; `column_values` are for the columns.
        """
        found = conn.execute(
            f"""
            select {columns}, {self.cursor_columns}
            from (select a.* from ({self._scanned} limit %s) a
                  where {self.row_filter.text} order by {self.order} limit %s) a
            {joins}
            order by {self.order}
            """,  # noqa: S608 - constants of our own
            (*column_values, *self.index_filter.values, self.scanned_rows, *self.row_filter.values, limit + 1),
        ).fetchall()
        if len(found) > limit:
            return found[:limit], self._cursor(found[limit - 1])
        return found, self._last_scanned(conn)

    @property
    def _scanned(self) -> LiteralString:
        return f"select {self.columns} from {self.table} a where {self.index_filter.text} order by {self.order}"  # noqa: S608

    def _last_scanned(self, conn: Connection) -> Any | None:
        """The cursor of the last row that may be scanned; None if the rows end before it."""
        edge = conn.execute(
            f"select {self.cursor_columns} from ({self._scanned} offset %s limit 1) a",  # noqa: S608 - as above
            (*self.index_filter.values, self.scanned_rows - 1),
        ).fetchone()
        return None if edge is None else self._cursor(edge)

    def _cursor(self, row: Sequence[Any]) -> Any:
        width = self.cursor_columns.count(",") + 1
        return row[-1] if width == 1 else tuple(row[-width:])
