"""How many exports are open at once, across every process of a marketplace."""

from dataclasses import dataclass
from typing import Literal

from fairlead.store.connection import Connection

OPEN_AT_ONCE = 2
"""Of operators, and as many of providers: files that are read while they are sent.

Each keeps a connection and a snapshot while its client reads.
"""


@dataclass(frozen=True, slots=True)
class Exporter:
    """Who opens an export: `party` says whose slots it takes, `caller` of whom each has one at a time."""

    party: Literal["operators", "providers"]
    caller: str


def take_export_slot(conn: Connection, exporter: Exporter) -> bool:
    """One of the party's slots is this transaction's until it ends; False when its caller has one, or all are taken.

    Never waits.
    """
    party = f"exports of {exporter.party}"
    if not _takes(conn, f"{party} by", exporter.caller):
        return False
    return any(_takes(conn, party, str(slot)) for slot in range(OPEN_AT_ONCE))


def _takes(conn: Connection, kind: str, name: str) -> bool:
    """The lock of that name is this transaction's; False where another has it."""
    return conn.execute(
        "select pg_try_advisory_xact_lock(hashtext(current_schema() || ' ' || %s), hashtext(%s))", (kind, name)
    ).fetchall()[0][0]
