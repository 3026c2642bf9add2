"""Distributing leads: one transaction locks, decides, charges, assigns and records (R1, R8, R10).

Leads waiting in one niche combine: the process that holds the niche's lock decides them all, oldest approval first, up
to a limit. What to decide is `core.batch`; here the locks are taken that make its answer final. Nothing is asked per
candidate, and nothing slow happens under a lock: a process that is new to a niche, or far behind, gives the lock back
and reads its roster without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from fairlead.core.batch import BatchDecision, NeedsBalances, decide_batch, follow_batch, head_after
from fairlead.core.calendar.stored_counters import StoredCounters, stored_counters
from fairlead.core.errors import Refused, Unavailable
from fairlead.core.journal import seal
from fairlead.core.model import Balance
from fairlead.core.postconditions import assert_room
from fairlead.core.roster import Roster
from fairlead.store.connection import Connection, Database
from fairlead.store.distribution.balances import read_balances
from fairlead.store.distribution.limit_counters import read_kept
from fairlead.store.distribution.rosters import MOST_FOLDED_UNDER_LOCK, RosterBehind, RosterCache
from fairlead.store.distribution.writes import Batch, LockedBalances, lock_balances, record
from fairlead.store.journal import LockedNiche, lock_niches, read_niche
from fairlead.store.leads.waiting import LeadRequest, lock_waiting_leads

RESTARTS = 20


@dataclass(frozen=True, slots=True)
class LastKnownBalances:
    """By provider, what it had when this process saw it last: expected, and never taken for true.

    One for all niches, since a provider pays for the leads of each from one balance. `read_niche_ids` are those whose
    providers were all read once.
    """

    balances: dict[str, Balance] = field(default_factory=dict[str, Balance])
    read_niche_ids: set[str] = field(default_factory=set[str])


def distribute(
    database: Database,
    rosters: RosterCache,
    last_known_balances: LastKnownBalances,
    niche_id: str,
    limit: int,
    only_lead_id: str | None = None,
) -> Batch | None:
    """The niche's oldest waiting leads, up to the limit, or only the named one, are decided; None when none waits.

    One transaction, retried whole on transient errors. Locks: niche, leads, providers. Idempotent by R1: a lead is
    decided only while it awaits a decision. `rosters` and `last_known_balances` are brought up to date.

    Raises `Unavailable` (the database cannot be used), `Refused` (unknown or inactive niche), and whatever a decision
    raises; nothing was written then.
    """
    lock_also: set[str] = set()
    with rosters.hold(niche_id):
        most_folded = MOST_FOLDED_UNDER_LOCK
        for _ in range(RESTARTS):
            locking = _Locking(rosters, last_known_balances, limit, only_lead_id, lock_also, most_folded)
            try:
                done = _in_one_transaction(database, niche_id, locking)
            except _ProviderHeld as held:
                lock_also.update(held.provider_ids)
                continue
            except RosterBehind:
                rosters.follow(database, niche_id)
                if niche_id not in last_known_balances.read_niche_ids:
                    last_known_balances.balances.update(database.read(lambda conn: read_balances(conn, niche_id)))
                    _expect_kept(database, rosters, niche_id)
                    last_known_balances.read_niche_ids.add(niche_id)
                # Other processes may go on deciding while this one waits for the lock: each time it may fold more.
                most_folded *= 2
                continue
            if done is None:
                return None
            head_before = done.roster.head.hash
            follow_batch(done.roster, done.decided, done.batch.head.hash)
            last_known_balances.balances.update(done.batch.balances_after)
            rosters.remember_counters(done.kept)
            rosters.remember_counters(done.batch.limits_used)
            counted = [own.owner_id for own, _ in done.decided.counted if own.owner == "subscription"]
            rosters.set_unmoved(niche_id, done.batch.head.hash, counted, since=head_before)
            return done.batch
    raise Unavailable(
        f"niche {niche_id} could not be decided in {RESTARTS} attempts: its providers stayed locked elsewhere, or its "
        "journal grew faster than it was read"
    )


def _expect_kept(database: Database, rosters: RosterCache, niche_id: str) -> None:
    """What is kept of counters in the niche is expected; of its subscriptions it is certain as long as the head is."""
    niche, kept = database.read(lambda conn: (read_niche(conn, niche_id), read_kept(conn, niche_id)))
    rosters.remember_counters(kept.of_subscriptions)
    rosters.remember_counters(kept.of_providers)
    if niche is not None:
        rosters.set_unmoved(niche_id, niche.journal_head, kept.of_subscriptions)


class _ProviderHeld(Exception):
    """A provider that turned out to be needed is held elsewhere: start again and lock these in their order."""

    def __init__(self, provider_ids: Sequence[str]) -> None:
        self.provider_ids = provider_ids


@dataclass(frozen=True, slots=True)
class _Done:
    """A batch that is decided and to be written, and the roster that stands before it."""

    roster: Roster
    decided: BatchDecision
    batch: Batch
    kept: Mapping[str, StoredCounters]


@dataclass(frozen=True, slots=True)
class _Locking:
    """What one attempt to decide under the niche's lock has to go by."""

    rosters: RosterCache
    last_known_balances: LastKnownBalances
    limit: int
    only_lead_id: str | None
    lock_also: set[str]
    most_folded: int


