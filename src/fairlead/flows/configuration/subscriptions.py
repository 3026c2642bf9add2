"""Subscribing a provider to a level, and pausing, resuming, filtering and ending that; by an operator or itself.

`of_provider_id` says for whom: with a provider's id the verb knows of its own subscriptions only, and another's is
`subscription_unknown`; None is for operators. It has no default, so that no caller gets an operator's reach by mistake.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from fairlead.core.canonical import JsonObject
from fairlead.core.errors import Refused
from fairlead.core.model import Subscription, filter_text
from fairlead.core.subscription import EVERY_LEAD, paused, resumed, revalidated
from fairlead.flows.configuration.levels import require_living
from fairlead.flows.configuration.subscription_changes import (
    FILTER_CHANGED,
    ChangeRequest,
    LockedForSubscription,
    SubscriptionChanged,
    checked_filter,
    lock_for_subscription,
    record,
    unchanged,
)
from fairlead.flows.configuration.versions import require_version, subscription_version
from fairlead.flows.input_types import canonical_memo
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor
from fairlead.store.configuration.lookups import subscription_keys
from fairlead.store.configuration.rows import SubscriptionRow
from fairlead.store.connection import Connection, Database
from fairlead.store.ids import new_id
from fairlead.store.lookups import checked_id

UNSUBSCRIBED = "subscription.unsubscribed"

Step = Callable[[SubscriptionRow, LockedForSubscription], SubscriptionRow]
"""The subscription as a verb makes it, before its provider's funds are looked at."""


def subscribe(
    database: Database,
    provider_id: str,
    level_id: str,
    actor: Actor,
    *,
    filter_rules: object = None,
    memo: str | None = None,
) -> SubscriptionChanged:
    """The provider subscribes to the level; its filter is the given one, else every lead.

    One that left comes back as it went: with its place in the order (R12), its pause, and, unless another is given, its
    filter. Where the funds do not suffice it waits for them, and the provider is told (R9). Asked for again nothing is
    changed. Locks the niche, then the provider. Raises `BadInput`, for a filter `InvalidDocument`, and `Refused`:
    `provider_unknown`, `level_unknown`, `level_deleted`, `form_unreadable`, `subscription_exists` when there is one
    with another filter.
    """
    checked, subscription_id = checked_id(provider_id, "provider"), new_id(database)
    checked_level = checked_id(level_id, "level")
    memo = canonical_memo(memo)

    def work(conn: Connection, _: Sequence[str]) -> SubscriptionChanged:
        locked = lock_for_subscription(conn, checked, checked_level)
        require_living(locked.level)
        before = next((row for row in locked.rows if row.subscription.level_id == checked_level), None)
        rules = None if filter_rules is None else checked_filter(filter_rules, locked.form, locked.tables)
        if before is not None and not before.is_deleted:
            if rules is not None and before.subscription.filter_text != filter_text(rules):
                raise Refused("subscription_exists", "there is a subscription to this level with another filter")
            return unchanged(before, locked)
        if before is None:
            new = Subscription(subscription_id, checked, checked_level, True, None, EVERY_LEAD, True)
            after = SubscriptionRow(locked.level.niche_id, locked.provider.email, new)
        else:
            after = replace(before, is_deleted=False, subscription=revalidated(before.subscription, locked.form))
        if rules is not None:
            after = replace(after, subscription=_filtered(after.subscription, rules))
        return record(conn, locked, (before, after), ChangeRequest(actor, "subscription.subscribed", memo, None))

    return with_niche_locks(database, work)


def unsubscribe(
    database: Database,
    subscription_id: str,
    actor: Actor,
    *,
    of_provider_id: str | None,
    memo: str | None = None,
    expected_version: str | None = None,
) -> SubscriptionChanged:
    """The subscription has ended; its place in the order, its filter and its pause are kept for a return (R12).

    Locks the niche, then the provider. Raises `Refused`: `subscription_unknown`, `version_conflict`.
    """
    request = ChangeRequest(actor, UNSUBSCRIBED, memo, expected_version)
    return change_subscription(
        database, subscription_id, of_provider_id, lambda row, _: replace(row, is_deleted=True), request
    )


