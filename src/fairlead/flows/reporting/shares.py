"""Who received less than the others of a level, and what is known of why."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from fairlead.core.model import INSUFFICIENT_FUNDS
from fairlead.flows.reporting.reports import AskedDays, days_asked, known_niche, note_zone
from fairlead.store.connection import Connection, Database
from fairlead.store.reports.days import Days
from fairlead.store.reports.pieces import cover
from fairlead.store.reports.shares import ReceivedShare, subscription_shares

FAR_BELOW_RATIO = 0.8
"""Who received less than this of an equal share is told of, with what is known of why."""

Why = Literal["provider_not_active", "out_of_money", "paused", "refused_for_money", "filter", "new", "its_turn_comes"]


@dataclass(frozen=True, slots=True)
class LevelShares:
    """A level: what each of its subscriptions received, beside an equal share of what all of them did.

    Compared are those that are active now or received anything. An equal share is what each would have if all were
    there all the time, had the money and wanted every lead; who asks for less (by a filter, a pause, an empty balance)
    gets less. `jain_index` is 1 where all received as much, and one n-th where one of n received everything; None
    without assignments. `longest_in_turn` is the longest wait that the rotation itself can make: each of the others
    once.
    """

    level_id: str
    level_name: str
    assignments: int
    compared: int
    equal_share: float
    jain_index: float | None
    longest_wait: int
    longest_in_turn: int
    subscriptions: tuple[ReceivedShare, ...]

    def is_compared(self, share: ReceivedShare) -> bool:
        """Whether the subscription counts in the comparison."""
        return share.is_active or share.received > 0

    def ratio(self, share: ReceivedShare) -> float | None:
        """What the subscription received, by an equal share; None where nothing was to be had."""
        return share.received / self.equal_share if self.equal_share else None

    def reasons(self, share: ReceivedShare, days: Days) -> tuple[Why, ...]:
        """What is known of why it received much less than an equal share; () where it did not."""
        ratio = self.ratio(share)
        if ratio is None or ratio >= FAR_BELOW_RATIO or not self.is_compared(share):
            return ()
        known: list[tuple[Why, bool]] = [
            ("provider_not_active", share.provider_status != "active"),
            ("out_of_money", share.deactivation_reason == INSUFFICIENT_FUNDS),
            ("paused", not share.is_active and share.deactivation_reason != INSUFFICIENT_FUNDS),
            ("refused_for_money", share.refused_for_money > 0),
            ("filter", share.filter_rules > 0),
            ("new", share.created_at.date() >= days.day_from),
        ]
        return tuple(why for why, holds in known if holds) or ("its_turn_comes",)


@dataclass(frozen=True, slots=True)
class SharesReport:
    """A niche's living levels, in order, in a span of days."""

    days: Days
    levels: tuple[LevelShares, ...]


def shares_report(database: Database, niche_slug: str, asked: AskedDays) -> SharesReport:
    """What each subscription of the niche received. Raises `BadInput`, and `Refused`: `niche_unknown`."""

    def work(conn: Connection) -> SharesReport:
        days = days_asked(conn, asked)
        rows = subscription_shares(conn, cover(conn, days, known_niche(conn, niche_slug)))
        return SharesReport(days, tuple(_level(list(own)) for _, own in groupby(rows, key=lambda each: each.level_id)))

    note_zone(database, asked.timezone)
    return database.read(work)


def jain_index(counts: Sequence[float]) -> float | None:
    """Jain's index of these; None where all of them are 0, or there are none.

    >>> jain_index([5, 5, 5]), jain_index([6, 0, 0]), jain_index([0])
    (1.0, 0.3333333333333333, None)
    """
    squares = sum(each * each for each in counts)
    return sum(counts) ** 2 / (len(counts) * squares) if squares else None


def _level(rows: Sequence[ReceivedShare]) -> LevelShares:
    compared = [each for each in rows if each.is_active or each.received]
    received = sum(each.received for each in compared)
    return LevelShares(
        level_id=rows[0].level_id,
        level_name=rows[0].level_name,
        assignments=rows[0].level_assignments,
        compared=len(compared),
        equal_share=received / len(compared) if compared else 0.0,
        jain_index=jain_index([each.received for each in compared]),
        longest_wait=max((each.longest_wait for each in compared), default=0),
        longest_in_turn=max(0, len(compared) - 1),
        subscriptions=tuple(rows),
    )
