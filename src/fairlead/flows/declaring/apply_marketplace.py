"""Applying a marketplace file: one transaction makes the marketplace what the file declares, or changes nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from fairlead.core.canonical import JsonObject
from fairlead.core.configuration_entries import level_payload, niche_payload, provider_payload
from fairlead.core.errors import BadInput
from fairlead.core.journal import JournalEntryKind
from fairlead.flows.changes import SIGNS, Change, PlannedPart
from fairlead.flows.configuration.postcode_tables import StoredPostcodeTables
from fairlead.flows.declaring.declaration import Declaration, parse_declaration
from fairlead.flows.declaring.plan_billing import BillingPlan, plan_billing
from fairlead.flows.declaring.plan_marketplace import MarketplacePlan, plan_marketplace
from fairlead.flows.declaring.plan_niches import NichePlan, plan_niches, policy_document
from fairlead.flows.declaring.plan_providers import GATEWAY, ProviderPlan, plan_providers
from fairlead.flows.declaring.plan_reports import ReportsPlan, plan_reports
from fairlead.flows.declaring.plan_retention import RetentionPlan, plan_retention
from fairlead.flows.declaring.plan_subscriptions import SubscriptionPlan, is_restated, plan_subscriptions
from fairlead.flows.declaring.provider_events import provider_events
from fairlead.flows.funding import Contents, record_moves
from fairlead.flows.money.receipts import issue_receipts
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.conflict_groups import add_conflict_groups, conflict_groups
from fairlead.store.configuration.form_schema_versions import add_form_schemas
from fairlead.store.configuration.marketplace import marketplace_row, write_marketplace
from fairlead.store.configuration.rows import (
    DEFAULT_CURRENCY,
    LockSetChanged,
    SubscriptionRow,
    change_currency,
    level_rows,
    lock_marketplace,
    lock_providers,
    niche_ids_of,
    niche_rows,
    provider_ids_by_email,
    providers_at_levels,
    subscription_rows,
)
from fairlead.store.configuration.writes import write_levels, write_niches, write_providers
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.journal import LockedNiche, lock_niches
from fairlead.store.leads.retention import policies as retention_policies
from fairlead.store.leads.retention import write_policy
from fairlead.store.leads.rows import clock
from fairlead.store.money.bad_leads import set_window_days, windows_of
from fairlead.store.money.billing_details import billing_details_of, write_billing_details
from fairlead.store.money.ledger import post_entries
from fairlead.store.money.payments import credited_event, credited_payments, insert_payments
from fairlead.store.money.report_rules import report_rules, write_report_rules
from fairlead.store.money.returns import refund_policies, set_refund_policy

__all__ = ["Applied", "Change", "Declaration", "apply_marketplace", "parse_declaration"]


@dataclass(frozen=True, slots=True)
class Applied:
    """What a file changed, in order, or would change when it was only tried (`is_dry_run`). Amounts are in cents."""

    changes: tuple[Change, ...]
    currency: str
    is_dry_run: bool


class _OnlyTried(Exception):
    """Carries the result of a dry run out of the transaction that it rolls back."""

    def __init__(self, applied: Applied) -> None:
        super().__init__("a dry run writes nothing")
        self.applied = applied


@dataclass(slots=True)
class _Standing:
    """What was locked first: the marketplace's row, with its currency, and the niches."""

    currency: str
    locked: dict[str, LockedNiche]
    changes: list[Change] = field(default_factory=list[Change])
    problems: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class _Plan:
    """All that a file changes."""

    standing: _Standing
    marketplace: MarketplacePlan
    niches: NichePlan
    providers: ProviderPlan
    subscriptions: SubscriptionPlan
    retention: RetentionPlan
    reports: ReportsPlan
    billing: BillingPlan

    @property
    def changes(self) -> tuple[Change, ...]:
        return tuple(change for part in self._parts for change in part.changes)

    @property
    def problems(self) -> list[str]:
        return [problem for part in self._parts for problem in part.problems]

    @property
    def _parts(self) -> Sequence[PlannedPart]:
        of_marketplace = (self.standing, self.marketplace, self.reports, self.niches, self.retention)
        return (*of_marketplace, self.providers, self.billing, self.subscriptions)


