"""Each comparison of the books with themselves, kept with what did not agree."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from psycopg.types.json import Jsonb

from fairlead.store.connection import Connection


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
