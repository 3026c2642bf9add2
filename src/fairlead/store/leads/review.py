"""Rejecting leads, as rows."""

from collections.abc import Sequence
from datetime import datetime

from fairlead.store.connection import Connection


def lock_rejectable(conn: Connection, lead_ids: Sequence[str]) -> dict[str, str]:
    """Those of the leads that are unsold, with their status, locked in ascending order of id.

    Others are not locked. One that is being distributed is waited for, and is none of them once it is sold.
    """
    rows = conn.execute(
        """
        select id::text, status from leads
        where id = any(%s::uuid[]) and status in ('pending_confirmation', 'pending_approval', 'approved')
        order by id for no key update
        """,
        (list(lead_ids),),
    ).fetchall()
    return dict(rows)


def resolve_dead_letters_of(conn: Connection, lead_ids: Sequence[str], resolved_by: str, now: datetime) -> list[str]:
    """The open dead letters of these leads, which are locked, are resolved; returns their ids, the oldest first."""
    rows = conn.execute(
        """
        update dead_letters set resolved_at = %s, resolved_by = %s, resolution = 'resolved',
                                memo = 'the lead was rejected'
        where lead_id = any(%s::uuid[]) and resolved_at is null returning id::text
        """,
        (now, resolved_by, list(lead_ids)),
    ).fetchall()
    return sorted(row[0] for row in rows)