def apply_marketplace(database: Database, document: Declaration, actor: Actor, *, dry_run: bool = False) -> Applied:
    """The marketplace is what the document declares; what it does not mention is as it was. All of it, or nothing.

    Idempotent: declared again, nothing is written. Deposits are credited once per external id. Funds drive the
    activity of every subscription concerned (R9); who subscribes again keeps its place (R12). With `dry_run` the same
    plan is made and then dropped. Locks: the marketplace's row, then niches, then providers.

    Raises `BadInput` with every problem, each naming its key, and `Unavailable`.
    """

    def work(conn: Connection, also: Sequence[str]) -> Applied:
        standing = _stand(conn, document, also)
        plan = _plan(conn, document, standing)
        applied = Applied(plan.changes, standing.currency, dry_run)
        if dry_run:
            raise _OnlyTried(applied)
        if plan.changes:
            _write(conn, document, plan, actor)
        return applied

    try:
        return with_niche_locks(database, work)
    except _OnlyTried as tried:
        return tried.applied


def _stand(conn: Connection, document: Declaration, also: Sequence[str]) -> _Standing:
    """The niches that the file names, and `also`, are locked; all of them when it declares another currency."""
    declared = document.marketplace.currency
    wanted = declared or DEFAULT_CURRENCY
    currency, is_new = lock_marketplace(conn, wanted, may_change=declared is not None)
    is_other = declared is not None and currency != wanted
    slugs = {niche.slug for niche in document.niches}
    slugs |= {subscription.niche for provider in document.providers for subscription in provider.subscription}
    niche_ids = niche_ids_of(conn, None if is_other else sorted(slugs))
    standing = _Standing(currency, lock_niches(conn, sorted({*niche_ids, *also})))
    if is_new:
        standing.changes.append(Change("create", "marketplace", "settings", None, {"currency": currency}))
    elif is_other and change_currency(conn, wanted):
        change = Change("change", "marketplace", "settings", {"currency": currency}, {"currency": wanted})
        standing.changes.append(change)
        standing.currency = wanted
    elif is_other:
        standing.problems.append(f"marketplace.currency: money was moved in {currency} already, so it must stay that")
    return standing


def _plan(conn: Connection, document: Declaration, standing: _Standing) -> _Plan:
    """The difference between the document and the rows, which are read under the locks of all that are concerned."""
    niche_ids = list(standing.locked)
    next_id = partial(new_id, conn)
    niches = plan_niches(document.niches, niche_rows(conn, niche_ids), level_rows(conn, niche_ids), next_id)
    ids_by_email = provider_ids_by_email(conn, [provider.email for provider in document.providers])
    declared_ids = list(ids_by_email.values())
    payers = providers_at_levels(conn, niches.repriced) if niches.repriced else []
    rows = lock_providers(conn, [*declared_ids, *payers])
    external_ids = [deposit.external_id for provider in document.providers for deposit in provider.deposit]
    credited = credited_payments(conn, GATEWAY, external_ids)
    groups = conflict_groups(conn)
    providers = plan_providers(document.providers, ids_by_email, rows, credited, groups, next_id)
    changed_levels = [*niches.repriced, *niches.deleted]
    subscriptions = subscription_rows(conn, declared_ids, niches.reformed_niche_ids, changed_levels)
    _require_locks(standing, providers, subscriptions)
    tables = StoredPostcodeTables(conn)
    planned = plan_subscriptions(document.providers, niches, providers, subscriptions, next_id, tables)
    billed = plan_billing(document.providers, providers.declared, billing_details_of(conn, declared_ids))
    ids_by_slug = {slug: row.niche_id for slug, row in niches.by_slug.items()}
    policies = {each.niche_id: each.policy for each in retention_policies(conn)}
    kept = plan_retention(document.niches, ids_by_slug, policies)
    reports = plan_reports(
        document.marketplace,
        document.niches,
        ids_by_slug,
        report_rules(conn),
        refund_policies(conn, niche_ids),
        windows_of(conn, niche_ids),
    )
    market = plan_marketplace(document.marketplace, marketplace_row(conn))
    plan = _Plan(standing, market, niches, providers, planned, kept, reports, billed)
    if problems := plan.problems:
        raise BadInput(problems)
    return plan


def _require_locks(standing: _Standing, providers: ProviderPlan, subscriptions: Sequence[SubscriptionRow]) -> None:
    """Every niche that a provider's new status or funds concern is locked, else `LockSetChanged` names the others."""
    concerned = {
        row.niche_id
        for row in subscriptions
        if is_restated(row, providers) or (row.subscription.provider_id in providers.funded and not row.is_deleted)
    }
    if missing := concerned - standing.locked.keys():
        raise LockSetChanged(sorted(missing))


