"""Whether the installation is well, in a few facts, each with the page that says more."""

from dataclasses import dataclass

from fairlead.core.permissions import Permission
from fairlead.flows.access.principal import Principal
from fairlead.flows.maintenance.worker_states import read_worker_states
from fairlead.store.connection import Database
from fairlead.store.jobs.queue_views import queue_states
from fairlead.store.money.reconciliations import ReconciliationRow, last_reconciliation


@dataclass(frozen=True, slots=True)
class InstallationHealth:
    """What a reader may know of it; None for what needs a permission that the reader has not."""

    workers_alive: int | None
    given_up_count: int | None
    may_see_books: bool
    last_reconciliation: ReconciliationRow | None


def health_of(database: Database, reader: Principal, heartbeat_timeout_seconds: float) -> InstallationHealth:
    """The workers that live, the work that was given up, and when the books were compared last."""
    sees_jobs, sees_money = (each in reader.permissions for each in (Permission.JOBS_READ, Permission.MONEY_READ))
    return InstallationHealth(
        read_worker_states(database, heartbeat_timeout_seconds).alive_count if sees_jobs else None,
        sum(each.open_dead_letter_count for each in database.read(queue_states)) if sees_jobs else None,
        sees_money,
        database.read(last_reconciliation) if sees_money else None,
    )
