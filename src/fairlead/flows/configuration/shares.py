"""What part of a weighted level's leads each subscription may expect (R15)."""

from collections.abc import Mapping, Sequence

from fairlead.core.weighted import shares
from fairlead.store.configuration.rows import SubscriptionRow
from fairlead.store.connection import Database
from fairlead.store.distribution.weights import weights_at_levels


def shares_of(database: Database, rows: Sequence[SubscriptionRow]) -> Mapping[str, float]:
    """By subscription, of these alone: its share, where its level is weighted and it could receive a lead now.

    The database is the marketplace's: a provider's own does not show the weights of others, of which nothing is said.
    """
    level_ids = sorted({row.subscription.level_id for row in rows})
    if not level_ids:
        return {}
    found: dict[str, float] = {}
    for level in database.read(lambda conn: weights_at_levels(conn, level_ids)).values():
        found |= shares(level.weights, level.max_recipients)
    own_ids = [row.subscription.subscription_id for row in rows]
    return {own_id: found[own_id] for own_id in own_ids if own_id in found}
