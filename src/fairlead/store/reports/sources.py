"""Where leads come from, and what they are worth: sold, given back, reported as bad."""

from dataclasses import dataclass

from fairlead.store.connection import Connection
from fairlead.store.reports.facts import LEADS, SALES, SOLD
from fairlead.store.reports.pieces import Cover
from fairlead.store.reports.totals import totals


@dataclass(frozen=True, slots=True)
class SourceQuality:
    """The leads of a source, "" for none, that came in on some days, and the assignments made on these (cents).

    What became of both is as it is now: a refund counts where its assignment does.
    """

    source: str
    received_count: int
    approved_count: int
    sold_count: int
    rejected_count: int
    bad_lead_count: int
    assignments: int
    assigned_leads: int
    gross_cents: int
    reported_count: int
    found_bad_count: int
    refunded_count: int
    refunded_cents: int

    @property
    def sold_share(self) -> float | None:
        """Sold of those that came in; None when none did."""
        return self.sold_count / self.received_count if self.received_count else None

    @property
    def net_cents(self) -> int:
        """What the assignments brought, less what of it was given back."""
        return self.gross_cents - self.refunded_cents

    @property
    def refund_rate(self) -> float | None:
        """Assignments that were refunded; None when none was made."""
        return self.refunded_count / self.assignments if self.assignments else None

    @property
    def report_rate(self) -> float | None:
        """Assignments that were reported as bad; None when none was made."""
        return self.reported_count / self.assignments if self.assignments else None

    @property
    def recipients_per_lead(self) -> float | None:
        """Providers that a lead which was sold went to; None when none was."""
        return self.assignments / self.assigned_leads if self.assigned_leads else None


def source_quality(conn: Connection, covered: Cover) -> list[SourceQuality]:
    """Every source with a lead or an assignment in the days, what brought the most first."""
    leads = {source: counts for (source,), counts in totals(conn, covered, LEADS, ("keys[1]",)).items()}
    sales = {source: counts for (source,), counts in totals(conn, covered, SALES, ("keys[2]",)).items()}
    sold = {source: counts for (source,), counts in totals(conn, covered, SOLD, ("keys[1]",)).items()}
    found: list[SourceQuality] = []
    for source in {*leads, *sales}:
        received, approved, distributed, _, _, rejected, bad = leads.get(source, [0] * LEADS.width)
        made, gross, _, _, _, reported, found_bad, refunded, cents = sales.get(source, [0] * SALES.width)
        [assigned] = sold.get(source, [0])
        found.append(
            SourceQuality(
                source, received, approved, distributed, rejected, bad,
                made, assigned, gross, reported, found_bad, refunded, cents,
            )
        )  # fmt: skip
    return sorted(found, key=lambda each: (-each.net_cents, -each.received_count, each.source))
