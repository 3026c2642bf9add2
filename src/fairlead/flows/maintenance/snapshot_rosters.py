"""Writing the roster snapshots that are due, from the journal alone."""

from collections import Counter
from collections.abc import Sequence

from fairlead.core.replay import UNREADABLE
from fairlead.core.roster_state import RosterState
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.store.connection import Connection, Database
from fairlead.store.distribution.snapshots import (
    PAGE_ENTRIES,
    entries_between,
    newest_state,
    write_snapshot,
)
from fairlead.store.history import niches_of
from fairlead.store.journal import entries_after, read_niche
from fairlead.telemetry.logs import get_logger

log = get_logger(__name__)

MOST_ENTRIES = 20_000
"""So many entries of a niche are folded in one run: a long journal without snapshots gets them over several."""


def snapshot_rosters(maintenance: Maintenance) -> Counter[str]:
    """Every niche whose journal went on for long enough has its next snapshots; returns how many were written.

    Takes no lock that anything else waits for: entries do not change once they are committed, and each snapshot is a
    row of its own. Idempotent: two processes write the same, and the first one's stays. A newest one that is damaged is
    passed over, and written anew where it stood. Raises `Unavailable`.
    """
    counts: Counter[str] = Counter()
    for niche_id in maintenance.database.read(_niche_ids):
        try:
            counts["written"] += snapshot_niche(maintenance.database, niche_id)
        except UNREADABLE:  # tampered with: `verify` says so, and the other niches' journals are not concerned
            log.warning("roster snapshot not written: the journal cannot be followed", niche_id=niche_id)
    return counts


def snapshot_niche(database: Database, niche_id: str, most_entries: int = MOST_ENTRIES) -> int:
    """The niche's snapshots that are due within so many entries are there; returns how many were written.

    Where none can be due yet, no entry is read.
    """
    state, entry_count = database.read(lambda conn: (newest_state(conn, niche_id), _entry_count(conn, niche_id)))
    written_at, written = state.head.seq, 0
    if entry_count - written_at < entries_between(len(state)):
        return 0
    end = state.head.seq + most_entries
    while state.head.seq < end:
        seq = state.head.seq
        entries = database.read(lambda conn, seq=seq: entries_after(conn, niche_id, seq, min(end, seq + PAGE_ENTRIES)))
        if not entries:
            break
        for entry in entries:
            state.fold(entry)
            if state.head.seq - written_at >= entries_between(len(state)):
                written += _write(database, state)
                written_at = state.head.seq
    return written


def _write(database: Database, state: RosterState) -> bool:
    return database.run(lambda conn: write_snapshot(conn, state))


def _entry_count(conn: Connection, niche_id: str) -> int:
    niche = read_niche(conn, niche_id)
    return 0 if niche is None else niche.journal_seq


def _niche_ids(conn: Connection) -> Sequence[str]:
    return [niche.niche_id for niche in niches_of(conn, None)]
