"""Distributing leads: one transaction decides, charges, assigns and records (R1, R8, R10).

Leads waiting in one niche combine: whoever holds the niche's lock decides them all, oldest approval first, up to a
limit. `core.engine.decide` is asked with the balances that this process saw last; the locked rows tell the true ones;
where they differ it is asked again. Nothing is asked per candidate, and nothing slow happens under a lock, but that a
process that never worked on a niche reads its roster first.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from fairlead.core.assignment import ASSUMED_RICH, PurseLookup
from fairlead.core.configuration_entries import deactivated_for_funds, subscription_payload
from fairlead.core.decision_entries import decision_payload
from fairlead.core.engine import decide, follow, subscriptions_out_of_funds
from fairlead.core.errors import Refused, Unavailable
from fairlead.core.journal import EntryKind, seal
from fairlead.core.model import Decision, Lead, Purse, Subscription
from fairlead.core.roster import Head, Roster
from fairlead.flows.failures.failed_runs import record_failed_run
from fairlead.store.connection import Connection, Database, one_line
from fairlead.store.distribution.purses import read_purses
from fairlead.store.distribution.rosters import RosterCache
from fairlead.store.distribution.writes import Batch, lock_purses, record
from fairlead.store.journal import LockedNiche, lock_niches
from fairlead.store.leads.waiting import LeadRequest, lock_waiting_leads, oldest_waiting

DEFAULT_BATCH_LIMIT = 50
RESTARTS = 20


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


class _ProviderHeld(Exception):
    """A provider that turned out to be needed is held elsewhere: start again and lock these in their order."""

    def __init__(self, provider_ids: Sequence[str]) -> None:
        self.provider_ids = provider_ids


class Distributor:
    """One process's way to distribute: its rosters, and the balances that it saw last (guesses, never the truth)."""

    def __init__(
        self, database: Database, batch_limit: int = DEFAULT_BATCH_LIMIT, retry_delay_factor: float = 1.0
    ) -> None:
        self.database = database
        self.batch_limit = batch_limit
        self.retry_delay_factor = retry_delay_factor
        self._rosters = RosterCache()
        self._guesses: dict[str, dict[str, Purse]] = {}

    def distribute_waiting(self, niche_id: str, only_lead_id: str | None = None) -> Distributed:
        """The niche's oldest waiting leads, up to the batch limit, are decided; none left: an empty result.

        One transaction, retried whole on transient errors. Locks: niche, leads, providers. Idempotent by R1: a lead is
        decided only while it awaits a decision. When a batch fails, its leads are decided one by one; a failed run is
        on record, and its lead is tried again later, alone, or given up. Such leads are in no batch: they are decided
        when they are named.

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
        lock_also: set[str] = set()
        with self._rosters.hold(niche_id):
            for _ in range(RESTARTS):
                try:
                    batch = self._in_one_transaction(niche_id, limit, only_lead_id, lock_also)
                except _ProviderHeld as held:
                    lock_also.update(held.provider_ids)
                    continue
                if batch is None:
                    return Distributed(())
                self._rosters.keep(niche_id)
                self._guesses[niche_id].update(batch.purses_after)
                return Distributed(batch.decisions, requests=batch.requests)
        raise Unavailable(f"the providers of niche {niche_id} stayed locked elsewhere through {RESTARTS} attempts")

    def _in_one_transaction(
        self, niche_id: str, limit: int, only_lead_id: str | None, lock_also: set[str]
    ) -> Batch | None:
        def work(conn: Connection) -> Batch | None:
            niche = lock_niches(conn, [niche_id]).get(niche_id)
            if niche is None:
                raise Refused("niche_unknown", f"there is no niche {niche_id}")
            return self._attempt(conn, niche, limit, only_lead_id, lock_also)

        return self.database.run(work)

    def _attempt(
        self, conn: Connection, niche: LockedNiche, limit: int, only_lead_id: str | None, lock_also: set[str]
    ) -> Batch | None:
        niche_id = niche.niche_id
        if not niche.is_active:
            raise Refused("niche_inactive", f"the niche {niche.slug!r} is inactive: its leads wait")
        locked = lock_waiting_leads(conn, niche_id, limit, only_lead_id)
        if not locked.leads or locked.now is None:
            return None
        roster = self._rosters.at_head(conn, niche)
        roster.checkpoint()
        guesses = self._guesses.get(niche_id)
        if guesses is None:  # without them nearly every batch of a new process would be decided twice
            guesses = self._guesses[niche_id] = read_purses(conn, niche_id)
        trial, purses = _decide_on_locked(conn, roster, locked.leads, locked.now, guesses, lock_also)
        sealed = seal(niche_id, niche.journal_seq, niche.journal_head, trial.contents, locked.now)
        roster.head = replace(roster.head, hash=sealed[-1].entry.hash)
        batch = Batch(
            niche_id,
            roster.head,
            tuple(trial.decisions),
            tuple(trial.deactivated),
            tuple(sealed),
            purses,
            trial.purses_after,
            locked.now,
            locked.requests,
        )
        record(conn, batch)
        return batch


@dataclass(frozen=True, slots=True)
class _Trial:
    """A batch as it would be decided with certain balances: `assumed` are those that it consulted."""

    decisions: list[Decision]
    deactivated: list[Subscription]
    contents: list[tuple[EntryKind, Mapping[str, object]]]
    assumed: dict[str, Purse | None]
    purses_after: dict[str, Purse]


def _decide_on_locked(
    conn: Connection,
    roster: Roster,
    leads: Sequence[Lead],
    now: datetime,
    guesses: PurseLookup,
    lock_also: set[str],
) -> tuple[_Trial, dict[str, Purse]]:
    """The batch as the true balances have it, with every provider that it consulted locked."""
    trial = _try_all(roster, leads, guesses, now)
    purses: dict[str, Purse] = {}
    while True:
        missing = {*trial.assumed, *lock_also} - purses.keys()
        if missing:
            # Only the first locks may be waited for. Later ones are out of order: waiting for one of them could
            # deadlock with whoever holds it and waits for one of ours.
            found = lock_purses(conn, [*missing], wait=not purses)
            if found is None:
                raise _ProviderHeld([*trial.assumed])
            purses |= found
        if all(purses[provider_id] == purse for provider_id, purse in trial.assumed.items()):
            return trial, purses
        roster.roll_back()
        trial = _try_all(roster, leads, _Overlay(purses, guesses), now)


class _Overlay:
    """Balances by provider: the upper ones where there are any, else the lower ones."""

    def __init__(self, upper: Mapping[str, Purse], lower: PurseLookup) -> None:
        self._upper = upper
        self._lower = lower

    def get(self, provider_id: str, /) -> Purse | None:
        purse = self._upper.get(provider_id)
        return self._lower.get(provider_id) if purse is None else purse


def _try_all(roster: Roster, leads: Sequence[Lead], purses: PurseLookup, now: datetime) -> _Trial:
    """The batch as these balances would have it; the roster has followed it."""
    trial = _Trial([], [], [], {}, {})
    after = trial.purses_after
    current = _Overlay(after, purses)
    for lead in leads:
        decision = decide(roster, lead, current, now)
        for provider_id in decision.consulted_provider_ids:
            if provider_id not in trial.assumed:
                purse = trial.assumed[provider_id] = current.get(provider_id)
                after[provider_id] = purse or ASSUMED_RICH
        for recipient in decision.recipients:
            after[recipient.provider_id] = after[recipient.provider_id].charged(recipient.price_cents)
        follow(roster, decision)
        trial.decisions.append(decision)
        trial.contents.append((EntryKind.DECISION, decision_payload(decision)))
        for subscription in subscriptions_out_of_funds(roster, after, decision.consulted_provider_ids):
            _deactivate(roster, trial, subscription)
    return trial


def _deactivate(roster: Roster, trial: _Trial, subscription: Subscription) -> None:
    inactive = deactivated_for_funds(subscription)
    roster.set_subscription(inactive, is_deleted=False)
    head = roster.head
    roster.head = Head(head.seq + 1, head.hash, head.next_start_order_position, head.last_served_seq)
    trial.deactivated.append(inactive)
    payload = subscription_payload(inactive, is_deleted=False, before=subscription)
    trial.contents.append((EntryKind.SUBSCRIPTION, payload))