def pause_subscription(
    database: Database,
    subscription_id: str,
    actor: Actor,
    *,
    of_provider_id: str | None,
    memo: str | None = None,
    expected_version: str | None = None,
) -> SubscriptionChanged:
    """The subscription is paused: it receives nothing, and no money brings it back. Its place stays (R12).

    Locks the niche, then the provider. Raises `Refused`: `subscription_unknown`, `subscription_ended`,
    `version_conflict`.
    """

    def step(row: SubscriptionRow, _: LockedForSubscription) -> SubscriptionRow:
        return replace(row, subscription=paused(row.subscription))

    request = ChangeRequest(actor, "subscription.paused", memo, expected_version)
    return change_subscription(database, subscription_id, of_provider_id, step, request)


def resume_subscription(
    database: Database,
    subscription_id: str,
    actor: Actor,
    *,
    of_provider_id: str | None,
    memo: str | None = None,
    expected_version: str | None = None,
) -> SubscriptionChanged:
    """The subscription is not paused any more: active, or, where the funds do not suffice, waiting for them (R9).

    Locks the niche, then the provider. Raises `Refused`: `subscription_unknown`, `subscription_ended`,
    `version_conflict`.
    """

    def step(row: SubscriptionRow, _: LockedForSubscription) -> SubscriptionRow:
        return replace(row, subscription=resumed(row.subscription))

    request = ChangeRequest(actor, "subscription.resumed", memo, expected_version)
    return change_subscription(database, subscription_id, of_provider_id, step, request)


def set_filter(
    database: Database,
    subscription_id: str,
    filter_rules: object,
    actor: Actor,
    *,
    of_provider_id: str | None,
    memo: str | None = None,
    expected_version: str | None = None,
) -> SubscriptionChanged:
    """The subscription's filter is this one, a document as docs/reference/filters.md describes it.

    It takes effect with the next decision, and counts again where it did not fit the form before. Locks the niche,
    then the provider. Raises `InvalidDocument` and `Refused`: `subscription_unknown`, `subscription_ended`,
    `form_unreadable`, `version_conflict`.
    """

    def step(row: SubscriptionRow, locked: LockedForSubscription) -> SubscriptionRow:
        return replace(
            row, subscription=_filtered(row.subscription, checked_filter(filter_rules, locked.form, locked.tables))
        )

    request = ChangeRequest(actor, FILTER_CHANGED, memo, expected_version)
    return change_subscription(database, subscription_id, of_provider_id, step, request)


def _filtered(subscription: Subscription, rules: JsonObject) -> Subscription:
    return replace(subscription, filter_text=filter_text(rules), filter_is_valid=True)


def change_subscription(
    database: Database, subscription_id: str, of_provider_id: str | None, step: Step, request: ChangeRequest
) -> SubscriptionChanged:
    """The subscription is as the step makes it, unless it was so before.

    Locks the niche, then the provider. Raises `Refused`: `subscription_unknown`, `subscription_ended`,
    `version_conflict`, and what the step raises.
    """
    checked = checked_id(subscription_id, "subscription")
    owner_id = None if of_provider_id is None else checked_id(of_provider_id, "provider")
    request = replace(request, memo=canonical_memo(request.memo))

    def work(conn: Connection, _: Sequence[str]) -> SubscriptionChanged:
        found = subscription_keys(conn, checked, owner_id)
        if found is None:
            raise Refused("subscription_unknown", f"there is no subscription {checked}")
        locked = lock_for_subscription(conn, found.provider_id, found.level_id)
        before = next(row for row in locked.rows if row.subscription.subscription_id == checked)
        if before.is_deleted and request.action != UNSUBSCRIBED:
            raise Refused("subscription_ended", "the subscription has ended; subscribe again first")
        after = step(before, locked)
        if _is_same(before, after):
            return unchanged(before, locked)
        require_version(request.expected_version, subscription_version(before), "the subscription")
        return record(conn, locked, (before, after), request)

    return with_niche_locks(database, work)


def _is_same(before: SubscriptionRow, after: SubscriptionRow) -> bool:
    # Python takes true and 1 for the same, a filter does not.
    return before == after
