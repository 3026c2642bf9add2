"""What providers received, paid, and said of it."""

from dataclasses import dataclass

from fairlead.store.connection import Connection
from fairlead.store.reports.days import Days, within
from fairlead.store.typed_rows import all_rows


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
    return all_rows(
        conn,
        ProviderActivity,
        f"""
        select p.id::text as provider_id, p.name as provider_name, own.received_count, own.spent_cents,
               own.viewed_count, own.accepted_count, own.rejected_count, own.reported_count, own.bad_count,
               own.refunded_count, own.refunded_cents
        from (select a.provider_id, count(*) as received_count, sum(a.price_cents)::bigint as spent_cents,
                     count(a.viewed_at) as viewed_count,
                     count(a.answered_at) filter (where a.rejection_reason is null) as accepted_count,
                     count(a.rejection_reason) as rejected_count, count(a.bad_lead_reported_at) as reported_count,
                     count(*) filter (where a.bad_lead_decision = 'accepted') as bad_count,
                     count(a.refunded_at) as refunded_count,
                     coalesce(sum(a.price_cents) filter (where a.refunded_at is not null), 0)::bigint as refunded_cents
              from assignments a
              where a.id between %(first_id)s and %(last_id)s
                and {within("a.assigned_at")}
                and (%(provider)s::uuid is null or a.provider_id = %(provider)s::uuid)
                and (%(niche)s::text is null or a.niche_id = (select id from niches where slug = %(niche)s))
              group by a.provider_id) own
        join providers p on p.id = own.provider_id order by own.spent_cents desc, p.name, p.id
        """,  # noqa: S608 - constants of our own
        days.parameters(provider=provider_id, niche=niche_slug),
    )
