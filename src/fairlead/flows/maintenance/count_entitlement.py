"""Counting from the journals what each subscription could have had, by day and month, as decisions come in."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from fairlead.core.entitlement import EntitlementCounter, EntitlementPiece, added_up
from fairlead.core.journal import Entry, JournalEntryKind
from fairlead.core.replay import UNREADABLE
from fairlead.core.roster import Roster
from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.flows.maintenance.roll_up import MOST_ZONES, zones_of_reports
from fairlead.store.connection import Connection, Database
from fairlead.store.distribution.snapshots import state_before
from fairlead.store.history import PastEntry, niches_of, past_entries
from fairlead.store.reports.entitlement import (
    EntitlementProgress,
    SpanOfDays,
    add_to_piece,
    entitlement_progress,
    keep_progress,
    month_of,
)
from fairlead.store.time_zones import local_date, time_zone_names
from fairlead.telemetry.logs import get_logger

log = get_logger(__name__)

ENTRIES_AT_ONCE = 2_000
"""Entries that are counted in one transaction."""
ENTRIES_OF_A_RUN = 40_000
"""Of one niche, so that other tasks have their turn; the next run goes on."""


def count_entitlement(maintenance: Maintenance) -> Mapping[str, int]:
    """The decisions since the last run are counted in the zones of reports. Returns how many."""
    return {"decisions": count_decisions(maintenance.database)}


def count_decisions(database: Database, most_entries: int = ENTRIES_OF_A_RUN) -> int:
    """Up to so many entries of each niche are counted, in transactions of their own; returns how many were decisions.

    Takes no lock: entries do not change once they are committed. Where two count at once, one of them does nothing.
    """
    zones = [each for each in database.read(zones_of_reports) if each in time_zone_names()][:MOST_ZONES]
    count = 0
    for niche_id in database.read(lambda conn: [niche.niche_id for niche in niches_of(conn, None)]):
        try:
            count += _count_niche(database, niche_id, zones, most_entries)
        except UNREADABLE:  # tampered with: `verify` says so, and the other niches are not concerned
            log.warning("entitlement not counted: the journal cannot be followed", niche_id=niche_id)
    return count


@dataclass(frozen=True, slots=True)
class CountedSpan:
    """What decisions in a row came to, which lie on these days: one for each zone, None where they count in no zone."""

    days: tuple[date | None, ...]
    piece: EntitlementPiece


class DaysCounter:
    """Counts the decisions of a journal, from one day of a zone to the next: in each up to its entry of `up_to`."""

    def __init__(self, zones: Sequence[str], up_to: Sequence[int]) -> None:
        self._infos = tuple(zip(map(ZoneInfo, zones), up_to, strict=True))
        self._last = max(up_to, default=0)
        self._counter = EntitlementCounter()
        self._days: tuple[date | None, ...] | None = None

    def step(self, past: PastEntry, roster: Roster) -> CountedSpan | None:
        """The next entry counts, which the roster stands right before. Returns what came before it, if a day is over.

        Raises `UNREADABLE`.
        """
        entry = past.entry
        if entry.seq > self._last:
            return self.end()
        if entry.kind is not JournalEntryKind.DECISION:
            self._counter.forget_roster()
            return None
        days = tuple(local_date(entry.recorded_at, zone) if entry.seq <= up_to else None for zone, up_to in self._infos)
        over = self.end() if days != self._days else None
        self._days = days
        self._counter.count(roster, entry.payload, None if past.is_erased else past.attributes)
        return over

    def end(self) -> CountedSpan | None:
        """What was counted since the last one that was returned; None for nothing."""
        if self._days is None:
            return None
        over, self._days = CountedSpan(self._days, self._counter.take()), None
        return over


def _counted(past: Iterable[PastEntry], roster: Roster, counter: DaysCounter) -> Iterator[CountedSpan]:
    """The entries, which follow upon where the roster stands, are counted and folded."""
    for each in past:
        if (over := counter.step(each, roster)) is not None:
            yield over
        roster.fold(each.entry)
    if (over := counter.end()) is not None:
        yield over


def spans_of(day: date) -> tuple[SpanOfDays, SpanOfDays]:
    """The day itself, and its month: what a piece counts in."""
    return (day, day + timedelta(days=1)), month_of(day)


def _count_niche(database: Database, niche_id: str, zones: Sequence[str], most_entries: int) -> int:
    """Zones that are equally far are counted as one."""
    progress = database.read(lambda conn: entitlement_progress(conn, niche_id))
    by_seq: dict[int, list[str]] = {}
    for zone in zones:
        by_seq.setdefault(progress[zone].up_to_seq if zone in progress else 0, []).append(zone)
    return sum(_count_from(database, niche_id, own, seq, most_entries) for seq, own in by_seq.items())


def _count_from(database: Database, niche_id: str, zones: Sequence[str], seq: int, most_entries: int) -> int:
    roster: Roster | None = None
    count, end = 0, seq + most_entries
    while seq < end:
        past = database.read(lambda conn, seq=seq: _entries(conn, niche_id, seq))
        if not past:
            break
        if roster is None:
            roster = database.read(lambda conn, seq=seq: state_before(conn, niche_id, seq + 1).roster())
        counter = DaysCounter(zones, [past[-1].entry.seq] * len(zones))
        spans = list(_counted(past, roster, counter))
        keep = partial(_keep, niche_id=niche_id, zones=zones, seq=seq, last=past[-1].entry, spans=spans)
        if not database.run(keep):
            break
        count += sum(each.piece.decisions for each in spans)
        seq = past[-1].entry.seq
    return count


def _entries(conn: Connection, niche_id: str, seq: int) -> list[PastEntry]:
    return list(past_entries(conn, niche_id, from_seq=seq + 1, up_to_seq=seq + ENTRIES_AT_ONCE))


def _keep(
    conn: Connection,
    niche_id: str,
    zones: Sequence[str],
    seq: int,
    last: Entry,
    spans: Sequence[CountedSpan],
) -> bool:
    for number, zone in enumerate(zones):
        if not keep_progress(conn, EntitlementProgress(niche_id, zone, last.seq, last.recorded_at), seq):
            return False  # the first zone of all says so: those that are equally far were counted together
        own: dict[SpanOfDays, list[EntitlementPiece]] = {}
        for each in spans:
            day = each.days[number]
            assert day is not None, "all of them count"
            for span in spans_of(day):
                own.setdefault(span, []).append(each.piece)
        for span, pieces in own.items():
            add_to_piece(conn, niche_id, zone, span, added_up(pieces))
    return True
