"""Several transactions as one: what flows do in transactions of their own becomes part of one that is open."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

from fairlead.core.errors import Broken
from fairlead.store.connection import Connection, Database

Result = TypeVar("Result")


class JoinedDatabase(Database):
    """A database whose every transaction is part of one that is open, and commits with it or not at all.

    What raises within one of its transactions is undone alone, its locks with it (a savepoint); a caller that catches
    that goes on. Nothing is tried again here: that is for the one that opened the whole, which is begun anew from its
    start. What is read is what the transaction sees by then, its own changes included.
    """

    is_joined = True

    def __init__(self, whole: Database, conn: Connection) -> None:
        vars(self).update(vars(whole))
        self._joined = conn

    def __exit__(self, *_: object) -> None:
        raise Broken("a joined database owns no connections: only the one that it was made from closes them")

    def bound_to(self, provider_id: str) -> Database:
        """Raises `Broken`: the transaction is open, on behalf of whom it is."""
        raise Broken("a transaction is bound to a provider when it begins")

    @contextmanager
    def transaction(self) -> Generator[Connection]:
        """A part of the transaction, undone alone when the block raises."""
        with self._joined.transaction():
            yield self._joined

    @contextmanager
    def snapshot(self, *, is_long: bool = False) -> Generator[Connection]:
        """As `transaction`, within its bounds: each statement sees what is committed by then."""
        with self.transaction() as conn:
            yield conn

    def read(self, view: Callable[[Connection], Result]) -> Result:
        """As `run`: each statement sees what is committed by then."""
        return self.run(view)

    def run(
        self, work: Callable[[Connection], Result], finish: Callable[[Connection, Result], None] | None = None
    ) -> Result:
        """The result of `work`, done once and finished, as a part of the transaction."""
        with self.transaction() as conn:
            result = work(conn)
            if finish is not None:
                finish(conn, result)
            return result

    def run_in_snapshot(self, work: Callable[[Connection], Result]) -> Result:
        """As `run`: each statement sees what is committed by then."""
        return self.run(work)

    def run_statement(self, work: Callable[[Connection], Result]) -> Result:
        """As `run`."""
        return self.run(work)
