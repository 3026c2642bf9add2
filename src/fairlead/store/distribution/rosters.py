"""A process's rosters: one per niche, each brought up to its niche's head.

No expiry, no message, no stale read: what a roster says is what the journal said at its `seq`, and the lock shows
whether there is more. Only the last few entries are folded under the niche's lock. A roster that is new, or behind by
more, is read and built while it is not held: the journal does not change what it said meanwhile.
"""

import threading
from collections.abc import Generator, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass

from fairlead.core.calendar.limits import limits_text
from fairlead.core.calendar.stored_counters import StoredCounters
from fairlead.core.calendar.time_rules import NO_OWNERS
from fairlead.core.fold import Head
from fairlead.core.gates import shut_from_record
from fairlead.core.journal import Entry, UnreadableEntry
from fairlead.core.model import Level, ProviderTerms, Subscription, with_shared_texts
from fairlead.core.refusals import Refusal
from fairlead.core.roster import Roster
from fairlead.core.weighted import LevelPass
from fairlead.store.configuration.rows import level_of_columns, subscription_of_columns
from fairlead.store.connection import Connection, Database
from fairlead.store.journal import LockedNiche, entries_after, read_niche

RELOADING_IN_ENTRIES = 50
"""What reading the tables takes however few subscriptions there are, in entries folded meanwhile."""

MOST_FOLDED_UNDER_LOCK = 200
"""So many entries take some tens of milliseconds to fold; a process that missed more gives the lock back first."""

ROUNDS_WITHOUT_LOCK = 8
"""Each round folds what was decided during the one before, many times as fast as it was decided."""


class RosterBehind(Exception):
    """The process's roster is missing, or too far behind to be brought up to date under the lock: `follow` it first."""


class RosterCache:
    """The rosters of this process. Safe for threads: `hold` gives a niche's roster to one of them at a time."""

    def __init__(self) -> None:
        self._rosters: dict[str, Roster] = {}
        self._turns: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()
        self._counters: dict[str, StoredCounters] = {}
        self._unmoved: dict[str, tuple[bytes, set[str]]] = {}

    @contextmanager
    def hold(self, niche_id: str) -> Generator[None]:
        """This thread alone uses the niche's roster.

        Taken before the transaction and given back after its commit: otherwise the next thread could get the row lock
        that the commit released and read the roster before this one has finished moving it.
        """
        with self._guard:
            turn = self._turns.setdefault(niche_id, threading.Lock())
        with turn:
            yield

    def at_head(self, conn: Connection, niche: LockedNiche, most_folded: int = MOST_FOLDED_UNDER_LOCK) -> Roster:
        """The niche's roster as of its locked head. Needs `hold` and the niche's row lock.

        Raises `RosterBehind` where that takes more than to fold `most_folded` entries.
        """
        roster = self._rosters.get(niche.niche_id)
        if roster is None or not 0 <= niche.journal_seq - roster.head.seq <= most_folded:
            raise RosterBehind
        if not self._fold(roster, _entries_after(conn, roster, niche)) or roster.head != head_of(niche):
            # With a memory of entries that a fail-over lost, or tampered with: the tables are the truth.
            self._rosters.pop(niche.niche_id, None)
            raise RosterBehind
        return roster

    def follow(self, database: Database, niche_id: str) -> None:
        """The niche's roster is near its head. Locks nothing, and needs `hold`.

        Raises `Unavailable`. A niche that is unknown has no roster.
        """
        for _ in range(ROUNDS_WITHOUT_LOCK):
            roster = self._rosters.get(niche_id)
            newer = database.read(lambda conn, roster=roster: _newer(conn, niche_id, roster))
            if isinstance(newer, RosterRows):
                self._rosters[niche_id] = newer.roster()
            elif roster is None or not newer:
                return
            elif not self._fold(roster, newer):
                self._rosters.pop(niche_id, None)

    @staticmethod
    def _fold(roster: Roster, entries: Sequence[Entry]) -> bool:
        """Whether the roster could follow the entries; else it is of no use any more.

        A fail-over may have lost the roster's newest entry and given its number to another. The next entry names its
        predecessor; folding it regardless would end in the right head with the wrong subscriptions.
        """
        if entries and entries[0].prev_hash != roster.head.hash:
            return False
        try:
            for entry in entries:
                roster.fold(entry)
        except UnreadableEntry:
            return False  # the journal or the rows were tampered with: `verify` says so
        return True

    @property
    def last_known_counters(self) -> Mapping[str, StoredCounters]:
        """What this process saw last of the counters of limits, by owner: expected, and never taken for true."""
        return self._counters

    def remember_counters(self, counters: Mapping[str, StoredCounters]) -> None:
        """These are the counters that were seen last, by owner."""
        self._counters.update(counters)

    def unmoved_since(self, niche_id: str, head_hash: bytes) -> AbstractSet[str]:
        """The subscriptions of the niche whose counters, with this head, are the last known ones for certain.

        Whatever moves or forgets what is kept of a subscription appends an entry to its niche's journal, under the
        niche's lock: with the head that this process left or read it at, nothing of it can be another. Of a provider
        that cannot be said, since other niches move it. Needs `hold`.
        """
        known_hash, owner_ids = self._unmoved.get(niche_id, (b"", NO_OWNERS))
        return owner_ids if known_hash == head_hash else NO_OWNERS

    def set_unmoved(
        self, niche_id: str, head_hash: bytes, subscription_ids: Iterable[str], since: bytes | None = None
    ) -> None:
        """With this head, the last known counters of these subscriptions are certain, and, with `since`, those before.

        Those before are the ones that were certain with the head `since`: nothing but this process moved the niche from
        there to this head. Needs `hold`.
        """
        known_hash, owner_ids = self._unmoved.get(niche_id, (b"", set[str]()))
        if since is None or known_hash != since:
            owner_ids = set[str]()
        owner_ids.update(subscription_ids)
        self._unmoved[niche_id] = head_hash, owner_ids

    def drop(self, niche_id: str) -> None:
        """The niche's roster will be read anew. Waits for the thread that holds it, which still needs it."""
        with self.hold(niche_id):
            self._rosters.pop(niche_id, None)


