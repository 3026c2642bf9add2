"""How many living subscriptions providers have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fairlead.store.connection import Connection
from fairlead.store.typed_rows import all_rows


@dataclass(frozen=True, slots=True)
class SubscriptionCounts:
    """A provider's living subscriptions: those that can receive leads, and those that it cannot pay for."""

    provider_id: str
    living: int = 0
    active: int = 0
    insufficient_funds: int = 0


def subscription_counts(conn: Connection, provider_ids: Sequence[str]) -> Mapping[str, SubscriptionCounts]:
    """By provider, also those without any."""
    found = all_rows(
        conn,
        SubscriptionCounts,
        """
        select provider_id::text, count(*) as living, count(*) filter (where is_active) as active,
               count(*) filter (where deactivation_reason = 'insufficient_funds') as insufficient_funds
        from subscriptions where provider_id = any(%s::uuid[]) and deleted_at is null group by provider_id
        """,
        (list(provider_ids),),
    )
    by_provider = {each.provider_id: each for each in found}
    return {each: by_provider.get(each, SubscriptionCounts(each)) for each in provider_ids}
