"""Entries about configuration: how a niche, a level, a provider and a subscription are written, and read back.

Each holds the full state after the change, but for a filter that stayed as it was, which is named by its digest.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fairlead.core.canonical import JsonObject
from fairlead.core.model import INSUFFICIENT_FUNDS, Level, Subscription


def niche_payload(slug: str, name: str, is_active: bool, form_schema: JsonObject) -> JsonObject:
    """The payload of a `niche` entry."""
    return {"slug": slug, "name": name, "is_active": is_active, "form_schema": form_schema}


def level_payload(level: Level, *, is_deleted: bool) -> JsonObject:
    """The payload of a `level` entry."""
    return {
        "level_id": level.level_id,
        "name": level.name,
        "price_cents": level.price_cents,
        "max_recipients": level.max_recipients,
        "order_position": level.order_position,
        "is_active": level.is_active,
        "is_deleted": is_deleted,
    }


def level_from_payload(payload: Mapping[str, Any]) -> tuple[Level, bool]:
    """The level that `level_payload` wrote, and whether it is deleted.

    >>> level = Level("id", "Gold", 500, 3, 1, is_active=True)
    >>> level_from_payload(level_payload(level, is_deleted=False)) == (level, False)
    True
    """
    level = Level(
        payload["level_id"],
        payload["name"],
        payload["price_cents"],
        payload["max_recipients"],
        payload["order_position"],
        payload["is_active"],
    )
    return level, payload["is_deleted"]


def provider_payload(provider_id: str, status: str) -> JsonObject:
    """The payload of a `provider` entry: its status, in every niche that it has ever subscribed in.

    >>> provider_payload("p", "suspended")
    {'provider_id': 'p', 'status': 'suspended'}
    """
    return {"provider_id": provider_id, "status": status}


def subscription_payload(subscription: Subscription, *, is_deleted: bool) -> JsonObject:
    """The payload of a `subscription` entry."""
    return {
        "subscription_id": subscription.subscription_id,
        "provider_id": subscription.provider_id,
        "level_id": subscription.level_id,
        "is_active": subscription.is_active,
        "deactivation_reason": subscription.deactivation_reason,
        "filter_rules": subscription.filter_rules,
        "filter_is_valid": subscription.filter_is_valid,
        "is_deleted": is_deleted,
    }


def subscription_from_payload(payload: Mapping[str, Any]) -> tuple[Subscription, bool]:
    """The subscription that `subscription_payload` wrote, and whether it is deleted.

    >>> subscription = Subscription("s", "p", "l", False, "paused", {"version": 1, "rules": []}, True)
    >>> subscription_from_payload(subscription_payload(subscription, is_deleted=True)) == (subscription, True)
    True
    """
    subscription = Subscription(
        payload["subscription_id"],
        payload["provider_id"],
        payload["level_id"],
        payload["is_active"],
        payload["deactivation_reason"],
        payload["filter_rules"],
        payload["filter_is_valid"],
    )
    return subscription, payload["is_deleted"]


def deactivated_for_funds(subscription: Subscription) -> Subscription:
    """The subscription as R9 leaves it when its level costs more than its provider can pay.

    >>> after = deactivated_for_funds(Subscription("s", "p", "l", True, None, {}, True))
    >>> after.is_active, after.deactivation_reason
    (False, 'insufficient_funds')
    """
    return replace(subscription, is_active=False, deactivation_reason=INSUFFICIENT_FUNDS)
