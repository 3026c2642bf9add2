"""Applying a marketplace file: one transaction makes the marketplace what the file declares, or changes nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from fairlead.core.canonical import JsonObject
from fairlead.core.configuration_entries import level_payload, niche_payload, provider_payload
from fairlead.core.journal import JournalEntryKind
from fairlead.flows.changes import SIGNS, Change
from fairlead.flows.configuration.left_out import told_of_left_out
from fairlead.flows.configuration.postcode_tables import write_postcode_table
from fairlead.flows.declaring.declaration import Declaration, parse_declaration
from fairlead.flows.declaring.plan_niches import policy_document
from fairlead.flows.declaring.plan_reports import ReportsPlan
from fairlead.flows.declaring.planning import MarketplaceFilePlan, plan_file, stand
from fairlead.flows.declaring.provider_events import provider_events
from fairlead.flows.funding import Contents, record_moves
from fairlead.flows.money.receipts import issue_receipts
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.conflict_groups import add_conflict_groups
from fairlead.store.configuration.form_schema_versions import add_form_schemas
from fairlead.store.configuration.marketplace import write_marketplace
from fairlead.store.configuration.writes import write_levels, write_niches, write_providers
from fairlead.store.connection import Connection, Database
from fairlead.store.journal import lock_niches
from fairlead.store.leads.intake import write_intake_policy
from fairlead.store.leads.retention import write_policy
from fairlead.store.leads.rows import clock
from fairlead.store.money.auto_top_ups import write_auto_top_ups
from fairlead.store.money.bad_leads import set_window_days
from fairlead.store.money.billing_details import write_billing_details
from fairlead.store.money.ledger import post_entries
from fairlead.store.money.payments import credited_event, insert_payments
from fairlead.store.money.report_rules import write_report_rules
from fairlead.store.money.returns import set_refund_policy
from fairlead.store.notifications.outbox import notify

__all__ = ["Applied", "Change", "Declaration", "apply_marketplace", "parse_declaration"]


@dataclass(frozen=True, slots=True)
class Applied:
    """What a file changed, in order, or would change when it was only tried (`is_dry_run`). Amounts are in cents.

    `warnings` name the keys whose values do what they say, and hardly what was meant.
    """

    changes: tuple[Change, ...]
    currency: str
    is_dry_run: bool
    warnings: tuple[str, ...] = ()


class _OnlyTried(Exception):
    """Carries the result of a dry run out of the transaction that it rolls back."""

    def __init__(self, applied: Applied) -> None:
        super().__init__("a dry run writes nothing")
        self.applied = applied


def apply_marketplace(database: Database, document: Declaration, actor: Actor, *, dry_run: bool = False) -> Applied:
    """The marketplace is what the document declares; what it does not mention is as it was. All of it, or nothing.

    Idempotent: declared again, nothing is written. Deposits are credited once per external id. Funds drive the
    activity of every subscription concerned (R9); who subscribes again keeps its place (R12). With `dry_run` the same
    plan is made and then dropped. Locks: the marketplace's row, then niches, then providers.

    Raises `BadInput` with every problem, each naming its key, and `Unavailable`.
    """

    def work(conn: Connection, also: Sequence[str]) -> Applied:
        standing = stand(conn, document, also)
        plan = plan_file(conn, document, standing)
        applied = Applied(plan.changes, standing.currency, dry_run, tuple(plan.subscriptions.warnings))
        if dry_run:
            raise _OnlyTried(applied)
        if plan.changes:
            _write(conn, document, plan, actor)
        return applied

    try:
        return with_niche_locks(database, work)
    except _OnlyTried as tried:
        return tried.applied


def _write(conn: Connection, document: Declaration, plan: MarketplaceFilePlan, actor: Actor) -> None:
    now = clock(conn)
    if plan.marketplace.changes:
        write_marketplace(conn, plan.marketplace.after)
    memo = f"marketplace file {document.sha256}"
    loaded = [
        write_postcode_table(conn, name, version, content, actor, now)[1]
        for (name, version), content in plan.postcode_tables.loaded.items()
    ]
    write_niches(conn, plan.niches.written_niches, now)
    for niche_id, _before, after in plan.retention.policies:
        write_policy(conn, niche_id, after, now)
    for niche_id, _, after in plan.intake.policies:
        write_intake_policy(conn, niche_id, after)
    _write_reports(conn, plan.reports)
    add_form_schemas(conn, plan.niches.new_forms, actor.name, memo, now)
    write_levels(conn, plan.niches.written_levels, now)
    add_conflict_groups(conn, plan.providers.created_groups, now)
    write_providers(conn, plan.providers.created, now)
    # Before the deposits: their receipts say what the file says.
    write_billing_details(conn, [after for _, after in plan.billing.details])
    write_auto_top_ups(conn, [after for _, after in plan.top_ups.top_ups])
    entries = insert_payments(conn, plan.providers.deposits, plan.standing.currency, now)
    low_balances = {provider_id: row.low_balance for provider_id, row in plan.providers.by_id.items()}
    post_entries(conn, entries, low_balances, actor.name, now)
    # After the deposits: a lower credit limit may need them.
    write_providers(conn, plan.providers.changed, now)
    locked = plan.standing.locked | lock_niches(conn, [row.niche_id for row in plan.niches.written_niches])
    record_moves(conn, locked, _journal_contents(plan), plan.subscriptions.moves, now)
    for level, left_out in plan.subscriptions.left_out:
        notify(conn, told_of_left_out(left_out, level), now)
    deposits = plan.providers.deposits
    receipts = issue_receipts(conn, deposits, plan.standing.currency, now)
    credited = [credited_event(payment, receipts[payment.payment_id], actor) for payment in deposits]
    parts = (plan.marketplace, plan.retention, plan.intake, plan.reports, plan.billing)
    settings = [event for part in parts for event in part.events(actor)]
    settings += plan.top_ups.events(actor, memo) + [replace(event, memo=memo) for event in loaded]
    append_audit(conn, [*_events(document, plan, actor), *settings, *credited], now)


def _write_reports(conn: Connection, plan: ReportsPlan) -> None:
    if plan.rules is not None:
        write_report_rules(conn, plan.rules[1])
    for niche_id, _, policy in plan.refunds:
        set_refund_policy(conn, niche_id, policy)
    for niche_id, _, days in plan.windows:
        set_window_days(conn, niche_id, days)


def _journal_contents(plan: MarketplaceFilePlan) -> dict[str, Contents]:
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


def _events(document: Declaration, plan: MarketplaceFilePlan, actor: Actor) -> list[AuditEvent]:
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
