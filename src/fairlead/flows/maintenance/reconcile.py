"""Comparing the books with themselves, with the journals and with the audit log. Nothing is ever repaired.

These are all checks of rows that `fairlead verify` makes, of the same list; what it makes beside them is to hash every
entry again and take every decision again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.notifications.alerts import alert_operators
from fairlead.store.audit.log import SYSTEM, Actor, AuditEvent, append_audit
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.invariants.engine import INVARIANTS, check_invariants
from fairlead.store.leads.rows import clock
from fairlead.store.money.reconciliations import add_reconciliation
from fairlead.telemetry.logs import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One promise of the books: on how many subjects it was checked, how many broke it, and the first in words."""

    name: str
    checked_count: int
    difference_count: int
    first_differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The books as they were at one moment, compared with themselves."""

    reconciliation_id: str
    started_at: datetime
    comparisons: tuple[Comparison, ...]

    @property
    def checked_count(self) -> int:
        """How many subjects were looked at."""
        return sum(each.checked_count for each in self.comparisons)

    @property
    def difference_count(self) -> int:
        """How many of them are not as they must be."""
        return sum(each.difference_count for each in self.comparisons)

    @property
    def differing(self) -> tuple[Comparison, ...]:
        """The promises that do not hold."""
        return tuple(each for each in self.comparisons if each.difference_count)


def reconcile(
    database: Database, actor: Actor, progress: Callable[[str, int, int], None] = lambda _what, _done, _total: None
) -> Reconciliation:
    """The books of one moment were compared, which is on record; operators are alerted where they do not agree.

    Reads a snapshot, then writes one row, and for any difference an audit entry, an alert and a line in the log, in one
    transaction. The rows that were compared are left exactly as they are. Raises `Unavailable`.
    """
    comparisons: list[Comparison] = []
    with database.snapshot(is_long=True) as conn:
        started_at = clock(conn)
        for number, found in enumerate(check_invariants(conn, INVARIANTS), start=1):
            name = found.invariant.name
            comparisons.append(Comparison(name, found.checked, found.violation_count, found.first))
            progress(name, number, len(INVARIANTS))
    result = Reconciliation(new_id(database), started_at, tuple(comparisons))
    database.run(lambda conn: _record(conn, result, actor))
    if result.differing:
        log.error("the books do not agree with themselves", difference_count=result.difference_count)
    return result


def reconcile_task(maintenance: Maintenance) -> Mapping[str, int]:
    """The books are compared, as `reconcile` does; returns how many differences there are."""
    return {"differences": reconcile(maintenance.database, SYSTEM).difference_count}


def _record(conn: Connection, result: Reconciliation, actor: Actor) -> None:
    now = clock(conn)
    differences = [
        {"check": each.name, "count": each.difference_count, "first": list(each.first_differences)}
        for each in result.differing
    ]
    add_reconciliation(
        conn,
        result.reconciliation_id,
        result.started_at,
        now,
        result.checked_count,
        result.difference_count,
        differences,
    )
    if not result.differing:
        return
    lines = [f"{each.difference_count} x not so: {each.name}" for each in result.differing]
    lines.append("Nothing was changed. See: fairlead reconcile, fairlead verify")
    alert_operators(conn, "The books do not agree with themselves", lines, now)
    new = {"difference_count": result.difference_count} | {
        "differences": {each.name: each.difference_count for each in result.differing}
    }
    event = AuditEvent(actor, "reconciliation.differs", "reconciliation", result.reconciliation_id, new=new)
    append_audit(conn, [event], now)
