"""An export under way: its snapshot stays open until it was read, and few are open at once."""

from collections.abc import Generator
from contextlib import ExitStack
from types import TracebackType

from fairlead.core.errors import Refused
from fairlead.store.connection import Connection, Database
from fairlead.store.exports.slots import Exporter, take_export_slot


class TooManyExports(Refused):
    """The caller has an export open, or as many are as may be."""

    def __init__(self) -> None:
        super().__init__("too_many_exports", "other exports are running: try again when one of them has ended")


class OpenExport:
    """A file that is read piece by piece from `pieces`. What was held for it is given back when it is closed.

    `row_count` is None where rows are not counted. Closing twice is no mistake; not while `pieces` are being read.
    """

    def __init__(self, pieces: Generator[bytes], row_count: int | None, held: ExitStack) -> None:
        self.pieces = pieces
        self.row_count = row_count
        self._held = held

    def __enter__(self) -> "OpenExport":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.pieces.close()
        self._held.__exit__(kind, error, trace)

    def close(self) -> None:
        """Nothing more is read, and the snapshot is over."""
        self.pieces.close()
        self._held.close()


def begin_export(database: Database, held: ExitStack, exporter: Exporter | None) -> Connection:
    """A snapshot that is open until `held` is closed.

    Raises `Refused`: `too_many_exports` where the exporter has one open, or its party as many as may be: each has a
    connection of its own for as long as the client reads, and keeps the database from vacuuming.
    """
    conn = held.enter_context(database.snapshot(is_long=True))
    if exporter is not None and not take_export_slot(conn, exporter):
        raise TooManyExports
    return conn
