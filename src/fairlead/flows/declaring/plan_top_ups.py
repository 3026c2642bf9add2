"""What a marketplace file makes of the auto top-up of providers: the pure difference.

A file sets the terms of one that is off, and switches one off. That it is charged is the provider's own consent: on, it
is only as the provider wants it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from fairlead.core.canonical import JsonObject
from fairlead.flows.changes import Change, difference
from fairlead.flows.declaring.tables import AutoTopUpTable, ProviderTable
from fairlead.flows.payments.auto_top_up import WantedTopUp, terms_problems
from fairlead.flows.payments.payment_audit import top_up_event
from fairlead.store.audit.log import Actor, AuditEvent
from fairlead.store.configuration.marketplace import MarketplaceRow
from fairlead.store.configuration.rows import ProviderRow
from fairlead.store.money.auto_top_ups import AutoTopUp

_TERMS = ("threshold_cents", "amount_cents", "monthly_limit_cents")


@dataclass(slots=True)
class TopUpPlan:
    """The auto top-ups that change, before (None: none was set) and after."""

    top_ups: list[tuple[AutoTopUp | None, AutoTopUp]] = field(default_factory=list[tuple[AutoTopUp | None, AutoTopUp]])
    changes: list[Change] = field(default_factory=list[Change])
    problems: list[str] = field(default_factory=list[str])

    def events(self, actor: Actor, memo: str) -> list[AuditEvent]:
        """One event for each of them, as the API's change of it has."""
        return [top_up_event(before, after, actor, memo) for before, after in self.top_ups]


def plan_top_ups(
    tables: Sequence[ProviderTable],
    declared: Sequence[ProviderRow],
    before: Mapping[str, AutoTopUp],
    market: MarketplaceRow,
) -> TopUpPlan:
    """The plan that gives each provider the terms of its table; of what a table says nothing, nothing changes.

    `declared` are the providers of the tables, `before` the auto top-ups that there are, by provider id, `market` the
    marketplace as it will be.
    """
    plan = TopUpPlan()
    for number, (table, provider) in enumerate(zip(tables, declared, strict=True)):
        if table.auto_top_up is not None:
            row = before.get(provider.provider_id)
            _plan_one(plan, f"provider[{number}].auto_top_up", table.auto_top_up, provider, row, market)
    return plan


def _plan_one(
    plan: TopUpPlan,
    path: str,
    table: AutoTopUpTable,
    provider: ProviderRow,
    before: AutoTopUp | None,
    market: MarketplaceRow,
) -> None:
    terms = {name: getattr(table, name) for name in _TERMS if getattr(table, name) is not None}
    if before is None:
        if not terms:
            return  # to be off, it need not be there
        missing = [name for name in _TERMS if name not in terms]
        if missing:
            nothing = f"and {provider.email} has no auto top-up yet"
            plan.problems += [f"{path}.{name}: is missing, {nothing}" for name in missing]
            return
        after = AutoTopUp(provider.provider_id, **terms, is_on=False)
    else:
        after = replace(before, **terms)
        if before.is_on and table.on is False:
            after = replace(after, is_on=False, due_at=None)
    old, new = top_up_document(before), top_up_document(after)
    change = difference("auto_top_up", provider.email, old, new)
    if change is None:
        return
    if after.is_on:
        words = "is on, and only the provider changes what it agreed to be charged"
        plan.problems.append(f"{path}: {words}; on = false switches it off")
        return
    wanted = WantedTopUp(after.threshold_cents, after.amount_cents, after.monthly_limit_cents, is_on=False)
    if terms and (problems := terms_problems(wanted, market)):
        plan.problems += [f"{path}.{problem}" for problem in problems]
        return
    plan.top_ups.append((before, after))
    plan.changes.append(change)


def top_up_document(row: AutoTopUp | None) -> JsonObject | None:
    """The auto top-up in the words of the file; None where none was set."""
    terms = terms_document(row)
    return None if row is None or terms is None else {**terms, "on": row.is_on}


def terms_document(row: AutoTopUp | None) -> JsonObject | None:
    """Its terms alone: what a file may set. None where none was set."""
    return None if row is None else {name: getattr(row, name) for name in _TERMS}