def _entries_after(conn: Connection, roster: Roster, niche: LockedNiche) -> list[Entry]:
    return entries_after(conn, niche.niche_id, roster.head.seq) if niche.journal_seq > roster.head.seq else []


def _newer(conn: Connection, niche_id: str, roster: Roster | None) -> "list[Entry] | RosterRows":
    """What brings the roster to the head that this snapshot sees: the entries that it missed, or the tables."""
    niche = read_niche(conn, niche_id)
    if niche is None:
        return []
    if roster is None or not 0 <= niche.journal_seq - roster.head.seq <= most_entries_folded(len(roster)):
        return read_roster_rows(conn, niche)
    if niche.journal_seq == roster.head.seq and roster.head != head_of(niche):
        return read_roster_rows(conn, niche)
    return _entries_after(conn, roster, niche)


def most_entries_folded(subscriptions: int) -> int:
    """The number of missed entries up to which folding them is cheaper than reading the tables anew.

    To read one subscription takes about as long as to fold one decision with nine recipients (`python -m bench
    rosters`).

    >>> most_entries_folded(180)
    230
    """
    return RELOADING_IN_ENTRIES + subscriptions


def head_of(niche: LockedNiche) -> Head:
    """The head that the niche's row says."""
    return Head(niche.journal_seq, niche.journal_head, niche.next_start_order_position, niche.last_served_seq)


@dataclass(frozen=True, slots=True)
class RosterRows:
    """All that the tables say of a niche at one moment. They agree with the journal's fold, which `verify` proves."""

    niche: LockedNiche
    levels: Sequence[tuple[Level, bool, LevelPass]]
    providers: Sequence[tuple[str, str, ProviderTerms]]
    subscriptions: Sequence[tuple[Subscription, int | None, int, Refusal | None, bool]]

    def roster(self) -> Roster:
        """The roster that the rows describe. Most of what loading takes is this, and it needs no connection."""
        roster = Roster(self.niche.niche_id)
        roster.set_niche(self.niche.is_active, self.niche.form_schema, self.niche.max_recipients_per_lead)
        for level, is_deleted, level_pass in self.levels:
            roster.set_level(level, is_deleted)
            roster.set_level_pass(level.level_id, level_pass)
        for provider in self.providers:
            roster.set_provider(*provider)
        for subscription, served_seq, pass_value, shut, is_deleted in self.subscriptions:
            if served_seq is not None:
                roster.set_served(subscription.subscription_id, served_seq)
            if pass_value:
                roster.set_pass(subscription.subscription_id, pass_value)
            roster.set_subscription(subscription, is_deleted)
            if shut is not None and not is_deleted:
                roster.set_shut(subscription.subscription_id, shut)
        roster.head = head_of(self.niche)
        return roster


def read_roster_rows(conn: Connection, niche: LockedNiche) -> RosterRows:
    """What a roster of the niche is built from. Needs the niche's row lock, or a snapshot."""
    levels = conn.execute(
        """
        select id::text, name, price_cents, max_recipients, order_position, is_active, is_exclusive,
               price_rules, queue_order, deleted_at is not null, global_pass, global_pass_seq, longest_stride
        from competition_levels where niche_id = %s order by id
        """,
        (niche.niche_id,),
    ).fetchall()
    statuses = conn.execute(
        """
        select id::text, status, timezone, limits, schedule, conflict_group_id::text from providers
        where id in (select provider_id from subscriptions where niche_id = %s) order by id
        """,
        (niche.niche_id,),
    ).fetchall()
    subscriptions = conn.execute(
        """
        select id::text, provider_id::text, competition_level_id::text, is_active, deactivation_reason, filter_rules,
               filter_is_valid, limits, schedule, max_price_cents, weight, served_seq, pass, shut_by,
               deleted_at is not null
        from subscriptions where niche_id = %s order by id
        """,
        (niche.niche_id,),
    )
    texts: dict[str, str] = {}  # one for all equal ones, from the start: memory that is freed is not given back

    return RosterRows(
        niche,
        [
            (level_of_columns(*level), is_deleted, LevelPass(*level_pass))
            for *level, is_deleted, global_pass, global_pass_seq, longest_stride in levels
            for level_pass in [(global_pass, global_pass_seq, longest_stride)]
        ],
        [
            (provider_id, status, ProviderTerms(timezone, limits_text(own_limits), limits_text(schedule), group_id))
            for provider_id, status, timezone, own_limits, schedule, group_id in statuses
        ],
        [
            (
                with_shared_texts(subscription_of_columns(*columns), texts),
                served_seq,
                pass_value,
                None if shut is None else shut_from_record(shut),
                is_deleted,
            )
            for *columns, served_seq, pass_value, shut, is_deleted in subscriptions
        ],
    )


def load_roster(conn: Connection, niche: LockedNiche) -> Roster:
    """The roster that the tables describe. Needs the niche's row lock, or a snapshot."""
    return read_roster_rows(conn, niche).roster()
