"""What a marketplace file changes: the rows that it concerns are locked and compared with what it declares."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from fairlead.core.errors import BadInput
from fairlead.flows.changes import Change, PlannedPart
from fairlead.flows.configuration.postcode_tables import StoredPostcodeTables
from fairlead.flows.declaring.declaration import Declaration
from fairlead.flows.declaring.plan_billing import BillingPlan, plan_billing
from fairlead.flows.declaring.plan_intake import IntakePlan, plan_intake
from fairlead.flows.declaring.plan_marketplace import MarketplacePlan, plan_marketplace
from fairlead.flows.declaring.plan_niches import NichePlan, plan_niches
from fairlead.flows.declaring.plan_postcode_tables import PostcodeTablePlan, plan_postcode_tables
from fairlead.flows.declaring.plan_providers import GATEWAY, ProviderPlan, plan_providers
from fairlead.flows.declaring.plan_reports import ReportsPlan, plan_reports
from fairlead.flows.declaring.plan_retention import RetentionPlan, plan_retention
from fairlead.flows.declaring.plan_subscriptions import SubscriptionPlan, is_restated, plan_subscriptions
from fairlead.flows.declaring.plan_top_ups import TopUpPlan, plan_top_ups
from fairlead.store.configuration.conflict_groups import conflict_groups
from fairlead.store.configuration.marketplace import marketplace_row
from fairlead.store.configuration.postcode_tables import postcode_table_rows
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
from fairlead.store.connection import Connection
from fairlead.store.ids import new_id
from fairlead.store.journal import LockedNiche, lock_niches
from fairlead.store.leads.intake import intake_policies
from fairlead.store.leads.retention import policies as retention_policies
from fairlead.store.money.auto_top_ups import auto_top_ups_of
from fairlead.store.money.bad_leads import windows_of
from fairlead.store.money.billing_details import billing_details_of
from fairlead.store.money.payments import credited_payments
from fairlead.store.money.report_rules import report_rules
from fairlead.store.money.returns import refund_policies


@dataclass(slots=True)
class LockedMarketplace:
    """What was locked first: the marketplace's row, with its currency, and the niches."""

    currency: str
    locked: dict[str, LockedNiche]
    changes: list[Change] = field(default_factory=list[Change])
    problems: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class MarketplaceFilePlan:
    """All that a file changes."""

    standing: LockedMarketplace
    marketplace: MarketplacePlan
    niches: NichePlan
    providers: ProviderPlan
    subscriptions: SubscriptionPlan
    retention: RetentionPlan
    reports: ReportsPlan
    billing: BillingPlan
    top_ups: TopUpPlan
    postcode_tables: PostcodeTablePlan
    intake: IntakePlan

    @property
    def changes(self) -> tuple[Change, ...]:
        return tuple(change for part in self._parts for change in part.changes)

    @property
    def problems(self) -> list[str]:
        return [problem for part in self._parts for problem in part.problems]

    @property
    def _parts(self) -> Sequence[PlannedPart]:
        of_marketplace = (self.standing, self.marketplace, self.reports, self.postcode_tables)
        of_providers = (self.providers, self.billing, self.top_ups, self.subscriptions)
        return (*of_marketplace, self.niches, self.retention, self.intake, *of_providers)


def stand(conn: Connection, document: Declaration, also: Sequence[str]) -> LockedMarketplace:
    """The niches that the file names, and `also`, are locked; all of them when it declares another currency."""
    declared = document.marketplace.currency
    wanted = declared or DEFAULT_CURRENCY
    currency, is_new = lock_marketplace(conn, wanted, may_change=declared is not None)
    is_other = declared is not None and currency != wanted
    slugs = {niche.slug for niche in document.niches}
    slugs |= {subscription.niche for provider in document.providers for subscription in provider.subscription}
    niche_ids = niche_ids_of(conn, None if is_other else sorted(slugs))
    standing = LockedMarketplace(currency, lock_niches(conn, sorted({*niche_ids, *also})))
    if is_new:
        standing.changes.append(Change("create", "marketplace", "settings", None, {"currency": currency}))
    elif is_other and change_currency(conn, wanted):
        change = Change("change", "marketplace", "settings", {"currency": currency}, {"currency": wanted})
        standing.changes.append(change)
        standing.currency = wanted
    elif is_other:
        standing.problems.append(f"marketplace.currency: money was moved in {currency} already, so it must stay that")
    return standing


def plan_file(conn: Connection, document: Declaration, standing: LockedMarketplace) -> MarketplaceFilePlan:
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
    loading = plan_postcode_tables(document.postcode_tables, postcode_table_rows(conn))
    tables = StoredPostcodeTables(conn, loading.loaded)
    planned = plan_subscriptions(document.providers, niches, providers, subscriptions, next_id, tables)
    billed = plan_billing(document.providers, providers.declared, billing_details_of(conn, declared_ids))
    ids_by_slug = {slug: row.niche_id for slug, row in niches.by_slug.items()}
    policies = {each.niche_id: each.policy for each in retention_policies(conn)}
    kept = plan_retention(document.niches, ids_by_slug, policies)
    let_in = plan_intake(document.niches, ids_by_slug, intake_policies(conn, niche_ids), niches.schemas)
    reports = plan_reports(
        document.marketplace,
        document.niches,
        ids_by_slug,
        report_rules(conn),
        refund_policies(conn, niche_ids),
        windows_of(conn, niche_ids),
    )
    market = plan_marketplace(document.marketplace, marketplace_row(conn))
    before = auto_top_ups_of(conn, declared_ids)
    top_ups = plan_top_ups(document.providers, providers.declared, before, market.after)
    plan = MarketplaceFilePlan(
        standing, market, niches, providers, planned, kept, reports, billed, top_ups, loading, let_in
    )
    if problems := plan.problems:
        raise BadInput(problems)
    return plan


def _require_locks(
    standing: LockedMarketplace, providers: ProviderPlan, subscriptions: Sequence[SubscriptionRow]
) -> None:
    """Every niche that a provider's new status or funds concern is locked, else `LockSetChanged` names the others."""
    concerned = {
        row.niche_id
        for row in subscriptions
        if is_restated(row, providers) or (row.subscription.provider_id in providers.funded and not row.is_deleted)
    }
    if missing := concerned - standing.locked.keys():
        raise LockSetChanged(sorted(missing))