def _write(conn: Connection, document: Declaration, plan: _Plan, actor: Actor) -> None:
    now = clock(conn)
    if plan.marketplace.changes:
        write_marketplace(conn, plan.marketplace.after)
    write_niches(conn, plan.niches.written_niches, now)
    memo = f"marketplace file {document.sha256}"
    for niche_id, _before, after in plan.retention.policies:
        write_policy(conn, niche_id, after, now)
    _write_reports(conn, plan.reports)
    add_form_schemas(conn, plan.niches.new_forms, actor.name, memo, now)
    write_levels(conn, plan.niches.written_levels, now)
    add_conflict_groups(conn, plan.providers.created_groups, now)
    write_providers(conn, plan.providers.created, now)
    # Before the deposits: their receipts say what the file says.
    write_billing_details(conn, [after for _, after in plan.billing.details])
    entries = insert_payments(conn, plan.providers.deposits, plan.standing.currency, now)
    low_balances = {provider_id: row.low_balance for provider_id, row in plan.providers.by_id.items()}
    post_entries(conn, entries, low_balances, actor.name, now)
    # After the deposits: a lower credit limit may need them.
    write_providers(conn, plan.providers.changed, now)
    locked = plan.standing.locked | lock_niches(conn, [row.niche_id for row in plan.niches.written_niches])
    record_moves(conn, locked, _journal_contents(plan), plan.subscriptions.moves, now)
    deposits = plan.providers.deposits
    receipts = issue_receipts(conn, deposits, plan.standing.currency, now)
    credited = [credited_event(payment, receipts[payment.payment_id], actor) for payment in deposits]
    parts = (plan.marketplace, plan.retention, plan.reports, plan.billing)
    settings = [event for part in parts for event in part.events(actor)]
    append_audit(conn, [*_events(document, plan, actor), *settings, *credited], now)


def _write_reports(conn: Connection, plan: ReportsPlan) -> None:
    if plan.rules is not None:
        write_report_rules(conn, plan.rules[1])
    for niche_id, _, policy in plan.refunds:
        set_refund_policy(conn, niche_id, policy)
    for niche_id, _, days in plan.windows:
        set_window_days(conn, niche_id, days)


def _journal_contents(plan: _Plan) -> dict[str, Contents]:
    """What the journals have to say before the subscriptions, by niche id: niche, levels, providers."""
    contents: dict[str, Contents] = {}

    def add(niche_id: str, kind: JournalEntryKind, payload: JsonObject) -> None:
        contents.setdefault(niche_id, []).append((kind, payload))

    for row in plan.niches.restated_niches:
        limit = row.max_recipients_per_lead
        payload = niche_payload(row.slug, row.name, row.is_active, row.form_schema, limit)
        add(row.niche_id, JournalEntryKind.NICHE, payload)
    for row in plan.niches.written_levels:
        add(row.niche_id, JournalEntryKind.LEVEL, level_payload(row.level, is_deleted=row.is_deleted))
    for niche_id, provider_id in plan.subscriptions.restated:
        provider = plan.providers.by_id[provider_id]
        add(niche_id, JournalEntryKind.PROVIDER, provider_payload(provider_id, provider.status, provider.terms))
    return contents


def _events(document: Declaration, plan: _Plan, actor: Actor) -> list[AuditEvent]:
    """One event per kind of thing that changed, and one per provider, group, policy and credit limit."""
    counts = Counter((change.entity, change.kind) for change in plan.changes)
    entities = list(dict.fromkeys(entity for entity, _ in counts if entity != "deposit"))
    events = [
        AuditEvent(
            actor,
            "marketplace.applied",
            entity,
            "*",
            new={kind: counts[entity, kind] for kind in SIGNS}
            | {"file_sha256": document.sha256}
            # What tells `verify` that every provider of the file has an event of its own.
            | ({"is_told_one_by_one": True} if entity == "provider" else {}),
        )
        for entity in entities
    ]
    for niche_id, before, after in plan.niches.policies:
        old, new = policy_document(before), policy_document(after)
        events.append(AuditEvent(actor, "niche.policy_changed", "niche", niche_id, old, new))
    for group in plan.providers.created_groups:
        new = {"name": group.name}
        events.append(AuditEvent(actor, "conflict_group.created", "conflict_group", group.group_id, None, new))
    for before, after in plan.providers.told:
        events += provider_events(actor, before, after)
    for provider_id, old_cents, new_cents in plan.providers.credit_limits:
        old, new = {"credit_limit_cents": old_cents}, {"credit_limit_cents": new_cents}
        events.append(AuditEvent(actor, "credit_limit.changed", "provider", provider_id, old, new))
    return events
