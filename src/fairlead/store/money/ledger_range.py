"""A span of time in one provider's ledger, whose own order is that of `seq`."""

from datetime import datetime

from fairlead.store.connection import Connection

LAST_SEQ = 2**63 - 1
"""No `seq` is higher."""


def seq_range(
    conn: Connection, provider_id: str, created_from: datetime | None, created_before: datetime | None
) -> tuple[int, int] | None:
    """The first and last `seq` of the provider's entries of the span; None without any.

    Between the two there can be entries of another time: a transaction that began earlier may have got the provider's
    lock later. The cost grows with the number of entries in the span, of which an index alone is read.
    """
    row = conn.execute(
        # Added to nothing, so that the planner does not look for the extremes along `seq`, past all other times.
        """
        select min(seq + 0), max(seq + 0) from ledger_entries
        where provider_id = %s and created_at >= coalesce(%s::timestamptz, '-infinity')
          and created_at < coalesce(%s::timestamptz, 'infinity')
        """,
        (provider_id, created_from, created_before),
    ).fetchone()
    return None if row is None or row[0] is None else (row[0], row[1])


def purchases_before(
    conn: Connection,
    provider_id: str,
    assigned_from: datetime | None,
    assigned_before: datetime | None,
    after_id: str | None,
) -> tuple[int, int] | None:
    """Between which `ledger_seq` the provider's assignments of this time are that are older than the given one.

    None where there are none, or the given one is not the provider's. Numbers, not a subquery: the planner has to know
    how far they reach, or it may sort them all.
    """
    is_any_time = assigned_from is None and assigned_before is None
    span = (1, LAST_SEQ) if is_any_time else seq_range(conn, provider_id, assigned_from, assigned_before)
    if span is None or after_id is None:
        return span
    row = conn.execute(
        "select ledger_seq from assignments where id = %s and provider_id = %s", (after_id, provider_id)
    ).fetchone()
    return None if row is None else (span[0], min(span[1], row[0] - 1))
