"""What one provider received, by subscription and by day, and why it was passed over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from fairlead.store.connection import Connection
from fairlead.store.reports.days import Days, day_of, within
from fairlead.store.typed_rows import all_rows

DECISIONS_READ = 1_000
"""Of each niche, the newest: enough to see why a provider is passed over, whatever the niche's past."""


@dataclass(frozen=True, slots=True)
class SubscriptionActivity:
    """What a subscription received in a span of days (cents)."""

    subscription_id: str
    received_count: int
    spent_cents: int
    refunded_cents: int
    last_received_at: datetime


@dataclass(frozen=True, slots=True)
class SpendOfDay:
    """What a provider received on a day (cents), whatever was given back later."""

    day: date
    received_count: int
    spent_cents: int


@dataclass(frozen=True, slots=True)
class PassedOver:
    """How often a subscription was a candidate and was passed over, for one reason."""

    subscription_id: str
    reason: str
    count: int


def activity_by_subscription(conn: Connection, days: Days, provider_id: str) -> list[SubscriptionActivity]:
    """The provider's subscriptions that received anything in the span."""
    return all_rows(
        conn,
        SubscriptionActivity,
        f"""
        select subscription_id::text, count(*) as received_count, sum(price_cents)::bigint as spent_cents,
               coalesce(sum(price_cents) filter (where refunded_at is not null), 0)::bigint as refunded_cents,
               max(assigned_at) as last_received_at
        from assignments
        where provider_id = %(provider)s and id between %(first_id)s and %(last_id)s and {within("assigned_at")}
        group by subscription_id order by subscription_id
        """,  # noqa: S608 - constants of our own
        days.parameters(provider=provider_id),
    )


def spend_by_day(conn: Connection, days: Days, provider_id: str) -> list[SpendOfDay]:
    """The days of the span on which the provider received anything, in order."""
    return all_rows(
        conn,
        SpendOfDay,
        f"""
        select {day_of("assigned_at")} as day, count(*) as received_count, sum(price_cents)::bigint as spent_cents
        from assignments
        where provider_id = %(provider)s and id between %(first_id)s and %(last_id)s and {within("assigned_at")}
        group by 1 order by 1
        """,  # noqa: S608 - constants of our own
        days.parameters(provider=provider_id),
    )


def passed_over(conn: Connection, provider_id: str, niche_ids: Sequence[str]) -> list[PassedOver]:
    """Why the provider was passed over, where a decision names it, in the niches' last `DECISIONS_READ` decisions.

    A decision names the candidates that it asked and did not choose. Those whom it only counts (a filter that does not
    match, a pause) are not in here.
    """
    found: list[PassedOver] = []
    for niche_id in niche_ids:
        found += all_rows(
            conn,
            PassedOver,
            """
            select refused ->> 'subscription_id' as subscription_id, refused ->> 'reason' as reason, count(*) as count
            from (select payload from niche_journal where niche_id = %(niche)s and kind = 'decision'
                  order by seq desc limit %(limit)s) decided
            cross join lateral jsonb_array_elements(decided.payload -> 'levels') as level
            cross join lateral jsonb_array_elements(level -> 'refused') as refused
            where refused ->> 'provider_id' = %(provider)s
            group by 1, 2 order by 3 desc, 1, 2
            """,
            {"niche": niche_id, "limit": DECISIONS_READ, "provider": provider_id},
        )
    return found
