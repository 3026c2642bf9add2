"""A process's rosters: one per niche, each brought up to its niche's head under the niche's lock.

No expiry, no message, no stale read: what a roster says is what the journal said at its `seq`, and the lock shows
whether there is more.
"""

import threading
from collections.abc import Generator
from contextlib import contextmanager

from fairlead.core.journal import UnreadableEntry
from fairlead.core.model import Level, Subscription
from fairlead.core.roster import Head, Roster
from fairlead.store.connection import Connection
from fairlead.store.journal import LockedNiche, recent_entries

RELOADING_IN_ENTRIES = 50
"""What reading the tables takes however few subscriptions there are, in entries folded meanwhile."""


class RosterCache:
    """The rosters of this process. Safe for threads: `hold` gives a niche's roster to one of them at a time."""

    def __init__(self) -> None:
        self._rosters: dict[str, Roster] = {}
        self._turns: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

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

    def at_head(self, conn: Connection, niche: LockedNiche) -> Roster:
        """The niche's roster as of its locked head. Needs `hold` and the niche's row lock."""
        roster = self._rosters.get(niche.niche_id)
        if roster is not None and self._catches_up(conn, roster, niche):
            return roster
        # Never loaded, far behind, or with a memory of entries that a fail-over lost: the tables are the truth.
        roster = load_roster(conn, niche)
        self._rosters[niche.niche_id] = roster
        return roster

    def _catches_up(self, conn: Connection, roster: Roster, niche: LockedNiche) -> bool:
        missing = niche.journal_seq - roster.head.seq
        if not 0 <= missing <= most_entries_folded(len(roster)):
            return False
        entries = recent_entries(conn, niche.niche_id, roster.head.seq) if missing else []
        # A fail-over may have lost the roster's newest entry and given its number to another. The next entry names its
        # predecessor; folding it regardless would end in the right head with the wrong subscriptions.
        if entries and entries[0].prev_hash != roster.head.hash:
            return False
        try:
            for entry in entries:
                roster.fold(entry)
        except UnreadableEntry:
            return False  # the journal or the rows were tampered with: `verify` says so
        return roster.head == head_of(niche)

    def drop(self, niche_id: str) -> None:
        """The niche's roster will be read anew. Waits for the thread that holds it, which still needs it."""
        with self.hold(niche_id):
            self._rosters.pop(niche_id, None)


def most_entries_folded(subscriptions: int) -> int:
    """The number of missed entries up to which folding them is cheaper than reading the tables anew.

    To read one subscription takes about as long as to fold one decision with nine recipients (`python -m bench
    rosters`). The niche's lock is held meanwhile, either way.

    >>> most_entries_folded(180)
    230
    """
    return RELOADING_IN_ENTRIES + subscriptions


def head_of(niche: LockedNiche) -> Head:
    """The head that the niche's row says."""
    return Head(niche.journal_seq, niche.journal_head, niche.next_start_order_position, niche.last_served_seq)


def load_roster(conn: Connection, niche: LockedNiche) -> Roster:
    """The roster that the tables describe. They agree with the journal's fold, which `verify` proves.

    Needs the niche's row lock, or a snapshot.
    """
    roster = Roster(niche.niche_id)
    roster.set_niche(niche.is_active, niche.form_schema)
    for level_id, name, price, recipients, position, is_active, is_deleted in conn.execute(
        """
        select id::text, name, price_cents, max_recipients, order_position, is_active, deleted_at is not null
        from competition_levels where niche_id = %s order by id
        """,
        (niche.niche_id,),
    ):
        roster.set_level(Level(level_id, name, price, recipients, position, is_active), is_deleted)
    for provider_id, status in conn.execute(
        """
        select id::text, status from providers
        where id in (select provider_id from subscriptions where niche_id = %s) order by id
        """,
        (niche.niche_id,),
    ):
        roster.set_provider(provider_id, status)
    for *fields, served_seq, is_deleted in conn.execute(
        """
        select id::text, provider_id::text, competition_level_id::text, is_active, deactivation_reason, filter_rules,
               filter_is_valid, served_seq, deleted_at is not null
        from subscriptions where niche_id = %s order by id
        """,
        (niche.niche_id,),
    ):
        subscription = Subscription(*fields)
        if served_seq is not None:
            roster.set_served(subscription.subscription_id, served_seq)
        roster.set_subscription(subscription, is_deleted)
    roster.head = head_of(niche)
    return roster
