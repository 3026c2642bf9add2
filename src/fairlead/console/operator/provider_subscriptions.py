"""A provider's subscriptions with what each received and why it was passed over, and the levels that it could join."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fairlead.console.refusal_texts import summary_text
from fairlead.flows.configuration.reading import SeenSubscription, subscriptions_of
from fairlead.flows.configuration.shares import shares_of
from fairlead.flows.reporting.provider_activity import OneProviderActivity
from fairlead.store.configuration.pages import ListedNiche, every_niche
from fairlead.store.configuration.rows import LevelRow, level_rows
from fairlead.store.connection import Connection, Database
from fairlead.store.reports.one_provider import SubscriptionActivity


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a candidate was passed over, in words, and how often."""

    text: str
    count: int


@dataclass(frozen=True, slots=True)
class LevelOfNiche:
    """A level, and the niche that it is of."""

    niche: ListedNiche
    row: LevelRow


@dataclass(frozen=True, slots=True)
class SubscriptionLine:
    """A subscription as a row. `status` is one of `console.statuses`; `received` None: nothing in these days.

    `share` is the part of the level's leads that it may expect; None where the level is not weighted, or it has none.
    """

    seen: SeenSubscription
    level: LevelOfNiche | None
    status: str
    received: SubscriptionActivity | None
    passed_over: tuple[Reason, ...]
    share: float | None

    @property
    def is_active(self) -> bool:
        """Whether it can receive leads."""
        return self.status == "active"


def subscription_lines(database: Database, provider_id: str, activity: OneProviderActivity) -> list[SubscriptionLine]:
    """The provider's living subscriptions, by niche and the level's position."""
    seen = subscriptions_of(database, provider_id)
    levels = {each.row.level.level_id: each for each in _levels(database)}
    shares = shares_of(database, [each.row for each in seen])
    lines = [_line(each, levels, activity, shares) for each in seen]
    return sorted(lines, key=_place)


def levels_to_join(database: Database, lines: Sequence[SubscriptionLine]) -> list[LevelOfNiche]:
    """The living levels that none of the subscriptions is to, by niche and position."""
    taken = {each.seen.row.subscription.level_id for each in lines}
    return [each for each in _levels(database) if each.row.level.level_id not in taken]


def _levels(database: Database) -> list[LevelOfNiche]:
    def work(conn: Connection) -> list[LevelOfNiche]:
        niches = {each.niche_id: each for each in every_niche(conn)}
        rows = level_rows(conn, list(niches))
        found = [LevelOfNiche(niches[row.niche_id], row) for row in rows]
        return sorted(found, key=lambda each: (each.niche.name, each.niche.slug, each.row.level.order_position))

    return database.read(work)


def _line(
    seen: SeenSubscription,
    levels: dict[str, LevelOfNiche],
    activity: OneProviderActivity,
    shares: Mapping[str, float],
) -> SubscriptionLine:
    subscription = seen.row.subscription
    own_id = subscription.subscription_id
    reasons = [each for each in activity.passed_over if each.subscription_id == own_id]
    return SubscriptionLine(
        seen,
        levels.get(subscription.level_id),
        _status(seen),
        activity.by_subscription.get(own_id),
        tuple(Reason(summary_text(each.reason), each.count) for each in reasons),
        shares.get(own_id),
    )


def _status(seen: SeenSubscription) -> str:
    subscription = seen.row.subscription
    if subscription.deactivation_reason is not None:
        return subscription.deactivation_reason
    return "active" if subscription.filter_is_valid else "filter_invalid"


def _place(line: SubscriptionLine) -> tuple[str, int]:
    if line.level is None:
        return "", 0
    return line.level.niche.name, line.level.row.level.order_position
