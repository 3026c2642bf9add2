"""The weights at weighted levels (R15): of those that could receive a lead now."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from fairlead.store.connection import Connection


@dataclass(frozen=True, slots=True)
class WeightsAtLevel:
    """A weighted level's recipients per lead, and the weights of its subscriptions by their ids."""

    max_recipients: int
    weights: dict[str, int] = field(default_factory=dict[str, int])


def weights_at_levels(conn: Connection, level_ids: Sequence[str]) -> dict[str, WeightsAtLevel]:
    """By id of the level, of those that are weighted: the subscriptions in its queue, whatever their filters say."""
    rows = conn.execute(
        """
        select l.id::text, l.max_recipients, s.id::text, s.weight
        from competition_levels l
        join subscriptions s on s.niche_id = l.niche_id and s.competition_level_id = l.id
        join providers p on p.id = s.provider_id
        where l.id = any(%s::uuid[]) and l.queue_order = 'weighted'
          and s.is_active and s.filter_is_valid and s.deleted_at is null and p.status = 'active'
        """,
        (list(level_ids),),
    )
    found: dict[str, WeightsAtLevel] = {}
    for level_id, max_recipients, subscription_id, weight in rows:
        found.setdefault(level_id, WeightsAtLevel(max_recipients)).weights[subscription_id] = weight
    return found
