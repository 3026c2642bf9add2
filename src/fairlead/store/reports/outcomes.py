"""How decisions ended: by niche, and to how many providers each sold its lead."""

from dataclasses import dataclass

from fairlead.core.decision import Outcome
from fairlead.store.connection import Connection
from fairlead.store.reports.decision_facts import DECISIONS
from fairlead.store.reports.facts import SOLD
from fairlead.store.reports.names import niche_slugs
from fairlead.store.reports.pieces import Cover
from fairlead.store.reports.totals import totals


@dataclass(frozen=True, slots=True)
class NicheOutcomes:
    """The decisions of a niche in some days, by how they ended. A lead that is offered again is decided again."""

    niche: str
    decisions: int
    success_count: int
    partial_count: int
    no_eligible_count: int

    @property
    def success_rate(self) -> float | None:
        """Decisions that sold their lead, of all; None without any."""
        return (self.success_count + self.partial_count) / self.decisions if self.decisions else None


@dataclass(frozen=True, slots=True)
class RecipientCount:
    """So many decisions sold their lead to so many providers; to none where no provider was eligible."""

    recipients: int
    decisions: int


def niche_outcomes(conn: Connection, covered: Cover) -> list[NicheOutcomes]:
    """Every niche with a decision in the days, by slug."""
    slugs = niche_slugs(conn)
    found: dict[str, dict[str, int]] = {}
    for (niche_id, outcome), (count,) in totals(conn, covered, DECISIONS, ("niche_id", "keys[1]")).items():
        found.setdefault(slugs[niche_id], {})[outcome] = count
    return [
        NicheOutcomes(
            niche,
            sum(counts.values()),
            counts.get(Outcome.SUCCESS, 0),
            counts.get(Outcome.PARTIAL, 0),
            counts.get(Outcome.NO_ELIGIBLE, 0),
        )
        for niche, counts in sorted(found.items())
    ]


def recipient_counts(conn: Connection, covered: Cover) -> list[RecipientCount]:
    """From none to the most that there were, also those that no decision had; [] without a decision."""
    sold = {int(count): leads for (count,), (leads,) in totals(conn, covered, SOLD, ("keys[2]",)).items()}
    unsold = totals(conn, covered, DECISIONS, ("keys[1]",)).get((Outcome.NO_ELIGIBLE.value,), [0])[0]
    if not sold and not unsold:
        return []
    return [RecipientCount(count, sold.get(count, 0) if count else unsold) for count in range(max(sold, default=0) + 1)]
