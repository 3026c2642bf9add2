"""What an operator watches: levels, providers and their balances, the newest decisions, the shares and waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows


@dataclass(frozen=True, slots=True)
class LevelSales:
    """A living level and what it sold. `price_cents` is today's; `revenue_cents` is what was paid, at any price."""

    niche_slug: str
    level_name: str
    price_cents: int
    max_recipients: int
    active_subscriptions: int
    assignments: int
    revenue_cents: int
    starts: int


@dataclass(frozen=True, slots=True)
class ProviderMoney:
    """A provider, what it has left and what it bought."""

    name: str
    balance_cents: int
    assignments: int
    spent_cents: int
    active_subscriptions: int
    subscriptions: int


@dataclass(frozen=True, slots=True)
class RecentDecision:
    """A decision in one line."""

    decided_at: datetime
    niche_slug: str
    lead_id: str
    outcome: str
    start_level: str | None
    recipients: Sequence[str]


@dataclass(frozen=True, slots=True)
class RecentLevelFairness:
    """How evenly a level served those of its subscriptions that received anything.

    `longest_wait` is the longest run of the level's assignments that a subscription saw go to others between two of
    its own.
    """

    niche_slug: str
    level_name: str
    served: int
    fewest: int
    most: int
    longest_wait: int


def level_sales(conn: Connection, niche_slugs: Sequence[str]) -> list[LevelSales]:
    """The niches' living levels, in order."""
    return all_rows(
        conn,
        LevelSales,
        """
        select n.slug as niche_slug, l.name as level_name, l.price_cents, l.max_recipients,
               (select count(*) from subscriptions s
                where s.competition_level_id = l.id and s.is_active and s.deleted_at is null) as active_subscriptions,
               sold.count as assignments, sold.cents as revenue_cents,
               (select count(*) from niche_journal j
                where j.niche_id = n.id and j.kind = 'decision'
                  and j.payload -> 'start_order_position' = to_jsonb(l.order_position)) as starts
        from competition_levels l join niches n on n.id = l.niche_id
        cross join lateral (select count(*) as count, coalesce(sum(a.price_cents), 0)::bigint as cents
                            from assignments a where a.competition_level_id = l.id) sold
        where n.slug = any(%s) and l.deleted_at is null order by n.slug desc, l.order_position
        """,
        (list(niche_slugs),),
    )


def provider_money(conn: Connection, niche_slugs: Sequence[str]) -> list[ProviderMoney]:
    """The providers that ever subscribed in these niches, by name."""
    rows = conn.execute(
        """
        select p.name, p.balance_cents, coalesce(bought.count, 0), coalesce(bought.cents, 0), own.active, own.count
        from providers p
        join (select provider_id, count(*) as count, count(*) filter (where s.is_active) as active
              from subscriptions s join niches n on n.id = s.niche_id
              where n.slug = any(%s) and s.deleted_at is null group by provider_id) own on own.provider_id = p.id
        left join (select provider_id, count(*) as count, sum(price_cents) as cents from assignments
                   group by provider_id) bought on bought.provider_id = p.id
        order by p.name
        """,
        (list(niche_slugs),),
    ).fetchall()
    return [ProviderMoney(row[0], row[1], row[2], int(row[3]), row[4], row[5]) for row in rows]


def recent_decisions(conn: Connection, niche_slugs: Sequence[str], limit: int) -> list[RecentDecision]:
    """The newest decisions, newest first, with the recipients' names in the order of the picks."""
    return all_rows(
        conn,
        RecentDecision,
        """
        select j.recorded_at as decided_at, n.slug as niche_slug, j.payload ->> 'lead_id' as lead_id,
               j.payload ->> 'outcome' as outcome,
               (select l.name from competition_levels l
                where l.id = (j.payload -> 'levels' -> 0 ->> 'level_id')::uuid) as start_level,
               array(select p.name from assignments a join providers p on p.id = a.provider_id
                     where a.niche_id = j.niche_id and a.journal_seq = j.seq order by a.served_seq) as recipients
        from niche_journal j join niches n on n.id = j.niche_id
        where j.kind = 'decision' and n.slug = any(%s) order by j.recorded_at desc, j.seq desc limit %s
        """,
        (list(niche_slugs), limit),
    )


def level_fairness(conn: Connection, niche_slugs: Sequence[str]) -> list[RecentLevelFairness]:
    """How evenly each level served, in order."""
    return all_rows(
        conn,
        RecentLevelFairness,
        """
        with turns as (
            select a.competition_level_id, a.subscription_id,
                   row_number() over (partition by a.competition_level_id order by a.served_seq) as turn
            from assignments a join niches n on n.id = a.niche_id where n.slug = any(%s)
        ), waits as (
            select *, turn - 1 - lag(turn) over (partition by subscription_id order by turn) as wait from turns
        ), served as (
            select competition_level_id, subscription_id, count(*) as times, coalesce(max(wait), 0) as longest
            from waits group by competition_level_id, subscription_id
        )
        select n.slug as niche_slug, l.name as level_name, count(*) as served, min(times) as fewest, max(times) as most,
               max(longest) as longest_wait
        from served join competition_levels l on l.id = competition_level_id join niches n on n.id = l.niche_id
        group by n.slug, l.name, l.order_position order by n.slug desc, l.order_position
        """,
        (list(niche_slugs),),
    )
