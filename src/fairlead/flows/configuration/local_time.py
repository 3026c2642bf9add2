"""Limits and schedules of a subscription, and of a provider over all; and the most that a subscription pays for a lead.

They take effect with the next decision. What was used of a window counts from when the window began, also where a limit
is set in the middle of it: what was received that morning is received.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from fairlead.flows.configuration.provider_terms import contents_of_terms
from fairlead.flows.configuration.providers import locked_provider
from fairlead.flows.configuration.subscription_changes import (
    ChangeRequest,
    LockedForSubscription,
    SubscriptionChanged,
)
from fairlead.flows.configuration.subscriptions import change_subscription
from fairlead.flows.configuration.versions import Changed, provider_version, require_version
from fairlead.flows.declaring.provider_events import provider_events
from fairlead.flows.declaring.timed_documents import checked_limits, checked_schedule
from fairlead.flows.funding import record_moves
from fairlead.flows.input_types import canonical_memo, canonical_values
from fairlead.flows.niche_locks import with_niche_locks
from fairlead.store.audit.log import Actor, append_audit
from fairlead.store.configuration.lookups import niche_ids_subscribed
from fairlead.store.configuration.rows import ProviderRow, SubscriptionRow
from fairlead.store.configuration.writes import write_terms
from fairlead.store.connection import Connection, Database
from fairlead.store.journal import lock_niches
from fairlead.store.leads.rows import clock
from fairlead.store.lookups import checked_id


def set_subscription_limits(
    database: Database,
    subscription_id: str,
    limits: object,
    actor: Actor,
    *,
    of_provider_id: str | None,
    memo: str | None = None,
    expected_version: str | None = None,
) -> SubscriptionChanged:
    """The subscription's own limits are these; None: it has none.

    Locks the niche, then the provider. Raises `BadInput` and `Refused`: `subscription_unknown`, `subscription_ended`,
    `version_conflict`.
    """
    text = checked_limits(limits)

    def step(row: SubscriptionRow, _: LockedForSubscription) -> SubscriptionRow:
        return replace(row, subscription=replace(row.subscription, limits_text=text))

    request = ChangeRequest(actor, "subscription.limits_changed", memo, expected_version)
    return change_subscription(database, subscription_id, of_provider_id, step, request)


def set_subscription_schedule(
    database: Database,
    subscription_id: str,
    schedule: object,
    actor: Actor,
    *,
    of_provider_id: str | None,
    memo: str | None = None,
    expected_version: str | None = None,
) -> SubscriptionChanged:
    """The subscription goes by this schedule; None: by its provider's, if that has one.

    Locks and raises as `set_subscription_limits`.
    """
    text = checked_schedule(schedule)

    def step(row: SubscriptionRow, _: LockedForSubscription) -> SubscriptionRow:
        return replace(row, subscription=replace(row.subscription, schedule_text=text))

    request = ChangeRequest(actor, "subscription.schedule_changed", memo, expected_version)
    return change_subscription(database, subscription_id, of_provider_id, step, request)


def set_subscription_max_price(
    database: Database,
    subscription_id: str,
    max_price_cents: int | None,
    actor: Actor,
    *,
    of_provider_id: str | None,
    memo: str | None = None,
    expected_version: str | None = None,
) -> SubscriptionChanged:
    """The provider pays at most so much for a lead of the subscription (R14); None: whatever the level asks.

    Locks and raises as `set_subscription_limits`.
    """
    wanted = canonical_values({"max_price_cents": max_price_cents})["max_price_cents"]

    def step(row: SubscriptionRow, _: LockedForSubscription) -> SubscriptionRow:
        return replace(row, subscription=replace(row.subscription, max_price_cents=wanted))

    request = ChangeRequest(actor, "subscription.max_price_changed", memo, expected_version)
    return change_subscription(database, subscription_id, of_provider_id, step, request)


def set_provider_limits(
    database: Database,
    provider_id: str,
    limits: object,
    actor: Actor,
    *,
    memo: str | None = None,
    expected_version: str | None = None,
) -> Changed[ProviderRow]:
    """The provider's limits over all of its subscriptions, in every niche, are these; None: it has none.

    Every niche that it ever subscribed in is told. Locks those niches, then the provider. Raises `BadInput` and
    `Refused`: `provider_unknown`, `version_conflict`.
    """
    text = checked_limits(limits)
    return _change(database, provider_id, lambda row: replace(row, limits_text=text), actor, memo, expected_version)


def set_provider_schedule(
    database: Database,
    provider_id: str,
    schedule: object,
    actor: Actor,
    *,
    memo: str | None = None,
    expected_version: str | None = None,
) -> Changed[ProviderRow]:
    """The provider's subscriptions go by this schedule, unless they have their own; None: by none.

    Locks and raises as `set_provider_limits`.
    """
    text = checked_schedule(schedule)
    return _change(database, provider_id, lambda row: replace(row, schedule_text=text), actor, memo, expected_version)


def _change(
    database: Database,
    provider_id: str,
    step: Callable[[ProviderRow], ProviderRow],
    actor: Actor,
    memo: str | None,
    expected_version: str | None,
) -> Changed[ProviderRow]:
    checked, memo = checked_id(provider_id, "provider"), canonical_memo(memo)

    def work(conn: Connection, also: Sequence[str]) -> Changed[ProviderRow]:
        locked = lock_niches(conn, sorted({*niche_ids_subscribed(conn, checked), *also}))
        before = locked_provider(conn, checked)
        after = step(before)
        if after == before:
            return Changed(before, provider_version(before), took_effect=False)
        require_version(expected_version, provider_version(before), "the provider")
        now = clock(conn)
        contents = contents_of_terms(conn, locked, before, after)
        write_terms(conn, after)
        record_moves(conn, locked, contents, [], now)
        append_audit(conn, provider_events(actor, before, after, memo), now)
        return Changed(after, provider_version(after), took_effect=True)

    return with_niche_locks(database, work)
