"""What the model knows, in the words of a marketplace file."""

from collections.abc import Sequence
from typing import Any

from fairlead.core.canonical import JsonObject
from tests.model.local_time import Schedule, Span, Terms
from tests.model.model import Level, Rules
from tests.model.prices import PriceRule

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def email_of(name: str) -> str:
    return f"{name}@providers.test"


def told(rules: Rules) -> dict[str, object]:
    """The filter, of the second version where it has groups."""
    version = 2 if any(operator in ("any", "not") for operator, _ in rules) else 1
    return {"filter_version": version, "filter": [_rule(*rule) for rule in rules]}


def _rule(operator: str, value: Any) -> dict[str, object]:
    if operator == "any":
        return {"any": [_rule(*rule) for rule in value]}
    if operator == "not":
        return {"not": _rule(*value)}
    return {"field_key": "age", "operator": operator, "value": value}


def terms_of(level: Level) -> dict[str, object]:
    return {
        "name": level.name,
        "price_cents": level.price,
        "max_recipients": level.most,
        "order_position": level.position,
        "order": "weighted" if level.is_weighted else "least_recently_served",
    }


def price_rules_of(rules: Sequence[PriceRule]) -> dict[str, object]:
    """The rules as a document; without any it is empty, and the level has one price."""
    if not rules:
        return {}
    zones = [rule.zone for rule in rules if rule.hours is not None]
    zone = {"timezone": zones[0]} if zones else {}
    return {"version": 1, **zone, "rules": [_price_rule(number, rule) for number, rule in enumerate(rules)]}


def _price_rule(number: int, rule: PriceRule) -> dict[str, object]:
    told_rule: dict[str, object] = {"name": f"rule {number}", "price_cents": rule.price}
    if rule.least_age is not None:
        told_rule["filter"] = {"version": 1, "rules": [_rule("gte", rule.least_age)]}
    minutes = {"from": rule.from_minutes, "below": rule.below_minutes}
    if minutes := {name: each for name, each in minutes.items() if each is not None}:
        told_rule["lead_age_minutes"] = minutes
    if rule.hours is not None:
        told_rule["hours"] = schedule_of(rule.hours)["weekly"]
    return told_rule


def timed(terms: Terms) -> dict[str, object]:
    """Limits and a schedule, also where there are none."""
    return {"limits": dict(terms.limits), "schedule": schedule_document(terms.schedule)}


def schedule_document(schedule: Schedule | None) -> JsonObject:
    """The schedule as a document, which is empty where every hour is open."""
    if schedule is None:
        return {}
    document = dict(schedule_of(schedule.hours or ()))
    if schedule.off:
        document["dates_off"] = [{"from": f"{first}", "to": f"{last}"} for first, last in schedule.off]
    if schedule.holidays is not None:
        country, _, region = schedule.holidays.partition("-")
        document["holidays"] = {"country": country, "region": region} if region else {"country": country}
    if schedule.paused_until is not None:
        document["paused_until"] = schedule.paused_until.isoformat()
    return document


def schedule_of(hours: Sequence[Span]) -> JsonObject:
    """The hours as a schedule; without any it is empty, and every hour is open."""
    spans: list[dict[str, object]] = [
        {"days": [DAYS[day] for day in days], "opens": _time(opens), "closes": _time(closes)}
        for days, opens, closes in hours
    ]
    return {"weekly": spans} if spans else {}


def _time(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def subscription_to(level: Level, **words: object) -> dict[str, object]:
    return {"niche": level.niche, "level": level.name, **words}
