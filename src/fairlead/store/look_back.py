"""Pages that cost the same wherever they begin and whatever is looked for.

A list is walked in the order of an index, from where the last page ended. Of each page's walk, so many rows are looked
at and no more: where what is looked for is rare, a page holds fewer items than asked for, perhaps none, and says where
to go on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, LiteralString, TypeVar

from fairlead.store.connection import Connection

Item = TypeVar("Item")
Place = TypeVar("Place")

LOOKED_AT_ROWS = 10_000
"""For one page. Reading so many rows by an index takes some tens of milliseconds."""


@dataclass(frozen=True, slots=True)
class Page(Generic[Item, Place]):
    """Items, and where the next page begins; None: there is nothing more.

    A page may hold fewer items than asked for, even none, and still have a next one.
    """

    items: tuple[Item, ...]
    next_after: Place | None


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
class Walk:
    """A walk over the rows of a table, which is called `a`, in the order that an index gives.

    `start` is what the index answers and `kept` what is looked at row by row; `place` is the columns of a row's place.
    `columns` are all that is read of the table: a provider's transaction may not read every one.
    """

    table: LiteralString
    order: LiteralString
    place: LiteralString
    start: Conditions
    kept: Conditions
    looked_at_rows: int = LOOKED_AT_ROWS
    columns: LiteralString = "a.*"

    def rows(
        self,
        conn: Connection,
        columns: LiteralString,
        joins: LiteralString,
        limit: int,
        column_values: Sequence[object] = (),
    ) -> tuple[list[tuple[Any, ...]], Any | None]:
        """At most `limit` rows with these columns, then the columns of `place`; and the next page's place, or None.

        `joins` is what only those rows are joined with that are shown; `column_values` are for the columns.
        """
        found = conn.execute(
            f"""
            select {columns}, {self.place}
            from (select a.* from ({self._looked_at} limit %s) a
                  where {self.kept.text} order by {self.order} limit %s) a
            {joins}
            order by {self.order}
            """,  # noqa: S608 - constants of our own
            (*column_values, *self.start.values, self.looked_at_rows, *self.kept.values, limit + 1),
        ).fetchall()
        if len(found) > limit:
            return found[:limit], self._place(found[limit - 1])
        return found, self._edge(conn)

    @property
    def _looked_at(self) -> LiteralString:
        return f"select {self.columns} from {self.table} a where {self.start.text} order by {self.order}"  # noqa: S608

    def _edge(self, conn: Connection) -> Any | None:
        """The place of the last row that may be looked at; None if the walk ends before it."""
        edge = conn.execute(
            f"select {self.place} from ({self._looked_at} offset %s limit 1) a",  # noqa: S608 - as above
            (*self.start.values, self.looked_at_rows - 1),
        ).fetchone()
        return None if edge is None else self._place(edge)

    def _place(self, row: Sequence[Any]) -> Any:
        width = self.place.count(",") + 1
        return row[-1] if width == 1 else tuple(row[-width:])
