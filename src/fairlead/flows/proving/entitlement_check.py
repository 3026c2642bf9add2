"""Proving what is counted of entitlement: each piece is what its niche's journal gives when it is counted again."""

from fairlead.core.entitlement import EntitlementPiece, added_up
from fairlead.core.replay import UNREADABLE
from fairlead.core.roster import Roster
from fairlead.flows.maintenance.count_entitlement import CountedSpan, DaysCounter, spans_of
from fairlead.store.connection import Connection
from fairlead.store.history import PastEntry
from fairlead.store.reports.entitlement import SpanOfDays, entitlement_progress, kept_piece, kept_spans
from fairlead.store.time_zones import time_zone_names

LATE_DAYS = 2
"""A clock that is set back by less than this leaves no decision of a day that was compared already."""


class EntitlementCheck:
    """A count of one niche's journal beside its replay, compared with each piece that is kept."""

    def __init__(self, conn: Connection, niche_id: str) -> None:
        self.checked = 0
        self.differences: list[str] = []
        self._conn, self._niche_id = conn, niche_id
        progress = entitlement_progress(conn, niche_id)
        self._zones = sorted(zone for zone in progress if zone in time_zone_names())
        self._counter = DaysCounter(self._zones, [progress[zone].up_to_seq for zone in self._zones])
        self._open: dict[tuple[str, SpanOfDays], list[EntitlementPiece]] = {}
        self._is_lost = False

    def step(self, past: PastEntry, roster: Roster) -> None:
        """The entry, which is the next, is counted; the roster stands right before it. Never raises."""
        if not self._zones or self._is_lost:
            return
        try:
            over = self._counter.step(past, roster)
        except UNREADABLE:  # the replay says so
            self._is_lost = True
            return
        if over is not None:
            self._add(over)

    def end(self) -> None:
        """The journal ends here: what was not compared yet is, and what is left belongs to no decision."""
        if self._is_lost:
            return
        if (over := self._counter.end()) is not None:
            self._add(over)
        for zone, span in [*self._open]:
            self._compare(zone, span)
        if (kept := kept_spans(self._conn, self._niche_id)) != self.checked:
            self.differences.append(f"{kept} days and months are kept, the journal has {self.checked}")

    def _add(self, over: CountedSpan) -> None:
        for zone, day in zip(self._zones, over.days, strict=True):
            if day is None:
                continue
            for span in spans_of(day):
                self._open.setdefault((zone, span), []).append(over.piece)
            for other, span in [*self._open]:
                if other == zone and (day - span[1]).days >= LATE_DAYS:
                    self._compare(zone, span)

    def _compare(self, zone: str, span: SpanOfDays) -> None:
        self.checked += 1
        again = added_up(self._open.pop((zone, span)))
        try:
            kept = kept_piece(self._conn, self._niche_id, zone, span)
        except (ValueError, LookupError, TypeError):
            self.differences.append(f"what is kept of {span[0]} ({zone}) cannot be read")
            return
        if kept is not None and again.uncounted > kept.uncounted:
            return  # answers that were there when it was counted are gone since
        if kept is None or kept.packed() != again.packed():
            self.differences.append(f"from {span[0]} to before {span[1]} ({zone}): the journal gives another count")
