"""What providers received, paid, and said of it."""

from dataclasses import dataclass

from fairlead.store.connection import Connection
from fairlead.store.reports.facts import PROVIDERS
from fairlead.store.reports.names import reported_providers
from fairlead.store.reports.pieces import Cover
from fairlead.store.reports.totals import totals


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


def provider_activity(conn: Connection, covered: Cover) -> list[ProviderActivity]:
    """The providers that received anything, who spent the most first."""
    found = totals(conn, covered, PROVIDERS, ("keys[1]",))
    names = reported_providers(conn, covered, [provider_id for (provider_id,) in found])
    rows = [ProviderActivity(each, names[each], *counts) for (each,), counts in found.items()]
    return sorted(rows, key=lambda each: (-each.spent_cents, each.provider_name, each.provider_id))
