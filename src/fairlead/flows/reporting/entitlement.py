"""What each subscription of a niche received beside what it could have had, its longest wait, and what kept it out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fairlead.core.entitlement import (
    ELIGIBLE,
    ENTITLED,
    MILLIONTHS,
    NO_COUNTS,
    REASONS,
    RECEIVED,
    TAIL,
    EntitlementPiece,
    LevelSlots,
    added_up,
    longest_wait,
    wait_bound,
)
from fairlead.core.refusals import LevelFull
from fairlead.flows.maintenance.roll_up import zones_of_reports
from fairlead.flows.reporting.period_report import days_before
from fairlead.flows.reporting.reports import AskedDays, days_asked, known_niche, note_zone
from fairlead.flows.reporting.shares import jain_index
from fairlead.store.connection import Connection, Database
from fairlead.store.reports.days import Days
from fairlead.store.reports.entitlement import (
    EntitledSubscription,
    decisions_since,
    entitled_subscriptions,
    entitlement_pieces,
    entitlement_progress,
)

MOST_WAITING_TOLD = 1_000
"""More decisions than these that are not counted yet are told as this many."""


@dataclass(frozen=True, slots=True)
class SubscriptionEntitlement:
    """A subscription over some days: slots that it received, and those that it was entitled to.

    It was eligible for `eligible` leads; `longest_wait` and `current_wait` are counted in those. `kept_out` counts the
    other decisions of its level by the reason, the most frequent first.
    """

    subscription: EntitledSubscription
    decisions: int
    received: int
    entitled: float
    eligible: int
    longest_wait: int
    current_wait: int
    kept_out: Mapping[str, int]

    @property
    def ratio(self) -> float | None:
        """Received by entitled; None where it was entitled to nothing."""
        return self.received / self.entitled if self.entitled else None

    @property
    def starves(self) -> bool:
        """Whether its level decided on leads, and it received none of them."""
        return self.received == 0 and self.decisions > 0

    @property
    def cause(self) -> str | None:
        """What kept it out most often; None where it was eligible for all of the leads, or there were none."""
        return next(iter(self.kept_out), None)


@dataclass(frozen=True, slots=True)
class LevelEntitlement:
    """A level over some days. `took_part` subscriptions were there at one of its decisions at least.

    `wait_bound` is the longest wait that the order allows; None where a decision went by weights. `jain_index` is of
    what each received by what it was entitled to: 1 where that is the same for all, one n-th where one of n received
    all; None where no slot was filled.
    """

    level_id: str
    level_name: str
    slots: LevelSlots
    took_part: int
    longest_wait: int
    wait_bound: int | None
    jain_index: float | None
    subscriptions: tuple[SubscriptionEntitlement, ...]

    @property
    def starving(self) -> tuple[SubscriptionEntitlement, ...]:
        """Those that received nothing."""
        return tuple(each for each in self.subscriptions if each.starves)


@dataclass(frozen=True, slots=True)
class EntitlementReport:
    """A niche's levels that decided in these days, in order.

    It tells of the decisions that were counted: up to entry `counted_to_seq`, recorded at `counted_to`, while `waiting`
    newer ones are counted within minutes. Of `decisions` in these days `uncounted` could not be counted, since their
    leads' answers are gone. `earlier` are the levels in as many days before. In a zone that is not counted (yet) `days`
    are those of one that is.
    """

    days: Days
    levels: tuple[LevelEntitlement, ...]
    decisions: int
    uncounted: int
    counted_to_seq: int
    counted_to: datetime | None
    waiting: int
    earlier: tuple[LevelEntitlement, ...]

    def earlier_of(self, level: LevelEntitlement) -> LevelEntitlement | None:
        """The same level in the days before; None where it decided nothing then."""
        return next((each for each in self.earlier if each.level_id == level.level_id), None)


def entitlement_report(database: Database, niche_slug: str, asked: AskedDays) -> EntitlementReport:
    """What the niche's subscriptions could have had. Raises `BadInput`, and `Refused`: `niche_unknown`."""

    def work(conn: Connection) -> EntitlementReport:
        days, niche_id = days_asked(conn, asked), known_niche(conn, niche_slug)
        by_zone = entitlement_progress(conn, niche_id)
        if by_zone and days.timezone not in by_zone:
            counted = [zone for zone in zones_of_reports(conn) if zone in by_zone]
            days = replace(days, timezone=counted[0] if counted else days.timezone)
        progress = by_zone.get(days.timezone)
        seq = 0 if progress is None else progress.up_to_seq
        whole = added_up(entitlement_pieces(conn, niche_id, days))
        before = added_up(entitlement_pieces(conn, niche_id, days_before(days)))
        subscriptions = entitled_subscriptions(conn, niche_id)
        return EntitlementReport(
            days,
            tuple(_levels(whole, subscriptions)),
            whole.decisions,
            whole.uncounted,
            seq,
            None if progress is None else progress.up_to,
            decisions_since(conn, niche_id, seq, MOST_WAITING_TOLD),
            tuple(_levels(before, subscriptions)),
        )

    note_zone(database, asked.timezone)
    return database.read(work)


def _levels(whole: EntitlementPiece, subscriptions: Sequence[EntitledSubscription]) -> list[LevelEntitlement]:
    rows = whole.rows()
    by_level: dict[str, list[SubscriptionEntitlement]] = {}
    for each in subscriptions:
        if each.level_id in whole.levels and (each.is_living or each.subscription_id in rows):
            row = rows.get(each.subscription_id, NO_COUNTS)
            by_level.setdefault(each.level_id, []).append(_subscription(each, row))
    return [_level(level_id, whole.levels[level_id], own) for level_id, own in by_level.items()]


def _subscription(subscription: EntitledSubscription, row: Sequence[int]) -> SubscriptionEntitlement:
    counts = dict(zip(REASONS, row[-len(REASONS) :], strict=True))
    missed = counts.pop(LevelFull.reason)
    kept_out = {reason: count for reason, count in sorted(counts.items(), key=lambda each: -each[1]) if count}
    return SubscriptionEntitlement(
        subscription,
        decisions=row[RECEIVED] + missed + sum(kept_out.values()),
        received=row[RECEIVED],
        entitled=row[ENTITLED] / MILLIONTHS,
        eligible=row[ELIGIBLE],
        longest_wait=longest_wait(row),
        current_wait=row[TAIL],
        kept_out=kept_out,
    )


def _level(level_id: str, slots: LevelSlots, own: Sequence[SubscriptionEntitlement]) -> LevelEntitlement:
    took_part = sum(each.decisions > 0 for each in own)
    ordered = sorted(own, key=lambda each: (each.ratio is None, each.ratio or 0.0, -each.entitled))
    return LevelEntitlement(
        level_id,
        own[0].subscription.level_name,
        slots,
        took_part,
        max((each.longest_wait for each in own), default=0),
        None if slots.weighted else wait_bound(took_part, slots.least_slots),
        jain_index([each.ratio for each in own if each.ratio is not None]),
        tuple(ordered),
    )
