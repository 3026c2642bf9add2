"""What providers and operators control, on every subscription and level of a population, so that no sale is another.

Limits that none reaches, schedules that never close, filters of version 2 that accept what those of version 1 accept,
and price rules. Of each there are many different ones, in many zones, as in a marketplace: equal ones would be reckoned
once for all.
"""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any

from fairlead.core.canonical import canonical_json
from fairlead.core.model import PLAIN_TERMS, ProviderTerms, Subscription, filter_text

ZONES = (
    "America/Los_Angeles",
    "America/New_York",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Australia/Adelaide",
    "Australia/Sydney",
    "Europe/Berlin",
    "Europe/Istanbul",
    "Europe/Lisbon",
    "Europe/London",
    "UTC",
)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAYS_OFF = ("2999-01-01", "2999-05-01", "2999-08-15", "2999-12-24", "2999-12-31")
PLENTY = 1_000_000
"""More leads than a measurement gives: limits lie above."""
ROUND_NUMBERS = tuple(PLENTY * number for number in (1, 2, 3, 5, 10, 20, 50, 100))
"""What people choose from: few numbers, so that many subscriptions share each, and hundreds of limits are different."""


class Control(StrEnum):
    """What is on every subscription, or, of price rules, on every level."""

    LIMITS = "limits"
    SCHEDULES = "schedules"
    PRICE_RULES = "price rules"
    FILTERS = "filters of version 2"


def terms_of(controls: frozenset[Control], dice: random.Random) -> ProviderTerms:
    """What holds for a provider of such a population: a zone, where time counts, and limits in two windows."""
    if not controls & {Control.LIMITS, Control.SCHEDULES}:
        return PLAIN_TERMS
    limits = {
        "leads_per_week": dice.choice(ROUND_NUMBERS),
        "spend_cents_per_month": dice.choice(ROUND_NUMBERS) * 1000,
    }
    return ProviderTerms(dice.choice(ZONES), _text(limits) if Control.LIMITS in controls else None)


def controlled(subscription: Subscription, controls: frozenset[Control], dice: random.Random) -> Subscription:
    """The subscription with what a population puts on each of its own."""
    if Control.FILTERS in controls:
        rules: list[dict[str, Any]] = json.loads(subscription.filter_text)["rules"]
        subscription = replace(subscription, filter_text=filter_text(_nested(rules)))
    return replace(
        subscription,
        limits_text=_limits(dice) if Control.LIMITS in controls else None,
        schedule_text=_schedule(dice) if Control.SCHEDULES in controls else None,
    )


def price_rules(price_cents: int, regions: Sequence[str]) -> str:
    """Three rules of a level: by answers, by the hour and by the lead's age, each at a price below the level's."""
    zone, low = "Europe/Berlin", price_cents // 2
    hours = [{"days": ["sat", "sun"], "opens": "08:00", "closes": "20:00"}]
    few = {"version": 1, "rules": [{"field_key": "region", "operator": "in", "value": [*regions[:5]]}]}
    rules = [
        {"name": "Near", "price_cents": low + 2, "filter": few},
        {"name": "Weekend", "price_cents": low + 1, "hours": hours},
        {"name": "Older than a day", "price_cents": low, "lead_age_minutes": {"from": 1440}},
    ]
    return canonical_json({"version": 1, "timezone": zone, "rules": rules}).decode()


def _limits(dice: random.Random) -> str:
    """A subscription's own limits: three windows."""
    return _text(
        {
            "leads_per_hour": dice.choice(ROUND_NUMBERS),
            "leads_per_day": dice.choice(ROUND_NUMBERS),
            "spend_cents_per_month": dice.choice(ROUND_NUMBERS) * 1000,
        }
    )


def _schedule(dice: random.Random) -> str:
    """A schedule that is open at every moment: two spans a day that meet, and a few days off in a far year."""
    noon = f"{dice.randrange(6, 20):02}:{dice.choice((0, 30)):02}"
    days_off = sorted(dice.sample(DAYS_OFF, 3))
    spans = [("00:00", noon), (noon, "24:00")]
    weekly = [{"days": [*DAYS], "opens": opens, "closes": closes} for opens, closes in spans]
    return _text({"dates_off": days_off, "weekly": weekly})


def _nested(rules: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """A filter of version 2 that accepts what these rules of version 1 do, with groups of each kind."""
    return {"version": 2, "rules": [part for rule in rules for part in _parts(rule)]}


def _parts(rule: Mapping[str, Any]) -> list[object]:
    key, operator, value = rule["field_key"], rule["operator"], rule["value"]

    def own(operator: str, value: object) -> dict[str, object]:
        return {"field_key": key, "operator": operator, "value": value}

    if operator == "between":
        low, high = value
        return [{"not": {"any": [own("lt", low), own("gt", high)]}}]
    first, *others = value
    if not others:
        half = (18 + 77) // 2
        return [
            {
                "any": [
                    {"all": [own("eq", first), {"field_key": "age", "operator": "lte", "value": half}]},
                    {"all": [own("eq", first), {"field_key": "age", "operator": "gt", "value": half}]},
                ]
            }
        ]
    return [{"any": [own("eq", first), {"not": own("not_in", others)}]}]


def _text(document: Mapping[str, object]) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"))
