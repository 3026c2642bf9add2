"""Subscriptions that another price of their level leaves out: it now asks more than they pay at most (R14)."""

from collections.abc import Iterable, Sequence

from fairlead.core.model import Level
from fairlead.core.prices import leaves_out, lowest_price_cents
from fairlead.store.configuration.rows import LevelRow, SubscriptionRow, subscription_rows
from fairlead.store.connection import Connection
from fairlead.store.notifications.outbox import Notification


def left_out_of(rows: Iterable[SubscriptionRow], before: Level, after: Level) -> list[SubscriptionRow]:
    """Of these subscriptions of the level, those living ones that its change leaves out, in the order given.

    Also those that are paused or out of money: they would come back to no lead.
    """
    lowest = lowest_price_cents(before), lowest_price_cents(after)
    return [row for row in rows if not row.is_deleted and leaves_out(*lowest, row.subscription.max_price_cents)]


def left_out_at(conn: Connection, before: LevelRow, after: LevelRow) -> list[SubscriptionRow]:
    """The level's living subscriptions that its change leaves out, by id. Final only under the niche's lock."""
    if lowest_price_cents(after.level) <= lowest_price_cents(before.level):
        return []
    return left_out_of(subscription_rows(conn, [], [], [after]), before.level, after.level)


def told_of_left_out(rows: Sequence[SubscriptionRow], after: Level) -> list[Notification]:
    """What their providers are told: what the level asks at the least now, and what they pay at most."""
    return [
        Notification(
            "price_limit_passed",
            provider_id=row.subscription.provider_id,
            subscription_id=row.subscription.subscription_id,
            detail={
                "lowest_price_cents": lowest_price_cents(after),
                "max_price_cents": row.subscription.max_price_cents,
            },
        )
        for row in rows
    ]
