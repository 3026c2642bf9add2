"""Niches, providers and subscriptions as operators list them, page by page in the order in which they came to be.

Ids are UUIDv7: they grow with time, and the index that every table has on them is the order.
"""

from dataclasses import dataclass, field
from datetime import datetime

from fairlead.core.entry.mailbox import mailbox_key
from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows

NICHES_READ = 200


@dataclass(frozen=True, slots=True)
class ListedNiche:
    """A niche in a list; `level_count` counts the living levels."""

    niche_id: str
    slug: str
    name: str
    is_active: bool
    is_archived: bool
    auto_distribute: bool
    level_count: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ListedProvider:
    """A provider in a list (amounts in cents)."""

    provider_id: str
    name: str = field(repr=False)
    email: str = field(repr=False)
    status: str
    timezone: str
    balance_cents: int
    credit_limit_cents: int
    low_balance_threshold_cents: int | None
    low_balance_days: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ListedSubscription:
    """A subscription in a list, with the names of what it connects."""

    subscription_id: str
    provider_id: str
    provider_name: str = field(repr=False)
    niche_id: str
    niche_slug: str
    level_id: str
    level_name: str
    is_active: bool
    deactivation_reason: str | None
    filter_is_valid: bool
    is_ended: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ProviderSearch:
    """Which providers are wanted; None: all. `text` is how a name or an email address begins.

    `out_of_money`: with a living subscription that is off since its level costs more than they can pay, or without any.
    """

    status: str | None = None
    text: str | None = None
    out_of_money: bool | None = None


@dataclass(frozen=True, slots=True)
class SubscriptionSearch:
    """Which subscriptions are wanted; None: all."""

    provider_id: str | None = None
    niche_id: str | None = None
    level_id: str | None = None
    with_ended: bool = False


def niches_page(
    conn: Connection, after_id: str | None, limit: int, *, is_archived: bool | None = None
) -> list[ListedNiche]:
    """The next niches after that one, the oldest first; all of them, or only those that are archived or are not."""
    return all_rows(
        conn,
        ListedNiche,
        """
        select n.id::text as niche_id, n.slug, n.name, n.is_active, n.is_archived, n.auto_distribute,
               (select count(*) from competition_levels l where l.niche_id = n.id and l.deleted_at is null)
                   as level_count,
               n.created_at
        from niches n
        where (%(after)s::uuid is null or n.id > %(after)s::uuid)
          and (%(archived)s::boolean is null or n.is_archived = %(archived)s)
        order by n.id limit %(limit)s
        """,
        {"after": after_id, "limit": limit, "archived": is_archived},
    )


def every_niche(conn: Connection) -> list[ListedNiche]:
    """All niches, the oldest first."""
    found: list[ListedNiche] = []
    while page := niches_page(conn, found[-1].niche_id if found else None, NICHES_READ):
        found += page
    return found


def providers_page(conn: Connection, wanted: ProviderSearch, before_id: str | None, limit: int) -> list[ListedProvider]:
    """The next providers before that one, the newest first. Capital and small letters of the text are the same.

    A whole address finds its mailbox, however it is written.
    """
    text = wanted.text
    key = None if text is None or "@" not in text else mailbox_key(text)
    return all_rows(
        conn,
        ListedProvider,
        """
        select id::text as provider_id, name, email, status, timezone, balance_cents, credit_limit_cents,
               low_balance_threshold_cents, low_balance_days, created_at
        from providers
        where (%(before)s::uuid is null or id < %(before)s::uuid)
          and (%(status)s::text is null or status = %(status)s)
          and (%(text)s::text is null or starts_with(lower(name), lower(%(text)s))
               or starts_with(lower(email), lower(%(text)s)) or email_key = %(key)s)
          and (%(unpaid)s::boolean is null or %(unpaid)s = (id in (
                select provider_id from subscriptions
                where deactivation_reason = 'insufficient_funds' and deleted_at is null)))
        order by id desc limit %(limit)s
        """,
        {
            "before": before_id,
            "status": wanted.status,
            "text": text,
            "key": key,
            "unpaid": wanted.out_of_money,
            "limit": limit,
        },
    )


def subscriptions_page(
    conn: Connection, wanted: SubscriptionSearch, before_id: str | None, limit: int
) -> list[ListedSubscription]:
    """The next subscriptions before that one, the newest first."""
    return all_rows(
        conn,
        ListedSubscription,
        """
        select s.id::text as subscription_id, s.provider_id::text, p.name as provider_name, s.niche_id::text,
               n.slug as niche_slug, s.competition_level_id::text as level_id, l.name as level_name,
               s.is_active and s.deleted_at is null as is_active, s.deactivation_reason, s.filter_is_valid,
               s.deleted_at is not null as is_ended, s.created_at
        from subscriptions s join providers p on p.id = s.provider_id join niches n on n.id = s.niche_id
        join competition_levels l on l.id = s.competition_level_id
        where (%(before)s::uuid is null or s.id < %(before)s::uuid)
          and (%(provider)s::uuid is null or s.provider_id = %(provider)s::uuid)
          and (%(niche)s::uuid is null or s.niche_id = %(niche)s::uuid)
          and (%(level)s::uuid is null or s.competition_level_id = %(level)s::uuid)
          and (%(with_ended)s or s.deleted_at is null)
        order by s.id desc limit %(limit)s
        """,
        {
            "before": before_id,
            "provider": wanted.provider_id,
            "niche": wanted.niche_id,
            "level": wanted.level_id,
            "with_ended": wanted.with_ended,
            "limit": limit,
        },
    )
