"""The floor: the rows that Fairlead wrote, written by the same statements with every value known in advance.

No lock is asked for, nothing is read, decided, hashed or built. Faster than this the same rows can only become by other
statements.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, LiteralString, cast

from fairlead.flows import distribute
from fairlead.store.connection import Connection, Database
from fairlead.store.distribution.writes import Batch, record

Statement = tuple[LiteralString, Sequence[Any], dict[str, Any]]


@dataclass(slots=True)
class _Answer:
    """What a statement of a notebook gives back. One that is read was a question, and no question is on the floor."""

    statements: list[Statement]
    statement: Statement
    rowcount: int = -1

    def fetchall(self) -> list[tuple[str, str]]:
        """Nothing: no provider of a measurement has a webhook endpoint, and those are all that is asked for."""
        self.statements.remove(self.statement)
        return []


@dataclass(slots=True)
class _Notebook:
    """Takes the statements that would go to the server."""

    statements: list[Statement] = field(default_factory=list[Statement])
    simulated_clock: None = None

    def pipeline(self) -> nullcontext[None]:
        return nullcontext()

    def when_answered(self, check: Callable[[], None]) -> None:
        """It has no answers to be checked: the floor writes what was written, and is compared with it."""

    def execute(self, query: LiteralString, parameters: Sequence[Any], **how: Any) -> _Answer:
        statement = (query, parameters, how)
        self.statements.append(statement)
        return _Answer(self.statements, statement)


def statements_of(batch: Batch) -> list[Statement]:
    """What `record` would execute for the batch."""
    notebook = _Notebook()
    record(cast(Connection, notebook), batch)
    return notebook.statements


@contextmanager
def batches_recorded() -> Iterator[list[Batch]]:
    """Every batch that a distributor of this process records while the block runs."""
    batches: list[Batch] = []
    original = distribute.record

    def keep_and_record(conn: Connection, batch: Batch) -> None:
        batches.append(batch)
        original(conn, batch)

    distribute.record = keep_and_record
    try:
        yield batches
    finally:
        distribute.record = original


def replay(database: Database, batches: Sequence[Sequence[Statement]]) -> None:
    """The batches' rows are in the database: a transaction each, its statements in one pipeline."""
    for statements in batches:
        with database.transaction() as conn, conn.pipeline():
            for query, parameters, how in statements:
                conn.execute(query, parameters, **how)


_SAME: dict[str, LiteralString] = {
    "niches": "select id, journal_seq, journal_head, last_served_seq, next_start_level_order_position from niches",
    "assignments": "select * from assignments",
    "ledger": "select * from ledger_entries",
    "journal": "select niche_id, seq, hash from niche_journal",
    "providers": "select id, balance_cents, ledger_seq from providers",
    "subscriptions": "select id, is_active, served_seq, last_received_at from subscriptions",
    "leads": "select id, status, last_outcome, distribution_attempts, distributed_at from leads",
    "notifications": "select kind, channel, provider_id, assignment_id, subscription_id from notifications",
}


def tables_that_differ(one: Database, other: Database) -> list[str]:
    """The tables whose rows are not the same in both databases (ids of notifications aside)."""
    return [name for name, rows in _SAME.items() if _digest(one, rows) != _digest(other, rows)]


def _digest(database: Database, rows: LiteralString) -> tuple[Any, ...] | None:
    with database.snapshot() as conn:
        return conn.execute(
            "select count(*), md5(coalesce(string_agg(line, '' order by line), '')) "
            "from (select r::text as line from (" + rows + ") as r) as lines"
        ).fetchone()
