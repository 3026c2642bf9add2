"""Each comparison of the books with themselves, kept with what did not agree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.types.json import Jsonb

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import one_row


@dataclass(frozen=True, slots=True)
class ReconciliationRow:
    """A comparison of the books: when, on how many subjects, and how many were not as they must be."""

    reconciliation_id: str
    ended_at: datetime
    checked_count: int
    difference_count: int


def last_reconciliation(conn: Connection) -> ReconciliationRow | None:
    """The newest comparison; None before the first."""
    return one_row(
        conn,
        ReconciliationRow,
        """
        select id::text as reconciliation_id, ended_at, checked_count, difference_count
        from reconciliations order by ended_at desc limit 1
        """,
    )


def add_reconciliation(
    conn: Connection,
    reconciliation_id: str,
    started_at: datetime,
    ended_at: datetime,
    checked_count: int,
    difference_count: int,
    differences: Sequence[Mapping[str, object]],
) -> None:
    """The comparison is on record."""
    conn.execute(
        """
        insert into reconciliations (id, started_at, ended_at, checked_count, difference_count, differences)
        values (%s, %s, %s, %s, %s, %s)
        """,
        (reconciliation_id, started_at, ended_at, checked_count, difference_count, Jsonb(list(differences))),
    )
