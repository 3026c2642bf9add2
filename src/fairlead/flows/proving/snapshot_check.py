"""Proving roster snapshots (invariant 14): what each holds is what the journal's fold gives there."""

from fairlead.core.journal import Entry
from fairlead.core.replay import UNREADABLE
from fairlead.core.roster_state import RosterState
from fairlead.store.connection import Connection
from fairlead.store.distribution.snapshots import SnapshotDamaged, StoredSnapshot, stored_snapshots


class SnapshotCheck:
    """A fold of one niche's journal beside its replay, that stops at each snapshot to compare.

    It folds from entry 1 and reads no snapshot to do so: nothing that it proves is taken from what it proves.
    """

    def __init__(self, conn: Connection, niche_id: str) -> None:
        self.checked = 0
        self.differences: list[str] = []
        self._folded = RosterState(niche_id)
        self._stored = stored_snapshots(conn, niche_id)
        self._next = next(self._stored, None)

    def step(self, entry: Entry) -> None:
        """The entry, which is the next, is folded, and the snapshots up to it are compared. Never raises."""
        if self._next is None:
            return
        try:
            self._folded.fold(entry)
        except UNREADABLE:  # the replay says so; no later snapshot can be compared with anything
            self._next = None
        while self._next is not None and self._next.seq <= entry.seq:
            self._compare(self._next)

    def end(self) -> None:
        """The journal ends here: what is left belongs to no entry."""
        while self._next is not None:
            self._compare(self._next)

    def _compare(self, stored: StoredSnapshot) -> None:
        self.checked += 1
        try:
            is_same = stored.roster_state().document() == self._folded.document()
            difference = None if is_same else "it holds another state than the journal's fold gives"
        except SnapshotDamaged as damage:
            difference = str(damage)
        except UNREADABLE as error:
            difference = f"it cannot be compared: {type(error).__name__}"
        if difference is not None:
            self.differences.append(f"roster snapshot at entry {stored.seq}: {difference}")
        self._next = next(self._stored, None)
