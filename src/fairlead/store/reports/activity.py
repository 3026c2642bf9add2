"""What providers received, paid, and said of it."""

from dataclasses import dataclass

from fairlead.store.connection import Connection
from fairlead.store.reports.days import Days, within


@dataclass(frozen=True, slots=True)
class ProviderActivity:
    """A provider's assignments of a span of days (cents), and what has become of these until now."""

    provider_id: str
    provider_name: str
    received_count: int
    spent_cents: int
    viewed_count: int
    accepted_count: int
    rejected_count: int
    reported_count: int
    bad_count: int
    refunded_count: int
    refunded_cents: int

    @property
    def acceptance_rate(self) -> float | None:
        """Accepted of those that were answered; None when none was."""
        answered_count = self.accepted_count + self.rejected_count
        return self.accepted_count / answered_count if answered_count else None

    @property
    def bad_lead_rate(self) -> float | None:
        """Reported with success of those that were received; None when none was."""
        return self.bad_count / self.received_count if self.received_count else None


def provider_activity(
    conn: Connection, days: Days, *, provider_id: str | None = None, niche_slug: str | None = None
) -> list[ProviderActivity]:
    """The providers that received anything, who spent the most first. None: all providers, all niches."""
    rows = conn.execute(
        f"""
        select p.id::text, p.name, own.*
        from (select a.provider_id, count(*), sum(a.price_cents)::bigint as spent, count(a.viewed_at),
                     count(a.answered_at) filter (where a.rejection_reason is null), count(a.rejection_reason),
                     count(a.bad_lead_reported_at), count(*) filter (where a.bad_lead_decision = 'accepted'),
                     count(a.refunded_at),
                     coalesce(sum(a.price_cents) filter (where a.refunded_at is not null), 0)::bigint
              from assignments a
              where a.id between %(first_id)s and %(last_id)s
                and {within("a.assigned_at")}
                and (%(provider)s::uuid is null or a.provider_id = %(provider)s::uuid)
                and (%(niche)s::text is null or a.niche_id = (select id from niches where slug = %(niche)s))
              group by a.provider_id) own
        join providers p on p.id = own.provider_id order by own.spent desc, p.name, p.id
        """,  # noqa: S608 - constants of our own
        days.parameters(provider=provider_id, niche=niche_slug),
    ).fetchall()
    # The third column is the provider's id again.
    return [ProviderActivity(*row[:2], *row[3:]) for row in rows]
