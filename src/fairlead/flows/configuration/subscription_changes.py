"""What the verbs on a subscription share: holding all that one depends on, and writing what becomes of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from fairlead.core.canonical import JsonObject
from fairlead.core.configuration_entries import provider_payload
from fairlead.core.errors import Refused
from fairlead.core.filters.filter import new_filter, summarise_filter
from fairlead.core.filters.postcode_tables import PostcodeTables
from fairlead.core.form import FormSchema
from fairlead.core.journal import JournalEntryKind
from fairlead.core.prices import lowest_price_cents, price_limit_warning
from fairlead.core.subscription import funded, readable_form
from fairlead.flows.configuration.postcode_tables import StoredPostcodeTables
from fairlead.flows.configuration.provider_terms import begins_to_go_by_local_time
from fairlead.flows.configuration.providers import locked_provider
from fairlead.flows.configuration.versions import InvalidDocument, subscription_version
from fairlead.flows.funding import Contents, Move, record_moves
from fairlead.store.audit.log import Actor, AuditEvent, append_audit
from fairlead.store.configuration.lookups import level_row
from fairlead.store.configuration.rows import LevelRow, ProviderRow, SubscriptionRow, subscription_rows
from fairlead.store.connection import Connection
from fairlead.store.journal import LockedNiche, lock_niches
from fairlead.store.leads.rows import clock

FILTER_CHANGED = "subscription.filter_changed"


@dataclass(frozen=True, slots=True)
class SubscriptionChanged:
    """The subscription as it is now, its opaque version, its filter in plain words.

    `journal_seq` is that of the entry in its niche's journal; None, and `took_effect` False, where it was so before.
    """

    row: SubscriptionRow
    version: str
    took_effect: bool
    filter_summary: str
    price_limit_warning: str | None
    """Why its price limit lets no lead come; None where one can."""
    journal_seq: int | None = None


@dataclass(frozen=True, slots=True)
class LockedForSubscription:
    """What a verb on one subscription holds: the niche, then the provider; and the level as it is under the lock."""

    niche: LockedNiche
    form: FormSchema | None
    level: LevelRow
    provider: ProviderRow
    rows: Sequence[SubscriptionRow]
    """All that the provider ever subscribed to, anywhere."""
    tables: PostcodeTables


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """Who asks for what, and why."""

    actor: Actor
    action: str
    memo: str | None
    expected_version: str | None


def checked_filter(filter_rules: object, form: FormSchema | None, tables: PostcodeTables) -> JsonObject:
    """The filter as it is stored, its distances by these postcode tables.

    Raises `InvalidDocument` with every problem that it has with the form, and `Refused`: `form_unreadable`.
    """
    if form is None:
        raise Refused("form_unreadable", "the niche's form cannot be read, so no filter fits it")
    rules, problems = new_filter(filter_rules, form, tables)
    if problems:
        raise InvalidDocument(problems)
    return rules


def lock_for_subscription(conn: Connection, provider_id: str, level_id: str) -> LockedForSubscription:
    """The level's niche, then the provider, locked, and all that a verb looks at as it is under the locks."""
    seen = level_row(conn, level_id)
    if seen is None:
        raise Refused("level_unknown", f"there is no level {level_id}")
    niche = lock_niches(conn, [seen.niche_id])[seen.niche_id]
    provider = locked_provider(conn, provider_id)
    level = level_row(conn, level_id)
    assert level is not None, "levels are never removed from the table"
    rows = subscription_rows(conn, [provider_id], [], [])
    return LockedForSubscription(
        niche, readable_form(niche.form_schema), level, provider, rows, StoredPostcodeTables(conn)
    )


def unchanged(row: SubscriptionRow, locked: LockedForSubscription) -> SubscriptionChanged:
    """The subscription was so before."""
    return SubscriptionChanged(row, subscription_version(row), False, _summary(row, locked), _warning(row, locked))


def _warning(row: SubscriptionRow, locked: LockedForSubscription) -> str | None:
    most_cents = None if row.is_deleted else row.subscription.max_price_cents
    return price_limit_warning(lowest_price_cents(locked.level.level), most_cents)


def _summary(row: SubscriptionRow, locked: LockedForSubscription) -> str:
    return summarise_filter(row.subscription.filter_rules, locked.form or FormSchema())


def record(conn: Connection, locked: LockedForSubscription, move: Move, request: ChangeRequest) -> SubscriptionChanged:
    """The move is written as the funds have it (R9), told and audited."""
    before, after = move
    if not after.is_deleted:
        funds_cents = locked.provider.balance.available_cents
        after = replace(
            after, subscription=funded(after.subscription, lowest_price_cents(locked.level.level), funds_cents)
        )
    now, niche_id, subscription = clock(conn), after.niche_id, after.subscription
    contents: dict[str, Contents] = {}
    if all(row.niche_id != niche_id for row in locked.rows) or begins_to_go_by_local_time(move):
        told = provider_payload(subscription.provider_id, locked.provider.status, locked.provider.terms)
        contents[niche_id] = [(JournalEntryKind.PROVIDER, told)]
    seqs = record_moves(conn, {niche_id: locked.niche}, contents, [(before, after)], now)
    seq = seqs[subscription.subscription_id]
    new = {**audited_state(after), "niche_id": niche_id, "level_id": subscription.level_id, "journal_seq": seq}
    old = None if before is None else audited_state(before)
    event = AuditEvent(
        request.actor, request.action, "subscription", subscription.subscription_id, old, new, request.memo
    )
    append_audit(conn, [event], now)
    return SubscriptionChanged(
        after, subscription_version(after), True, _summary(after, locked), _warning(after, locked), seq
    )


def audited_state(row: SubscriptionRow) -> dict[str, object]:
    """What the audit log keeps: not the filter, which is in the journal and may hold what a provider wrote."""
    subscription = row.subscription
    rules = subscription.filter_rules.get("rules")
    return {
        "is_active": subscription.is_active,
        "deactivation_reason": subscription.deactivation_reason,
        "filter_is_valid": subscription.filter_is_valid,
        "rule_count": len(cast("list[object]", rules)) if isinstance(rules, list) else 0,
        "is_deleted": row.is_deleted,
        **{
            name: json.loads(text)
            for name, text in (("limits", subscription.limits_text), ("schedule", subscription.schedule_text))
            if text is not None
        },
        **({} if subscription.max_price_cents is None else {"max_price_cents": subscription.max_price_cents}),
        "weight": subscription.weight,
    }
