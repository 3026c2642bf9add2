"""Keyset pagination: pages that cost the same wherever they begin and whatever the filter.

A list is read in the order of an index, from the cursor at which the last page ended. For each page at most so many
rows are scanned: where the filter matches rarely, a page holds fewer items than asked for, perhaps none, and a cursor.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, LiteralString, TypeVar

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import column_names, maker_of

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

    def page(
        self,
        conn: Connection,
        make: Callable[[tuple[str, ...]], Callable[[tuple[Any, ...]], Item]],
        columns: LiteralString,
        joins: LiteralString,
        limit: int,
        column_values: Sequence[object] = (),
    ) -> KeysetPage[Item, Any]:
        """At most `limit` items of these columns. `make` is given their names once, and makes an item of a row.

        `joins` is what only those rows are joined with that are shown; `column_values` are for the columns.
        """
        names, rows, next_after = self._found(conn, columns, joins, limit, column_values)
        item_of = make(names[: -self._cursor_width])
        return KeysetPage(tuple(item_of(row[: -self._cursor_width]) for row in rows), next_after)

    def rows(
        self, conn: Connection, columns: LiteralString, joins: LiteralString, limit: int
    ) -> tuple[list[tuple[Any, ...]], Any | None]:
        """At most `limit` rows with these columns, then the cursor columns; and the next page's cursor, or None."""
        _, rows, next_after = self._found(conn, columns, joins, limit, ())
        return rows, next_after

    def count(self, conn: Connection, most: int) -> tuple[int, int]:
        """Of the first `most` rows that the index gives: how many the row filter keeps, and how many there are."""
        kept, looked_at = conn.execute(
            f"""
            select count(*) filter (where {self.row_filter.text}), count(*) from ({self._scanned} limit %s) a
            """,  # noqa: S608 - constants of our own
            (*self.row_filter.values, *self.index_filter.values, most),
        ).fetchall()[0]
        return kept, looked_at

    def _found(
        self,
        conn: Connection,
        columns: LiteralString,
        joins: LiteralString,
        limit: int,
        column_values: Sequence[object],
    ) -> tuple[tuple[str, ...], list[tuple[Any, ...]], Any | None]:
        cursor = conn.execute(
            f"""
            select {columns}, {self.cursor_columns}
            from (select a.* from ({self._scanned} limit %s) a
                  where {self.row_filter.text} order by {self.order} limit %s) a
            {joins}
            order by {self.order}
            """,  # noqa: S608 - constants of our own
            (*column_values, *self.index_filter.values, self.scanned_rows, *self.row_filter.values, limit + 1),
        )
        names, found = column_names(cursor), cursor.fetchall()
        if len(found) > limit:
            return names, found[:limit], self._cursor(found[limit - 1])
        return names, found, self._last_scanned(conn)

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
        return row[-1] if self._cursor_width == 1 else tuple(row[-self._cursor_width :])

    @property
    def _cursor_width(self) -> int:
        return self.cursor_columns.count(",") + 1


def items_of(kind: type[Item]) -> Callable[[tuple[str, ...]], Callable[[tuple[Any, ...]], Item]]:
    """For `KeysetQuery.page`: each row is a value of that dataclass, column by column of its name."""
    return partial(maker_of, kind)
