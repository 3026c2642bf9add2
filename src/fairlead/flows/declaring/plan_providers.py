"""What a marketplace file makes of providers and their money: the pure difference, nothing is read or written."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fairlead.core.canonical import JsonObject
from fairlead.core.errors import BadInput
from fairlead.core.ledger import BalanceTooLarge, LedgerEntryKind, post
from fairlead.core.model import Balance
from fairlead.flows.changes import Change, difference
from fairlead.flows.configuration.provider_terms import concerns_every_niche
from fairlead.flows.declaring.tables import DepositTable, ProviderTable, SubscriptionTable
from fairlead.flows.declaring.timed_documents import as_json, checked_limits, checked_schedule
from fairlead.store.configuration.conflict_groups import ConflictGroupRow
from fairlead.store.configuration.rows import ProviderRow
from fairlead.store.money.payments import CreditedPayment

GATEWAY = "manual"


@dataclass(slots=True)
class ProviderPlan:
    """The providers as they will be, and what of it is new."""

    new_id: Callable[[], str]
    by_id: dict[str, ProviderRow]
    declared: list[ProviderRow] = field(default_factory=list[ProviderRow])
    """As the file lists them."""
    created: list[ProviderRow] = field(default_factory=list[ProviderRow])
    changed: list[ProviderRow] = field(default_factory=list[ProviderRow])
    deposits: list[CreditedPayment] = field(default_factory=list[CreditedPayment])
    restated: dict[str, str] = field(default_factory=dict[str, str])
    """The status, by id, of those that had another, or another limit or schedule."""
    rezoned: dict[str, str] = field(default_factory=dict[str, str])
    """The time zone, by id, of others that had another: it matters where a subscription has limits or a schedule."""
    told: list[tuple[ProviderRow | None, ProviderRow]] = field(
        default_factory=list[tuple[ProviderRow | None, ProviderRow]]
    )
    """Those that are created or changed, before (None: not there) and after, but for their deposits."""
    funded: dict[str, int] = field(default_factory=dict[str, int])
    """What is available now, by id, to those that could pay more or less before."""
    credit_limits: list[tuple[str, int, int]] = field(default_factory=list[tuple[str, int, int]])
    """Id, old and new limit of those whose credit limit is another one."""
    groups: dict[str, ConflictGroupRow] = field(default_factory=dict[str, ConflictGroupRow])
    """By name, the conflict groups that the file names."""
    created_groups: list[ConflictGroupRow] = field(default_factory=list[ConflictGroupRow])
    changes: list[Change] = field(default_factory=list[Change])
    problems: list[str] = field(default_factory=list[str])

    @property
    def group_names(self) -> Mapping[str, str]:
        """The names of the groups by id, as far as they are known."""
        return {row.group_id: name for name, row in self.groups.items()}


def plan_providers(
    tables: Sequence[ProviderTable],
    ids_by_email: Mapping[str, str],
    rows: Mapping[str, ProviderRow],
    credited: Mapping[str, CreditedPayment],
    groups: Sequence[ConflictGroupRow],
    new_id: Callable[[], str],
) -> ProviderPlan:
    """The plan that turns these providers into what the file says. `plan.problems` name their keys.

    `rows` are the locked providers by id, `credited` the deposits of the file that were credited before, `groups` the
    conflict groups that there are.
    """
    plan = ProviderPlan(new_id, dict(rows), groups={row.name: row for row in groups})
    for number, table in enumerate(tables):
        path = f"provider[{number}]"
        before = rows.get(ids_by_email.get(table.email, ""))
        after = _provider(plan, path, table, before)
        for place, deposit in enumerate(table.deposit):
            after = _plan_deposit(plan, f"{path}.deposit[{place}]", after, deposit, credited.get(deposit.external_id))
        if after.balance.available_cents < 0:
            used = f"{-after.balance.balance_cents} cents of credit are in use"
            plan.problems.append(f"{path}.credit_limit_cents: {after.balance.credit_limit_cents} is too low: {used}")
        plan.by_id[after.provider_id] = after
        plan.declared.append(after)
        if before is not None:
            _compare(plan, before, after)
    return plan


def _provider(plan: ProviderPlan, path: str, table: ProviderTable, before: ProviderRow | None) -> ProviderRow:
    """The provider but for its deposits."""
    if before is None:
        if table.name is None:
            plan.problems.append(f"{path}.name: is missing, and the provider {table.email} does not exist yet")
        limit_cents = table.credit_limit_cents or 0
        after = ProviderRow(
            plan.new_id(),
            table.email,
            table.name or table.email,
            table.status or "active",
            table.timezone or "UTC",
            table.low_balance_threshold_cents,
            Balance(0, limit_cents, 0),
            language=table.language,
            low_balance_days=table.low_balance_days,
        )
        if limit_cents:
            plan.credit_limits.append((after.provider_id, 0, limit_cents))
    else:
        balance, threshold_cents = before.balance, table.low_balance_threshold_cents
        if table.credit_limit_cents is not None:
            balance = replace(balance, credit_limit_cents=table.credit_limit_cents)
        after = replace(
            before,
            name=table.name or before.name,
            status=table.status or before.status,
            timezone=table.timezone or before.timezone,
            language=table.language or before.language,
            low_balance_threshold_cents=(
                before.low_balance_threshold_cents if threshold_cents is None else threshold_cents
            ),
            low_balance_days=table.low_balance_days or before.low_balance_days,
            balance=balance,
        )
    own_limits, schedule = declared_texts(plan.problems, path, table, (after.limits_text, after.schedule_text))
    group_id = after.conflict_group_id if table.conflict_group is None else _group_id(plan, table.conflict_group)
    after = replace(after, limits_text=own_limits, schedule_text=schedule, conflict_group_id=group_id)
    change = difference("provider", after.email, before and _named(plan, before), _named(plan, after))
    if change is not None:
        plan.changes.append(change)
        if before is None:
            plan.created.append(after)
            plan.told.append((None, after))
        else:
            plan.changed.append(after)
            plan.told.append((before, after))
    return after


def _group_id(plan: ProviderPlan, name: str) -> str | None:
    """The group of that name, which is new where there is none; None for no name."""
    if not name:
        return None
    if name not in plan.groups:
        plan.groups[name] = ConflictGroupRow(plan.new_id(), name)
        plan.created_groups.append(plan.groups[name])
        plan.changes.append(Change("create", "conflict_group", name, None, {}))
    return plan.groups[name].group_id


def _named(plan: ProviderPlan, row: ProviderRow) -> JsonObject:
    group_id = row.conflict_group_id
    name = None if group_id is None else plan.group_names.get(group_id, group_id)
    return {**provider_document(row), "conflict_group": name}


def provider_document(row: ProviderRow) -> JsonObject:
    """The provider in the words of the file, but for its email and its money; its group by its id."""
    return {
        "name": row.name,
        "status": row.status,
        "timezone": row.timezone,
        "language": row.language,
        "credit_limit_cents": row.balance.credit_limit_cents,
        "low_balance_threshold_cents": row.low_balance_threshold_cents,
        "low_balance_days": row.low_balance_days,
        "limits": None if row.limits_text is None else json.loads(row.limits_text),
        "schedule": None if row.schedule_text is None else json.loads(row.schedule_text),
        "conflict_group": row.conflict_group_id,
    }


def declared_texts(
    problems: list[str],
    path: str,
    table: ProviderTable | SubscriptionTable,
    before: tuple[str | None, str | None],
) -> tuple[str | None, str | None]:
    """The limits and the schedule as the table has them; what it does not say is as before, an empty table is none.

    Problems are added to `problems`, each naming its key.
    """
    own_limits, schedule = before
    try:
        if table.limits is not None:
            own_limits = checked_limits(table.limits or None)
        if table.schedule is not None:
            schedule = checked_schedule(as_json(table.schedule) or None)
    except BadInput as error:
        problems += [f"{path}.{problem}" for problem in error.problems]
    return own_limits, schedule


def _plan_deposit(
    plan: ProviderPlan, path: str, provider: ProviderRow, table: DepositTable, credited: CreditedPayment | None
) -> ProviderRow:
    """The provider after the deposit; the same when it was credited before."""
    if credited is not None:
        if credited.provider_id != provider.provider_id:
            whose = "was credited to another provider before"
            plan.problems.append(f"{path}.external_id: the deposit {table.external_id!r} {whose}")
        elif credited.posting.amount_cents != table.amount_cents:
            amount = f"was credited with {credited.posting.amount_cents} cents before"
            plan.problems.append(f"{path}.amount_cents: the deposit {table.external_id!r} {amount}")
        return provider
    try:
        posting, balance = post(provider.balance, LedgerEntryKind.DEPOSIT, table.amount_cents)
    except BalanceTooLarge as refused:
        plan.problems.append(f"{path}.amount_cents: {refused}")
        return provider
    plan.deposits.append(CreditedPayment(plan.new_id(), provider.provider_id, GATEWAY, table.external_id, posting))
    new = {
        "provider": provider.email,
        "amount_cents": table.amount_cents,
        "balance_after_cents": posting.balance_after_cents,
    }
    plan.changes.append(Change("create", "deposit", table.external_id, None, new))
    return replace(provider, balance=balance)


def _compare(plan: ProviderPlan, before: ProviderRow, after: ProviderRow) -> None:
    if after.status != before.status or concerns_every_niche(before.terms, after.terms):
        plan.restated[after.provider_id] = after.status
    elif after.timezone != before.timezone:
        plan.rezoned[after.provider_id] = after.timezone
    if after.balance.available_cents != before.balance.available_cents:
        plan.funded[after.provider_id] = after.balance.available_cents
    if after.balance.credit_limit_cents != before.balance.credit_limit_cents:
        limits = (before.balance.credit_limit_cents, after.balance.credit_limit_cents)
        plan.credit_limits.append((after.provider_id, *limits))
