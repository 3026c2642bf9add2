"""What a marketplace file makes of the days that niches keep personal data: the pure difference."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from fairlead.core.retention import RetentionPolicy
from fairlead.flows.changes import Change, difference
from fairlead.flows.declaring.tables import NicheTable
from fairlead.store.audit.log import Actor, AuditEvent


@dataclass(slots=True)
class RetentionPlan:
    """The policies that change: niche id, old, new."""

    policies: list[tuple[str, RetentionPolicy, RetentionPolicy]] = field(
        default_factory=list[tuple[str, RetentionPolicy, RetentionPolicy]]
    )
    changes: list[Change] = field(default_factory=list[Change])
    problems: list[str] = field(default_factory=list[str])

    def events(self, actor: Actor) -> list[AuditEvent]:
        """One event for each policy, as the API's change of it has."""
        return [
            AuditEvent(actor, "niche.retention_changed", "niche", niche_id, asdict(before), asdict(after))
            for niche_id, before, after in self.policies
        ]


def plan_retention(
    tables: Sequence[NicheTable], ids_by_slug: Mapping[str, str], before: Mapping[str, RetentionPolicy]
) -> RetentionPlan:
    """The plan that gives each niche the days that its table says; a table that says nothing of it changes nothing."""
    plan = RetentionPlan()
    for table in tables:
        niche_id = ids_by_slug.get(table.slug)
        if table.retention is None or niche_id is None:
            continue
        old, new = before.get(niche_id, RetentionPolicy()), RetentionPolicy(**table.retention.model_dump())
        change = difference("retention", table.slug, asdict(old), asdict(new))
        if change is not None:
            plan.policies.append((niche_id, old, new))
            plan.changes.append(change)
    return plan
