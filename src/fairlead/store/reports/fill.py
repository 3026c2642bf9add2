"""How many of the slots that levels offered were filled, and who stood in the way of the rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import LiteralString

from fairlead.store.connection import Connection
from fairlead.store.reports.days import Days, within


@dataclass(frozen=True, slots=True)
class LevelFill:
    """A level in a span of days.

    `reasons` counts, over all decisions that left a slot of it open, the subscriptions that were refused, by why.
    """

    level_id: str
    level_name: str
    decisions: int
    offered_slots: int
    filled_slots: int
    reasons: Mapping[str, int]

    @property
    def fill_rate(self) -> float | None:
        """Filled of the slots that were offered; None when none was."""
        return self.filled_slots / self.offered_slots if self.offered_slots else None


_LEVELS_OF_DECISIONS: LiteralString = f"""
    (select level ->> 'level_id' as level_id, (level ->> 'max_recipients')::bigint as offered,
            jsonb_array_length(level -> 'recipients') as filled, level
     from niche_journal j cross join lateral jsonb_array_elements(j.payload -> 'levels') as level
     where j.niche_id = (select id from niches where slug = %(niche)s) and j.kind = 'decision'
       and {within("j.recorded_at")}) decided"""  # noqa: S608 - constants of our own


def level_fill(conn: Connection, niche_slug: str, days: Days) -> list[LevelFill]:
    """The niche's levels that were decided on in the span, in order. Reads its decisions twice, and what each says."""
    reasons = _reasons(conn, niche_slug, days)
    rows = conn.execute(
        f"""
        select l.id::text, l.name, slots.decisions, slots.offered, slots.filled
        from (select level_id, count(*) as decisions, sum(offered)::bigint as offered, sum(filled)::bigint as filled
              from {_LEVELS_OF_DECISIONS} group by level_id) slots
        join competition_levels l on l.id = slots.level_id::uuid order by l.order_position, l.id
        """,  # noqa: S608 - constants of our own
        days.parameters(niche=niche_slug),
    ).fetchall()
    return [
        LevelFill(level_id, name, decisions, offered, filled, reasons.get(level_id, {}))
        for level_id, name, decisions, offered, filled in rows
    ]


def _reasons(conn: Connection, niche_slug: str, days: Days) -> Mapping[str, Mapping[str, int]]:
    """By level and reason, how many were refused by decisions that left one of its slots open."""
    rows = conn.execute(
        f"""
        select level_id, refused.reason, sum(refused.count)::bigint
        from {_LEVELS_OF_DECISIONS}
        cross join lateral (
            select one ->> 'reason' as reason, 1 as count from jsonb_array_elements(level -> 'refused') as one
            union all
            select key, value::bigint from jsonb_each_text(level -> 'counts')) refused
        where filled < offered group by level_id, refused.reason order by refused.reason
        """,  # noqa: S608 - constants of our own
        days.parameters(niche=niche_slug),
    ).fetchall()
    reasons: dict[str, dict[str, int]] = {}
    for level_id, reason, count in rows:
        reasons.setdefault(level_id, {})[reason] = count
    return reasons
