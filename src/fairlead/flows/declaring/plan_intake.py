"""What a marketplace file makes of the leads that niches take in from outside: the pure difference."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from fairlead.core.canonical import JsonObject
from fairlead.core.document import composed_texts
from fairlead.core.errors import BadInput
from fairlead.core.form import FormSchema
from fairlead.flows.changes import Change, difference
from fairlead.flows.declaring.tables import IntakeTable, NicheTable
from fairlead.flows.intake.policy import checked_policy, intake_event
from fairlead.store.audit.log import Actor, AuditEvent
from fairlead.store.leads.intake import IntakePolicy


@dataclass(slots=True)
class IntakePlan:
    """The policies that change: niche id, old, new."""

    policies: list[tuple[str, IntakePolicy, IntakePolicy]] = field(
        default_factory=list[tuple[str, IntakePolicy, IntakePolicy]]
    )
    changes: list[Change] = field(default_factory=list[Change])
    problems: list[str] = field(default_factory=list[str])

    def events(self, actor: Actor) -> list[AuditEvent]:
        """One event for each policy, as the API's change of it has."""
        return [intake_event(niche_id, before, after, actor) for niche_id, before, after in self.policies]


def plan_intake(
    tables: Sequence[NicheTable],
    ids_by_slug: Mapping[str, str],
    before: Mapping[str, IntakePolicy],
    forms: Mapping[str, FormSchema],
) -> IntakePlan:
    """The plan that has each niche let in what its table says; of what a table says nothing, nothing changes.

    `before` and `forms`, by niche id, are what there is and the forms as they will be.
    """
    plan = IntakePlan()
    for number, table in enumerate(tables):
        niche_id = ids_by_slug.get(table.slug)
        if table.intake is None or niche_id is None:
            continue
        old = before.get(niche_id, IntakePolicy())
        try:
            new = checked_policy(_wanted(old, table.intake), old, forms.get(niche_id))
        except BadInput as refused:
            plan.problems += [f"niche[{number}].intake.{problem}" for problem in refused.problems]
            continue
        change = difference("intake", table.slug, intake_table(old), intake_table(new))
        if change is not None:
            plan.policies.append((niche_id, old, new))
            plan.changes.append(change)
    return plan


def _wanted(old: IntakePolicy, table: IntakeTable) -> IntakePolicy:
    rule = old.duplicate_rule
    if table.duplicate_rule is not None:
        # TOML has no word for nothing: without a number of days, for ever.
        given = {"duplicate_window_days": None, **table.duplicate_rule}
        rule = cast(JsonObject, composed_texts(given)) if table.duplicate_rule else None
    is_public = old.is_public if table.public is None else table.public
    approves = old.approves if table.approves is None else table.approves
    return replace(old, is_public=is_public, approves=approves, duplicate_rule=rule)


def intake_table(policy: IntakePolicy) -> JsonObject:
    """The policy in the words of the file."""
    return {"public": policy.is_public, "approves": policy.approves, "duplicate_rule": policy.duplicate_rule}
