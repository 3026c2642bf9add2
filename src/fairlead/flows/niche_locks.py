"""Verbs that lock niches and find out only under the locks which others they concern."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from fairlead.core.errors import Unavailable
from fairlead.store.configuration.rows import ConcurrentChange, LockSetChanged
from fairlead.store.connection import Connection, Database

Result = TypeVar("Result")

RESTARTS = 20


def with_niche_locks(database: Database, work: Callable[[Connection, Sequence[str]], Result]) -> Result:
    """The result of `work`, done in one committed transaction that is started again after a `ConcurrentChange`.

    `work` is handed the niches that turned out to be concerned in earlier attempts (`LockSetChanged`); it locks them
    before anything that comes after niches in the order of locks. Raises `Unavailable` after `RESTARTS` attempts.
    """
    also: set[str] = set()
    for _ in range(RESTARTS):
        try:
            return database.run(lambda conn: work(conn, sorted(also)))
        except LockSetChanged as changed:
            also.update(changed.niche_ids)
        except ConcurrentChange:
            continue
    raise Unavailable(f"others changed the same things through {RESTARTS} attempts; try again")
