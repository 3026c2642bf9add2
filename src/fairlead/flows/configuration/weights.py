"""The weight of a subscription (R15): an operator's to set, and its provider's to see."""

from dataclasses import replace

from fairlead.flows.configuration.subscription_changes import (
    ChangeRequest,
    LockedForSubscription,
    SubscriptionChanged,
)
from fairlead.flows.configuration.subscriptions import change_subscription
from fairlead.flows.input_types import canonical_values
from fairlead.store.audit.log import Actor
from fairlead.store.configuration.rows import SubscriptionRow
from fairlead.store.connection import Database


def set_subscription_weight(
    database: Database,
    subscription_id: str,
    weight: int,
    actor: Actor,
    *,
    memo: str | None = None,
    expected_version: str | None = None,
) -> SubscriptionChanged:
    """The subscription has this weight (1 to 100), which counts where its level is weighted (R15).

    The next lead that it receives is charged at it; its pass stays, so that a change gains nothing (R12). Locks the
    niche, then the provider. Raises `BadInput` and `Refused`: `subscription_unknown`, `subscription_ended`,
    `version_conflict`.
    """
    wanted = canonical_values({"weight": weight})["weight"]

    def step(row: SubscriptionRow, _: LockedForSubscription) -> SubscriptionRow:
        return replace(row, subscription=replace(row.subscription, weight=wanted))

    request = ChangeRequest(actor, "subscription.weight_changed", memo, expected_version)
    return change_subscription(database, subscription_id, None, step, request)
