"""What a level asks for a lead, read literally. It imports nothing of Fairlead."""

from dataclasses import dataclass
from datetime import datetime

from tests.model.local_time import MINUTE, Span, is_open


@dataclass(frozen=True)
class PriceRule:
    """A price, and what must be so for it; None: anything may be."""

    price: int
    least_age: int | None = None
    from_minutes: int | None = None
    below_minutes: int | None = None
    hours: tuple[Span, ...] | None = None
    zone: str = "UTC"


def asked_price(price: int, rules: tuple[PriceRule, ...], age: int | None, came: datetime, now: datetime) -> int:
    """The price of the first rule that holds for a person of that age, which came then, else the level's."""
    for rule in rules:
        if rule.least_age is not None and (age is None or age < rule.least_age):
            continue
        if rule.from_minutes is not None and now - came < rule.from_minutes * MINUTE:
            continue
        if rule.below_minutes is not None and now - came >= rule.below_minutes * MINUTE:
            continue
        if rule.hours is not None and not is_open(rule.hours, now, rule.zone):
            continue
        return rule.price
    return price
