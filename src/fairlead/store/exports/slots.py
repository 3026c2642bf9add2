"""How many exports are open at once, across every process of a marketplace."""

from fairlead.store.connection import Connection

OPEN_AT_ONCE = 2
"""Of files that are read while they are sent: each keeps a connection and a snapshot while its client reads."""


def take_export_slot(conn: Connection, slot_count: int) -> bool:
    """One of so many slots is this transaction's until it ends; False when all are taken. Never waits."""
    for slot in range(slot_count):
        rows = conn.execute(
            "select pg_try_advisory_xact_lock(hashtext(current_schema() || ' exports'), %s)", (slot,)
        ).fetchall()
        if rows[0][0]:
            return True
    return False
