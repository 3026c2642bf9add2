"""Entries about configuration: how a niche, a level, a provider and a subscription are written, and read back.

Each holds the full state after the change, but for a filter that stayed as it was, which is named by its digest.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from fairlead.core.calendar.limits import limits_text
from fairlead.core.canonical import JsonObject
from fairlead.core.journal import UnreadableEntry
from fairlead.core.model import LEAST_RECENTLY_SERVED, PLAIN_TERMS, Level, ProviderTerms, Subscription, filter_text
from fairlead.core.prices import price_rules_text


def niche_payload(
    slug: str, name: str, is_active: bool, form_schema: JsonObject, max_recipients_per_lead: int | None = None
) -> JsonObject:
    """The payload of a `niche` entry; without a limit of recipients per lead that is left out.

    >>> niche_payload("loans", "Loans", True, {}, 3)["max_recipients_per_lead"]
    3
    """
    limit = {} if max_recipients_per_lead is None else {"max_recipients_per_lead": max_recipients_per_lead}
    return {"slug": slug, "name": name, "is_active": is_active, "form_schema": form_schema, **limit}


def level_payload(level: Level, *, is_deleted: bool) -> JsonObject:
    """The payload of a `level` entry; what it is not, or does not have, is left out, and so is the usual order."""
    return {
        "level_id": level.level_id,
        "name": level.name,
        "price_cents": level.price_cents,
        "max_recipients": level.max_recipients,
        "order_position": level.order_position,
        "is_active": level.is_active,
        "is_deleted": is_deleted,
        **({"is_exclusive": True} if level.is_exclusive else {}),
        **({} if level.price_rules_text is None else {"price_rules": json.loads(level.price_rules_text)}),
        **({} if level.order == LEAST_RECENTLY_SERVED else {"order": level.order}),
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
        payload.get("is_exclusive", False),
        price_rules_text(payload.get("price_rules")),
        order=payload.get("order", LEAST_RECENTLY_SERVED),
    )
    return level, payload["is_deleted"]


def provider_payload(provider_id: str, status: str, terms: ProviderTerms = PLAIN_TERMS) -> JsonObject:
    """The payload of a `provider` entry: its status and terms, in every niche that it has ever subscribed in.

    A member of the terms that is plain is left out. The time zone matters, and is kept up to date, only where the
    provider, or a subscription of its in the niche, has limits or a schedule.

    >>> provider_payload("p", "suspended")
    {'provider_id': 'p', 'status': 'suspended'}
    >>> provider_payload("p", "active", ProviderTerms("Asia/Kolkata", '{"leads_per_day":5}'))["limits"]
    {'leads_per_day': 5}
    """
    payload: dict[str, object] = {"provider_id": provider_id, "status": status}
    if terms.timezone != PLAIN_TERMS.timezone:
        payload["timezone"] = terms.timezone
    if terms.conflict_group_id is not None:
        payload["conflict_group_id"] = terms.conflict_group_id
    return {**payload, **_timed(terms.limits_text, terms.schedule_text)}


def terms_from_payload(payload: Mapping[str, Any]) -> ProviderTerms:
    """The terms that `provider_payload` wrote.

    >>> terms = ProviderTerms("Asia/Kolkata", '{"leads_per_day":5}')
    >>> terms_from_payload(provider_payload("p", "active", terms)) == terms
    True
    """
    zone = payload.get("timezone", PLAIN_TERMS.timezone)
    return ProviderTerms(zone, *_timed_texts(payload), payload.get("conflict_group_id"))


def _timed(own_limits: str | None, schedule: str | None) -> JsonObject:
    texts = {"limits": own_limits, "schedule": schedule}
    return {name: json.loads(text) for name, text in texts.items() if text is not None}


def _timed_texts(payload: Mapping[str, Any]) -> tuple[str | None, str | None]:
    return limits_text(payload.get("limits")), limits_text(payload.get("schedule"))


def filter_digest(text: str) -> str:
    """The hexadecimal SHA-256 of the canonical filter, by which an entry names a filter that did not change.

    >>> filter_digest('{"rules":[],"version":1}')[:16]
    '1e34e8bc6c109516'
    """
    return hashlib.sha256(text.encode()).hexdigest()


def subscription_payload(
    subscription: Subscription, *, is_deleted: bool, before: Subscription | None = None
) -> JsonObject:
    """The payload of a `subscription` entry; a weight of 1 is left out.

    `before` is the living subscription as the journal has it so far, if there is one: a filter that stayed is named by
    its digest, so that a pause costs the journal the same whatever the filter's size.

    >>> from dataclasses import replace
    >>> active = Subscription("s", "p", "l", True, None, '{"rules":[],"version":1}', True)
    >>> paused = subscription_payload(replace(active, is_active=False), is_deleted=False, before=active)
    >>> "filter_rules" in paused, paused["filter_sha256"] == filter_digest(active.filter_text)
    (False, True)
    """
    payload: dict[str, object] = {
        "subscription_id": subscription.subscription_id,
        "provider_id": subscription.provider_id,
        "level_id": subscription.level_id,
        "is_active": subscription.is_active,
        "deactivation_reason": subscription.deactivation_reason,
        "filter_is_valid": subscription.filter_is_valid,
        "is_deleted": is_deleted,
        **_timed(subscription.limits_text, subscription.schedule_text),
        **({} if subscription.max_price_cents is None else {"max_price_cents": subscription.max_price_cents}),
        **({} if subscription.weight == 1 else {"weight": subscription.weight}),
    }
    if before is not None and before.filter_text == subscription.filter_text:
        return {**payload, "filter_sha256": filter_digest(before.filter_text)}
    return {**payload, "filter_rules": subscription.filter_rules}


def subscription_from_payload(
    payload: Mapping[str, Any], before: Subscription | None = None
) -> tuple[Subscription, bool]:
    """The subscription that `subscription_payload` wrote, and whether it is deleted.

    `before` is the living subscription as the entries before this one have it. Raises `UnreadableEntry` for a digest
    that is not that of its filter.

    >>> subscription = Subscription("s", "p", "l", False, "paused", '{"rules":[],"version":1}', True)
    >>> subscription_from_payload(subscription_payload(subscription, is_deleted=True)) == (subscription, True)
    True
    >>> payload = subscription_payload(subscription, is_deleted=True, before=subscription)
    >>> subscription_from_payload(payload, subscription) == (subscription, True)
    True
    """
    subscription = Subscription(
        payload["subscription_id"],
        payload["provider_id"],
        payload["level_id"],
        payload["is_active"],
        payload["deactivation_reason"],
        _filter_of(payload, before),
        payload["filter_is_valid"],
        *_timed_texts(payload),
        payload.get("max_price_cents"),
        weight=payload.get("weight", 1),
    )
    return subscription, payload["is_deleted"]


def _filter_of(payload: Mapping[str, Any], before: Subscription | None) -> str:
    if "filter_sha256" not in payload:
        return filter_text(payload["filter_rules"])
    if "filter_rules" in payload:
        raise UnreadableEntry("it has a filter, and the digest of one")
    if before is None or filter_digest(before.filter_text) != payload["filter_sha256"]:
        raise UnreadableEntry("its `filter_sha256` is not that of the filter that the subscription has")
    return before.filter_text
