"""Roster snapshots: how a niche stood at an entry of its journal, so that no fold has to begin at entry 1.

They are derived from the journal and from nothing else. Whatever reads one checks that it is whole and belongs to the
journal's own entry; one that is not is passed over, and the journal is folded from an earlier one, or from its start.
"""

import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from fairlead.core.roster_state import RosterState
from fairlead.store.connection import Connection
from fairlead.store.journal import entries_after
from fairlead.store.typed_rows import one_row
from fairlead.telemetry.logs import get_logger

log = get_logger(__name__)

FEWEST_ENTRIES_BETWEEN = 250
SUBSCRIPTIONS_PER_ENTRY = 32
PAGE_ENTRIES = 500


def entries_between(subscriptions: int) -> int:
    """After how many entries the next snapshot is due in a niche of so many living subscriptions.

    Few, so that a fold from the newest snapshot is short; the more, the larger a snapshot is, so that all of them
    together cost the journal the same share of its size however large the niche is.

    >>> entries_between(300), entries_between(10_000)
    (250, 312)
    """
    return max(FEWEST_ENTRIES_BETWEEN, subscriptions // SUBSCRIPTIONS_PER_ENTRY)


class SnapshotDamaged(ValueError):
    """A snapshot that is not whole, or not of the journal's entry; the text says why."""


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """A row of the table, and the hash that the journal's entry at its `seq` has; None when there is no such entry."""

    niche_id: str
    seq: int
    journal_hash: bytes
    digest: bytes
    state: bytes
    entry_hash: bytes | None

    def roster_state(self) -> RosterState:
        """The state that it holds. Raises `SnapshotDamaged`, as far as the row itself and the journal's entry tell."""
        if self.entry_hash is None:
            raise SnapshotDamaged("the journal has no entry there")
        if self.journal_hash != self.entry_hash:
            raise SnapshotDamaged("it names another hash than the journal's entry has")
        if hashlib.sha256(self.state).digest() != self.digest:
            raise SnapshotDamaged("its digest is not that of its content")
        try:
            state = RosterState.from_document(json.loads(zlib.decompress(self.state)))
        except (zlib.error, ValueError, LookupError, TypeError, AttributeError) as error:
            raise SnapshotDamaged(f"it cannot be read: {type(error).__name__}") from error
        if (state.niche_id, state.head.seq, state.head.hash) != (self.niche_id, self.seq, self.journal_hash):
            raise SnapshotDamaged("its content is that of another entry")
        return state


def write_snapshot(conn: Connection, state: RosterState) -> bool:
    """The state is the snapshot at its `seq`; returns whether it was not before. Idempotent, and needs no lock.

    What was there and is not the same is replaced: it was damaged, or of another format.
    """
    text = json.dumps(state.document(), sort_keys=True, separators=(",", ":"))
    packed = zlib.compress(text.encode())
    written = conn.execute(
        """
        insert into roster_snapshots (niche_id, seq, journal_hash, digest, state) values (%s, %s, %s, %s, %s)
        on conflict (niche_id, seq) do update
        set journal_hash = excluded.journal_hash, digest = excluded.digest, state = excluded.state
        where (roster_snapshots.journal_hash, roster_snapshots.digest, roster_snapshots.state)
              is distinct from (excluded.journal_hash, excluded.digest, excluded.state)
        """,
        (state.niche_id, state.head.seq, state.head.hash, hashlib.sha256(packed).digest(), packed),
    )
    return written.rowcount == 1


def newest_state(conn: Connection, niche_id: str, before_seq: int | None = None) -> RosterState:
    """The state that the newest sound snapshot (before `before_seq`) holds; without one, that before entry 1.

    One that is damaged is passed over with a warning.
    """
    while True:
        stored = one_row(
            conn,
            StoredSnapshot,
            """
            select s.niche_id::text, s.seq, s.journal_hash, s.digest, s.state, j.hash as entry_hash
            from roster_snapshots s left join niche_journal j on j.niche_id = s.niche_id and j.seq = s.seq
            where s.niche_id = %s and s.seq < coalesce(%s, s.seq + 1) order by s.seq desc limit 1
            """,
            (niche_id, before_seq),
        )
        if stored is None:
            return RosterState(niche_id)
        try:
            return stored.roster_state()
        except SnapshotDamaged as damage:
            log.warning("roster snapshot passed over", niche_id=niche_id, seq=stored.seq, reason=str(damage))
        before_seq = stored.seq


def state_before(conn: Connection, niche_id: str, seq: int) -> RosterState:
    """How the niche stood right before the entry: the newest snapshot before it, and the entries since."""
    state = newest_state(conn, niche_id, seq)
    while state.head.seq < seq - 1:
        entries = entries_after(conn, niche_id, state.head.seq, min(seq - 1, state.head.seq + PAGE_ENTRIES))
        if not entries:
            break
        for entry in entries:
            state.fold(entry)
    return state


def stored_snapshots(conn: Connection, niche_id: str) -> Iterator[StoredSnapshot]:
    """Every snapshot of the niche, by `seq`, one at a time."""
    last_seq = -(2**63)  # also a row whose number was tampered with is read
    while stored := one_row(
        conn,
        StoredSnapshot,
        """
        select s.niche_id::text, s.seq, s.journal_hash, s.digest, s.state, j.hash as entry_hash
        from roster_snapshots s left join niche_journal j on j.niche_id = s.niche_id and j.seq = s.seq
        where s.niche_id = %s and s.seq > %s order by s.seq limit 1
        """,
        (niche_id, last_seq),
    ):
        yield stored
        last_seq = stored.seq
