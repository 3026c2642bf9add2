"""The rules of distribution once more, read literally: plain lists, every subscription visited, no index.

It shares nothing with the engine but the shape of its input.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fairlead.core.form import FormSchema
from fairlead.core.model import Level, Subscription
from tests.core.filters.oracle import oracle_index_of_mismatch
from tests.core.markets import Market


def naive_decision(
    market: Market, schema: FormSchema, lead: Mapping[str, object], age_minutes: int = 0
) -> dict[str, Any]:
    """What `plain` makes of the right decision."""
    active = sorted((level for level in market.levels if level.is_active), key=lambda level: level.order_position)
    if not active:
        return {"start": None, "next": market.pointer, "outcome": "no_eligible", "levels": []}
    ahead = [number for number, level in enumerate(active) if level.order_position >= market.pointer]
    first = ahead[0] if ahead else 0
    order = active[first:] + active[:first]
    received: dict[str, str] = {}
    served = max(market.served.values(), default=0)
    visits: list[dict[str, Any]] = []
    for level in order:
        priced = replace(level, price_cents=naive_price(level, schema, lead, age_minutes))
        visit = _visit(market, schema, lead, priced, received, served)
        served += len(visit["recipients"])
        received |= {provider_id: level.level_id for provider_id, *_ in visit["recipients"]}
        visits.append(visit)
    is_short = any(
        len(visit["recipients"]) < level.max_recipients
        and any(reason == "insufficient_balance" for _, reason, *_ in visit["refused"])
        and not (level.is_exclusive and received)
        for level, visit in zip(order, visits, strict=True)
    ) and not _is_closed(market, received)
    outcome = ("partial" if is_short else "success") if received else "no_eligible"
    following = order[1 % len(order)].order_position
    return {"start": order[0].order_position, "next": following, "outcome": outcome, "levels": visits}


def naive_price(level: Level, schema: FormSchema, lead: Mapping[str, object], age_minutes: int) -> int:
    """What the level asks for the lead, its rules read one after the other."""
    if level.price_rules_text is None:
        return level.price_cents
    for rule in json.loads(level.price_rules_text)["rules"]:
        age = rule.get("lead_age_minutes", {})
        fits = "filter" not in rule or oracle_index_of_mismatch(rule["filter"], schema, lead) is None
        if fits and age.get("from", 0) <= age_minutes < age.get("below", 10**9):
            return int(rule["price_cents"])
    return level.price_cents


def _visit(
    market: Market,
    schema: FormSchema,
    lead: Mapping[str, object],
    level: Level,
    received: dict[str, str],
    served: int,
) -> dict[str, Any]:
    recipients: list[tuple[object, ...]] = []
    refused: list[tuple[object, ...]] = []
    counts: Counter[str] = Counter()

    def turn(subscription: Subscription) -> tuple[int, bool, int, str]:
        last = market.served.get(subscription.subscription_id)
        due = _due_at(market, subscription) if level.order == "weighted" else 0
        return (due, last is not None, last or 0, subscription.provider_id)

    def rival(provider_id: str) -> str | None:
        """Who of the same group receives the lead, of those chosen so far."""
        group = market.groups.get(provider_id)
        so_far = [*received, *(str(each) for each, *_ in recipients)]
        return next((each for each in so_far if group is not None and market.groups.get(each) == group), None)

    late: list[Subscription] = []
    for each in sorted((s for s in market.subscriptions if s.level_id == level.level_id), key=turn):
        balance = market.balances[each.provider_id]
        so_far = received | {str(provider_id): level.level_id for provider_id, *_ in recipients}
        is_full = _is_closed(market, so_far) or (level.is_exclusive and bool(so_far))
        if market.statuses[each.provider_id] != "active":
            counts["provider_inactive"] += 1
        elif not each.is_active:
            counts["subscription_inactive"] += 1
        elif not each.filter_is_valid:
            counts["filter_invalid"] += 1
        elif oracle_index_of_mismatch(each.filter_rules, schema, lead) is not None:
            counts["filter_mismatch"] += 1
        elif each.max_price_cents is not None and each.max_price_cents < level.price_cents:
            counts["price_above_limit"] += 1
        elif is_full or len(recipients) == level.max_recipients:
            late.append(each)
        elif each.provider_id in received:
            refused.append((each.provider_id, "already_recipient", None, received[each.provider_id]))
        elif rival(each.provider_id) is not None:
            refused.append((each.provider_id, "conflict_group", None, rival(each.provider_id)))
        elif balance.balance_cents + balance.credit_limit_cents < level.price_cents:
            available = balance.balance_cents + balance.credit_limit_cents
            refused.append((each.provider_id, "insufficient_balance", available, None))
        else:
            place = served + len(recipients) + 1
            recipients.append((each.provider_id, each.subscription_id, level.price_cents, place))
    in_the_end = received | {str(provider_id): level.level_id for provider_id, *_ in recipients}
    is_full = _is_closed(market, in_the_end) or (level.is_exclusive and bool(in_the_end))
    for each in late:
        if each.provider_id in received:
            counts["already_recipient"] += 1
        elif rival(each.provider_id) is not None:
            counts["conflict_group"] += 1
        else:
            counts["lead_full" if is_full else "level_full"] += 1
    return {"level": level.level_id, "recipients": recipients, "refused": refused, "counts": dict(counts)}


def _due_at(market: Market, subscription: Subscription) -> int:
    """R15: its own pass; but not before the level's, or, where it was served since, no more than a stride before."""
    own = market.passes.get(subscription.subscription_id, 0)
    reached, reached_at, stride = market.level_passes.get(subscription.level_id, (0, 0, 0))
    last = market.served.get(subscription.subscription_id)
    return max(own, reached - stride) if last is not None and last >= reached_at else max(own, reached)


def _is_closed(market: Market, received: Mapping[str, str]) -> bool:
    exclusive = {level.level_id for level in market.levels if level.is_exclusive}
    if any(level_id in exclusive for level_id in received.values()):
        return True
    return market.most_recipients is not None and len(received) >= market.most_recipients
