"""Marks of rows that change after their day was over, so that what reports keep of that day is not used any more.

Each writer of what a fact counts (`facts`) leaves them, in its own transaction. A row that is younger than an hour
needs none: no span that holds it is there yet (`pieces.CLOSED_AFTER`). Its age is that of its id.
"""

import time
from collections.abc import Sequence

from fairlead.store.connection import Connection
from fairlead.store.simulated_clock import simulated_now

SETTLED_AFTER_SECONDS = 3_600


def leads_changed(conn: Connection, lead_ids: Sequence[str]) -> None:
    """The leads, changed just now, are not as what is kept of their days has them."""
    if old := _old(conn, lead_ids):
        conn.execute(
            """
            insert into report_changes (fact_kind, at)
            select 'leads', created_at from leads where id = any(%s::uuid[])
            """,
            (old,),
        )


def assignments_changed(conn: Connection, assignment_ids: Sequence[str]) -> None:
    """The assignments, changed just now, are not as what is kept of their days has them."""
    if old := _old(conn, assignment_ids):
        conn.execute(
            """
            insert into report_changes (fact_kind, at)
            select 'assignments', assigned_at from assignments where id = any(%s::uuid[])
            """,
            (old,),
        )


def _old(conn: Connection, ids: Sequence[str]) -> list[str]:
    now = simulated_now(conn)
    seconds = time.time() if now is None else now.timestamp()
    since = f"{max(0, int((seconds - SETTLED_AFTER_SECONDS) * 1000)):012x}"
    return [each for each in ids if each.replace("-", "")[:12] < since]
