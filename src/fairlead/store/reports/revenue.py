"""Revenue: what was sold and what was given back, by day, niche and level."""

from dataclasses import dataclass
from datetime import date

from fairlead.store.connection import Connection
from fairlead.store.reports.days import Days, day_of, within
from fairlead.store.typed_rows import all_rows


@dataclass(frozen=True, slots=True)
class RevenueDay:
    """A level on a day (cents). A refund counts on the day on which it was given, not on that of its sale."""

    day: date
    niche: str
    level_id: str
    level_name: str
    sold_count: int
    gross_cents: int
    refunded_count: int
    refunded_cents: int

    @property
    def net_cents(self) -> int:
        """What was sold that day less what was given back that day."""
        return self.gross_cents - self.refunded_cents


def revenue(conn: Connection, days: Days, niche_slug: str | None = None) -> list[RevenueDay]:
    """Every level and day with a sale or a refund, by day, niche and the level's position. None: all niches."""
    return all_rows(
        conn,
        RevenueDay,
        f"""
        with moved as (
            select competition_level_id, {day_of("assigned_at")} as day,
                   count(*) as sold, sum(price_cents) as gross, 0::bigint as refunded, 0::numeric as given_back
            from assignments
            where id between %(first_id)s and %(last_id)s and {within("assigned_at")}
            group by 1, 2
            union all
            select competition_level_id, {day_of("refunded_at")}, 0, 0, count(*), sum(price_cents)
            from assignments where {within("refunded_at")} group by 1, 2
        )
        select m.day, n.slug as niche, l.id::text as level_id, l.name as level_name, sum(m.sold)::bigint as sold_count,
               sum(m.gross)::bigint as gross_cents, sum(m.refunded)::bigint as refunded_count,
               sum(m.given_back)::bigint as refunded_cents
        from moved m join competition_levels l on l.id = m.competition_level_id join niches n on n.id = l.niche_id
        where n.slug = coalesce(%(niche)s, n.slug)
        group by m.day, n.slug, l.id order by m.day, n.slug, l.order_position, l.id
        """,  # noqa: S608 - constants of our own
        days.parameters(niche=niche_slug),
    )
