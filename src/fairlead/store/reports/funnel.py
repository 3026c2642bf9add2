"""The way of the leads: how many came in on a day, and what has become of them until now."""

from dataclasses import dataclass
from datetime import date

from fairlead.store.connection import Connection
from fairlead.store.reports.days import Days, day_of, within
from fairlead.store.typed_rows import all_rows


@dataclass(frozen=True, slots=True)
class FunnelDay:
    """A niche's leads that came in on a day, and how many of these were ever approved, distributed and so on.

    Partial: sold, while a slot stayed open that an eligible provider could not take. No eligible: approved and not sold
    at the last try. Bad ones may have been sold before, and then count there too.
    """

    day: date
    niche: str
    received_count: int
    approved_count: int
    distributed_count: int
    partial_count: int
    no_eligible_count: int
    rejected_count: int
    bad_count: int


def lead_funnel(conn: Connection, days: Days, niche_slug: str | None = None) -> list[FunnelDay]:
    """Every niche and day on which leads came in, by day and niche. None: all niches."""
    return all_rows(
        conn,
        FunnelDay,
        f"""
        select {day_of("l.created_at")} as day, n.slug as niche, count(*) as received_count,
               count(l.approved_at) as approved_count,
               count(l.distributed_at) as distributed_count,
               count(*) filter (where l.distributed_at is not null and l.last_outcome = 'partial') as partial_count,
               count(*) filter (where l.status = 'approved' and l.last_outcome = 'no_eligible') as no_eligible_count,
               count(*) filter (where l.status = 'rejected') as rejected_count,
               count(*) filter (where l.status = 'bad') as bad_count
        from leads l join niches n on n.id = l.niche_id
        where {within("l.created_at")} and n.slug = coalesce(%(niche)s, n.slug)
        group by 1, n.slug order by 1, n.slug
        """,  # noqa: S608 - constants of our own
        days.parameters(niche=niche_slug),
    )
