"""What a marketplace file makes of the billing details of providers: the pure difference."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from fairlead.flows.changes import Change, difference
from fairlead.flows.configuration.billing_details import NAMES, details_event
from fairlead.flows.declaring.tables import BillingTable, ProviderTable
from fairlead.store.audit.log import Actor, AuditEvent
from fairlead.store.configuration.rows import ProviderRow
from fairlead.store.money.billing_details import BillingDetails

_REQUIRED = ("legal_name", "address", "country")


@dataclass(slots=True)
class BillingPlan:
    """The details that change, before (None: there are none) and after."""

    details: list[tuple[BillingDetails | None, BillingDetails]] = field(
        default_factory=list[tuple[BillingDetails | None, BillingDetails]]
    )
    changes: list[Change] = field(default_factory=list[Change])
    problems: list[str] = field(default_factory=list[str])

    def events(self, actor: Actor) -> list[AuditEvent]:
        """One event for each provider, which says what of them changed, and not to what."""
        return [details_event(before, after, actor, None) for before, after in self.details]


def plan_billing(
    tables: Sequence[ProviderTable], declared: Sequence[ProviderRow], before: Mapping[str, BillingDetails]
) -> BillingPlan:
    """The plan that gives each provider the details of its table; of what a table says nothing, nothing changes.

    `declared` are the providers of the tables, `before` the details that there are, by provider id.
    """
    plan = BillingPlan()
    for number, (table, provider) in enumerate(zip(tables, declared, strict=True)):
        if table.billing is not None:
            _plan_details(
                plan, f"provider[{number}].billing", table.billing, provider, before.get(provider.provider_id)
            )
    return plan


def _plan_details(
    plan: BillingPlan, path: str, table: BillingTable, provider: ProviderRow, before: BillingDetails | None
) -> None:
    said = {name: value for name, value in table.model_dump().items() if value is not None}
    values = (details_document(before) or dict[str, str | None]()) | said
    missing = [name for name in _REQUIRED if name not in values]
    if missing:
        nothing = f"and {provider.email} has no billing details yet"
        plan.problems += [f"{path}.{name}: is missing, {nothing}" for name in missing]
        return
    # An empty text takes away what was set.
    taken: dict[str, Any] = {name: value or None for name, value in values.items()}
    after = BillingDetails(provider.provider_id, **taken)
    change = difference("billing_details", provider.email, details_document(before), details_document(after))
    if change is not None:
        plan.details.append((before, after))
        plan.changes.append(change)


def details_document(row: BillingDetails | None) -> dict[str, str | None] | None:
    """The details in the words of the file; None where there are none."""
    return None if row is None else {name: value for name, value in asdict(row).items() if name in NAMES}