def _in_one_transaction(database: Database, niche_id: str, locking: _Locking) -> _Done | None:
    def work(conn: Connection) -> _Done | None:
        niche = lock_niches(conn, [niche_id]).get(niche_id)
        if niche is None:
            raise Refused("niche_unknown", f"there is no niche {niche_id}")
        return _attempt(conn, niche, locking)

    return database.run(work, _write)


def _write(conn: Connection, done: _Done | None) -> None:
    if done is not None:
        record(conn, done.batch)


def _attempt(conn: Connection, niche: LockedNiche, locking: _Locking) -> _Done | None:
    niche_id = niche.niche_id
    if not niche.is_active:
        raise Refused("niche_inactive", f"the niche {niche.slug!r} is inactive: its leads wait")
    locked = lock_waiting_leads(conn, niche_id, locking.limit, locking.only_lead_id)
    if not locked.leads or locked.now is None:
        return None
    roster = locking.rosters.at_head(conn, niche, locking.most_folded)
    # Empty, nearly every batch would be decided twice: `distribute` fills them for a process that is new to the niche.
    expected = locking.last_known_balances.balances
    counters = locking.rosters.last_known_counters
    unmoved = locking.rosters.unmoved_since(niche_id, roster.head.hash)
    asked = decide_batch(roster, locked.leads, {}, locked.now, expected, expected_counters=counters, unmoved=unmoved)
    decided, held = _with_balances_locked(conn, roster, asked, counters, locking.lock_also)
    batch = sealed_batch(niche, roster, decided, held, locked.now, locked.requests)
    return _Done(roster, decided, batch, held.kept)


def sealed_batch(
    niche: LockedNiche,
    roster: Roster,
    decided: BatchDecision,
    held: LockedBalances,
    now: datetime,
    requests: Mapping[str, LeadRequest],
) -> Batch:
    """What `record` writes of the batch, with what was locked for it: sealed into the niche's journal.

    `roster` stands before the batch, and has to until that is written.
    """
    head = roster.head
    for step in decided.steps:
        head = head_after(head, step)
    return Batch(
        niche_id=niche.niche_id,
        unsealed_head=head,
        decisions=decided.decisions,
        deactivated=decided.deactivated,
        seal=cache(lambda: seal(niche.niche_id, niche.journal_seq, niche.journal_head, decided.contents(), now)),
        low_balances=held.low_balances,
        endpoint_ids=held.endpoint_ids,
        balances_after=decided.balances_after,
        now=now,
        requests=requests,
        keep=cache(lambda: {own.owner_id: stored_counters(own) for own in decided.counters_after}),
        check=lambda: assert_room(roster, decided.decisions),
        shut=decided.shut,
        level_passes=decided.level_passes,
        passes=decided.passes,
    )


def _with_balances_locked(
    conn: Connection,
    roster: Roster,
    asked: BatchDecision | NeedsBalances,
    known: Mapping[str, StoredCounters],
    lock_also: set[str],
) -> tuple[BatchDecision, LockedBalances]:
    """The batch as the true balances have it, with every provider that it consulted locked."""
    held = LockedBalances()
    while isinstance(asked, NeedsBalances):
        # Only the first locks may be waited for. Later ones are out of order: waiting for one of them could
        # deadlock with a transaction that holds it and waits for one of ours.
        to_lock = [*(asked.provider_ids | (lock_also - held.balances.keys()))]
        found = lock_balances(conn, to_lock, asked.windows, known, held, wait=not held.balances)
        if found is None:
            raise _ProviderHeld([*asked.provider_ids, *held.balances])
        held.add(found)
        asked = asked.resume(roster, held.balances, held.counters)
    return asked, held
