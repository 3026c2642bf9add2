"""Distributing what waits in a niche, whatever fails: batches, single leads after a failed batch, failures on record.

The transaction itself is `flows.distribute`. A lead that makes a batch fail is found by deciding its leads one by one;
it is then in no batch any more (isolated), tried again later, and given up at last.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fairlead.core.decision import Decision
from fairlead.core.errors import Refused, Unavailable
from fairlead.flows.distribute import LastKnownBalances, distribute
from fairlead.flows.failures.failed_runs import record_failed_run
from fairlead.store.connection import Connection, Database
from fairlead.store.database_errors import one_line
from fairlead.store.distribution.rosters import RosterCache
from fairlead.store.journal import lock_niches
from fairlead.store.leads.waiting import LeadRequest, oldest_waiting

DEFAULT_BATCH_LIMIT = 50


@dataclass(frozen=True, slots=True)
class Failure:
    """A lead whose decision raised: a bug. Nothing of it was written but that it failed, and when it is tried again."""

    lead_id: str
    error: str


@dataclass(frozen=True, slots=True)
class Distributed:
    """What one call decided, and by lead the request that asked for it.

    `batch_error` is set when the leads failed together and were then decided one by one.
    """

    decisions: tuple[Decision, ...]
    failures: tuple[Failure, ...] = ()
    batch_error: str | None = None
    requests: Mapping[str, LeadRequest] = field(default_factory=dict[str, LeadRequest])

    def __len__(self) -> int:
        return len(self.decisions) + len(self.failures)


class Distributor:
    """One process's way to distribute: its rosters, and the balances that it saw last (expected, never the truth)."""

    def __init__(
        self, database: Database, batch_limit: int = DEFAULT_BATCH_LIMIT, retry_delay_factor: float = 1.0
    ) -> None:
        self.database = database
        self.batch_limit = batch_limit
        self.retry_delay_factor = retry_delay_factor
        self._rosters = RosterCache()
        self._last_known_balances = LastKnownBalances()

    def distribute_waiting(self, niche_id: str, only_lead_id: str | None = None) -> Distributed:
        """The niche's oldest waiting leads, up to the batch limit, are decided; none left: an empty result.

        One transaction, retried whole on transient errors. Locks: niche, leads, providers. Idempotent by R1: a lead is
        decided only while it awaits a decision. When a batch fails, its leads are decided one by one; a failed run is
        on record, and its lead is tried again later, isolated, or given up. An isolated lead is in no batch: it is
        decided when it is named.

        Raises `Unavailable` (the database cannot be used) and `Refused` (unknown or inactive niche).
        """
        if only_lead_id is not None:
            return self._distribute_named(niche_id, only_lead_id)
        try:
            return self._distribute(niche_id, self.batch_limit, None)
        except (Unavailable, Refused):
            raise
        except Exception as error:  # whatever it is, it must not keep the niche's other leads from being decided
            self._rosters.drop(niche_id)
            return replace(self._distribute_singly(niche_id), batch_error=f"{type(error).__name__}: {one_line(error)}")

    def _distribute_singly(self, niche_id: str) -> Distributed:
        done = Distributed(())
        for _ in range(self.batch_limit):
            # Named beforehand: which lead is the oldest may have changed by the time that a failure is recorded.
            lead_id = self._oldest_waiting(niche_id)
            if lead_id is None:
                break
            one = self._distribute_named(niche_id, lead_id)
            done = Distributed(
                done.decisions + one.decisions,
                done.failures + one.failures,
                requests={**done.requests, **one.requests},
            )
        return done

    def _distribute_named(self, niche_id: str, lead_id: str) -> Distributed:
        started = time.monotonic()
        try:
            return self._distribute(niche_id, 1, lead_id)
        except (Unavailable, Refused):
            raise
        except Exception as error:
            self._rosters.drop(niche_id)
            took_seconds = time.monotonic() - started
            if not record_failed_run(self.database, lead_id, error, took_seconds, self.retry_delay_factor):
                return Distributed(())
            return Distributed((), (Failure(lead_id, f"{type(error).__name__}: {one_line(error)}"),))

    def _oldest_waiting(self, niche_id: str) -> str | None:
        def work(conn: Connection) -> str | None:
            lock_niches(conn, [niche_id])
            return oldest_waiting(conn, niche_id)

        return self.database.run(work)

    def _distribute(self, niche_id: str, limit: int, only_lead_id: str | None) -> Distributed:
        batch = distribute(self.database, self._rosters, self._last_known_balances, niche_id, limit, only_lead_id)
        return Distributed(()) if batch is None else Distributed(batch.decisions, requests=batch.requests)
