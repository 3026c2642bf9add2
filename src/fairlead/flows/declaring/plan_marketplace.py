"""What a marketplace file makes of the marketplace's own row, but for its currency: the pure difference."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fairlead.flows.changes import Change, difference
from fairlead.flows.configuration.deposit_bounds import bounds_problem
from fairlead.flows.configuration.marketplace import marketplace_event
from fairlead.flows.declaring.tables import MarketplaceTable, PapersTable
from fairlead.store.audit.log import Actor, AuditEvent
from fairlead.store.configuration.marketplace import MarketplaceRow

_OWN: Mapping[str, tuple[str, ...]] = {
    "settings": ("name", "timezone"),
    "deposits": ("min_deposit_cents", "max_deposit_cents"),
}
"""The keys of `[marketplace]` that are of the row, by what a change of them is called."""

_PAPERS = tuple(PapersTable.model_fields)


@dataclass(slots=True)
class MarketplacePlan:
    """The row before, and as it will be."""

    before: MarketplaceRow
    after: MarketplaceRow
    changes: list[Change] = field(default_factory=list[Change])
    problems: list[str] = field(default_factory=list[str])

    def events(self, actor: Actor) -> list[AuditEvent]:
        """One event where it changes, as the API's change of it has."""
        return [marketplace_event(self.before, self.after, actor)] if self.changes else []


def plan_marketplace(table: MarketplaceTable, before: MarketplaceRow) -> MarketplacePlan:
    """The plan that makes the row what the file says; of what it says nothing, nothing changes."""
    papers = table.papers or PapersTable()
    said = {name: getattr(table, name) for names in _OWN.values() for name in names}
    said |= {name: getattr(papers, name) for name in _PAPERS}
    # An empty text takes away what was set.
    wanted = {name: None if value == "" else value for name, value in said.items() if value is not None}
    plan = MarketplacePlan(before, replace(before, **wanted))
    if problem := bounds_problem(plan.after):
        plan.problems.append(f"marketplace.{problem}")
    for what, names in {**_OWN, "papers": _PAPERS}.items():
        old, new = ({name: getattr(row, name) for name in names} for row in (before, plan.after))
        if change := difference("marketplace", what, old, new):
            plan.changes.append(change)
    return plan


def papers_table(row: MarketplaceRow) -> Mapping[str, object] | None:
    """What papers say of the marketplace, in the words of the file; None where that is nothing."""
    said = {name: getattr(row, name) for name in _PAPERS}
    return said if any(value is not None for value in said.values()) else None
