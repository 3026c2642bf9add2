"""Finding what a verb is about before anything is locked, and what keeps it from being done.

An id's niche, provider and level never change, so they can be read without a lock.
"""

from dataclasses import dataclass

from fairlead.core.canonical import JsonObject
from fairlead.core.model import Level
from fairlead.core.prices import price_rules_text
from fairlead.core.weighted import LevelPass
from fairlead.store.configuration.rows import LevelRow, ProviderRow, unlocked_providers
from fairlead.store.connection import Connection
from fairlead.store.typed_rows import named_rows, one_row, part_of

DECISIONS_PER_LEAD = 3
"""How many decisions per lead a look at the newest leads goes through: unsold ones are decided again."""


@dataclass(frozen=True, slots=True)
class SubscriptionKeys:
    """Where a subscription is, and whose it is: none of it ever changes."""

    subscription_id: str
    niche_id: str
    provider_id: str
    level_id: str


def level_row(conn: Connection, level_id: str) -> LevelRow | None:
    """The level, living or deleted; None when there is none. Its niche never changes; the rest needs its lock."""
    for row in named_rows(
        conn,
        """
        select niche_id::text, deleted_at is not null as is_deleted, id::text as level_id, name, price_cents,
               max_recipients, order_position, is_active, is_exclusive, price_rules, queue_order as order,
               global_pass, global_pass_seq, longest_stride
        from competition_levels where id = %s
        """,
        (level_id,),
    ):
        row["price_rules_text"] = price_rules_text(row.pop("price_rules"))
        return LevelRow(row["niche_id"], part_of(Level, row), row["is_deleted"], part_of(LevelPass, row))
    return None


def subscription_keys(conn: Connection, subscription_id: str, of_provider_id: str | None) -> SubscriptionKeys | None:
    """Where the subscription is; None when there is none, or none of this provider (None: of any)."""
    return one_row(
        conn,
        SubscriptionKeys,
        """
        select id::text as subscription_id, niche_id::text, provider_id::text, competition_level_id::text as level_id
        from subscriptions where id = %s and provider_id = coalesce(%s::uuid, provider_id)
        """,
        (subscription_id, of_provider_id),
    )


def niche_ids_subscribed(conn: Connection, provider_id: str) -> list[str]:
    """The niches that the provider has ever subscribed in, ascending.

    Under the provider's lock none is added: every flow that subscribes holds it too.
    """
    rows = conn.execute(
        "select distinct niche_id::text from subscriptions where provider_id = %s order by 1", (provider_id,)
    ).fetchall()
    return [row[0] for row in rows]


def credit_limit_of(conn: Connection, provider_id: str) -> int:
    """The provider's credit limit in cents, 0 where there is no such provider. Locks nothing."""
    row = conn.execute("select credit_limit_cents from providers where id = %s", (provider_id,)).fetchone()
    return 0 if row is None else row[0]


def is_level_used(conn: Connection, level: LevelRow) -> bool:
    """Whether a provider subscribes to the level, or a lead was ever sold at it. Needs its niche's lock.

    A subscription that was ever served has a `served_seq`, for good; looking there takes no walk through all sales.
    """
    row = conn.execute(
        """
        select exists (select from subscriptions where niche_id = %s and competition_level_id = %s
                       and (deleted_at is null or served_seq is not null))
        """,
        (level.niche_id, level.level.level_id),
    ).fetchone()
    assert row is not None, "exists has an answer"
    return bool(row[0])


def newest_attributes(conn: Connection, niche_id: str, limit: int) -> list[JsonObject]:
    """What the leads said that were decided last in the niche, at most so many. Locks nothing.

    One lead can have several decisions; those of the last `DECISIONS_PER_LEAD` times `limit` are looked through.
    """
    rows = conn.execute(
        """
        select l.attributes
        from (select payload ->> 'lead_id' as lead_id, max(seq) as seq
              from (select payload, seq from niche_journal where niche_id = %s and kind = 'decision'
                    order by seq desc limit %s) decision
              group by 1 order by 2 desc limit %s) recent
        join leads l on l.id = recent.lead_id::uuid
        """,
        (niche_id, DECISIONS_PER_LEAD * limit, limit),
    ).fetchall()
    return [row[0] for row in rows]


def provider_row(conn: Connection, provider_id: str) -> ProviderRow | None:
    """The provider as it is seen without its lock; None when there is none."""
    return unlocked_providers(conn, [provider_id]).get(provider_id)


def uncomposed_filters(conn: Connection) -> list[tuple[str, JsonObject]]:
    """The living subscriptions, by id, whose valid filter holds text that is not composed (NFC). Locks nothing."""
    return conn.execute(
        """
        select id::text, filter_rules from subscriptions
        where deleted_at is null and filter_is_valid and filter_rules::text is not nfc normalized order by id
        """
    ).fetchall()
