"""What a level asks for a lead (R14): the price of its first price rule that holds, else its own.

A rule holds when each of its conditions does: a filter of the lead's answers, hours of the week by the clocks of the
document's zone, and how old the lead is at the moment of the decision. All of that is known without the subscription,
so a level asks one price of all its candidates.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, cast

from fairlead.core.calendar.schedule import opens_at
from fairlead.core.canonical import JsonObject, canonical_json
from fairlead.core.document import as_list, as_object
from fairlead.core.filters.filter import CompiledFilter, compile_filter
from fairlead.core.form_field import FormSchema
from fairlead.core.model import Level

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class PriceRule:
    """One price, and when it is asked. A condition that is None always holds.

    The lead's age is at least `from_minutes`, and less than `below_minutes`.
    """

    name: str
    price_cents: int
    lead_filter: CompiledFilter | None
    hours_text: str | None
    from_minutes: int | None
    below_minutes: int | None

    @property
    def asks_age(self) -> bool:
        """Whether it depends on how old the lead is."""
        return self.from_minutes is not None or self.below_minutes is not None

    def fits_age(self, age: timedelta) -> bool:
        """Whether a lead that is so old fulfils the rule's condition of age.

        >>> rule = PriceRule("Older", 500, None, None, 60, 120)
        >>> [rule.fits_age(timedelta(minutes=age)) for age in (59, 60, 119, 120)]
        [False, True, True, False]
        """
        if self.from_minutes is not None and age < self.from_minutes * _MINUTE:
            return False
        return self.below_minutes is None or age < self.below_minutes * _MINUTE


@dataclass(frozen=True, slots=True)
class PriceRules:
    """A level's price rules, in order, ready to be asked, and the zone of their hours."""

    timezone: str
    rules: tuple[PriceRule, ...]

    @property
    def ask_age(self) -> bool:
        """Whether a price depends on how old the lead is."""
        return any(rule.asks_age for rule in self.rules)

    @property
    def ask_hours(self) -> bool:
        """Whether a price depends on the hour."""
        return any(rule.hours_text is not None for rule in self.rules)


NO_PRICE_RULES = PriceRules("UTC", ())


@dataclass(frozen=True, slots=True)
class PriceFacts:
    """What a price depends on, beside the rules.

    `attributes` None: they were erased. `is_within` says whether hours of a zone hold the moment; None where that is
    not known.
    """

    attributes: Mapping[str, object] | None
    age: timedelta
    is_within: Callable[[str, str], bool | None]


@dataclass(frozen=True, slots=True)
class HeldRule:
    """The rule that decided a price: its place among those of its level, from 1 on, and its name."""

    number: int
    name: str


def rule_that_holds(rules: PriceRules, facts: PriceFacts, recorded: int = 0) -> HeldRule | None:
    """The first rule that holds; None for none of them.

    `recorded` is the number of the rule that a past decision recorded, 0 for none of them. Where a condition is not
    known, it is that one, if it is one of those that could have held; it decides nothing else.

    >>> dear, cheap = PriceRule("Fresh", 900, None, None, None, 60), PriceRule("Older", 500, None, None, 60, None)
    >>> both = PriceRules("UTC", (dear, cheap))
    >>> [rule_that_holds(both, PriceFacts({}, timedelta(minutes=age), lambda *_: True)).name for age in (59, 60)]
    ['Fresh', 'Older']
    """
    possible: list[int] = []
    for number, rule in enumerate(rules.rules, start=1):
        holds = _holds(rule, rules.timezone, facts)
        if holds is not False:
            possible.append(number)
        if holds:
            break
    else:
        possible.append(0)
    number = recorded if recorded in possible else possible[-1]
    return HeldRule(number, rules.rules[number - 1].name) if number else None


def condition_holds(rule: PriceRule, timezone: str, facts: PriceFacts) -> Mapping[str, bool | None]:
    """Each condition that the rule has, by its name in the document, and whether it holds; None: that is not known."""
    return dict(_conditions(rule, timezone, facts))


def _conditions(rule: PriceRule, timezone: str, facts: PriceFacts) -> Iterator[tuple[str, bool | None]]:
    if rule.lead_filter is not None:
        yield "filter", None if facts.attributes is None else rule.lead_filter.accepts(facts.attributes)
    if rule.hours_text is not None:
        yield "hours", _is_within(rule.hours_text, timezone, facts)
    if rule.asks_age:
        yield "lead_age_minutes", rule.fits_age(facts.age)


def _is_within(hours: str, timezone: str, facts: PriceFacts) -> bool | None:
    try:
        return facts.is_within(hours, timezone)
    except ValueError:
        return False  # what cannot be read holds never, as a filter that cannot be read accepts no lead


def _holds(rule: PriceRule, timezone: str, facts: PriceFacts) -> bool | None:
    found: bool | None = True
    for _, holds in _conditions(rule, timezone, facts):
        if holds is False:
            return False
        if holds is None:
            found = None
    return found


def is_within(hours_text: str, timezone: str, moment: datetime) -> bool:
    """Whether the moment lies in these hours of the week, by the clocks of the zone.

    Raises ValueError for hours or a zone that cannot be read.

    >>> from datetime import UTC
    >>> nights = '{"weekly":[{"closes":"06:00","days":["sun"],"opens":"22:00"}]}'
    >>> monday = datetime(2026, 10, 26, 4, 59, tzinfo=UTC)
    >>> is_within(nights, "Europe/Berlin", monday), is_within(nights, "Europe/Berlin", monday + _MINUTE)
    (True, False)
    """
    return opens_at(hours_text, timezone, moment) is None


def price_rules_text(document: JsonObject | None) -> str | None:
    """The one text of a level's price rules: its canonical JSON; None for no rules, however that is said.

    >>> price_rules_text({"version": 1, "rules": []}) is None
    True
    """
    return canonical_json(document).decode() if document and document.get("rules") else None


def price_rules_document(text: str | None) -> JsonObject:
    """The document of a level's price rules; without any, the one that says so."""
    return json.loads(text) if text is not None else {"version": 1, "rules": []}


def compile_price_rules(text: str | None, schema: FormSchema) -> PriceRules:
    """The price rules, ready to be asked of leads of this form. Never raises.

    A filter that does not fit the form accepts no lead, so that its rule never holds. A document that cannot be read,
    which a damaged row may have, has no rules: the level's own price is asked.
    """
    try:
        document = cast("dict[str, Any]", price_rules_document(text))
        rules = [_compiled(each, schema) for each in document["rules"]]
        return PriceRules(document.get("timezone", NO_PRICE_RULES.timezone), tuple(rules))
    except (LookupError, TypeError, ValueError, AttributeError):
        return NO_PRICE_RULES


def _compiled(rule: Mapping[str, Any], schema: FormSchema) -> PriceRule:
    age: Mapping[str, int] = rule.get("lead_age_minutes", {})
    return PriceRule(
        rule["name"],
        rule["price_cents"],
        compile_filter(rule["filter"], schema) if "filter" in rule else None,
        hours_text(rule["hours"]) if "hours" in rule else None,
        age.get("from"),
        age.get("below"),
    )


@dataclass(frozen=True, slots=True)
class PricedLevel:
    """A level whose price rules are ready to be asked. `at` is the level at each price: its own, then each rule's.

    `lowest_cents` is the lowest of them; `asks_age` and `asks_hours` say whether a price depends on that.
    """

    rules: PriceRules
    at: tuple[Level, ...]
    lowest_cents: int
    asks_age: bool
    asks_hours: bool


def priced_level(level: Level, schema: FormSchema) -> PricedLevel:
    """The level with its price rules for leads of this form. Never raises, as `compile_price_rules`."""
    rules = compile_price_rules(level.price_rules_text, schema)
    prices = [level.price_cents, *(rule.price_cents for rule in rules.rules)]
    at = tuple(replace(level, price_cents=price_cents, price_rules_text=None) for price_cents in prices)
    return PricedLevel(rules, at, lowest_price_cents(level), rules.ask_age, rules.ask_hours)


def hours_text(spans: Sequence[JsonObject]) -> str:
    """The hours as the schedule that they are."""
    return canonical_json({"weekly": [*spans]}).decode()


def lowest_price_cents(level: Level) -> int:
    """The lowest price that the level can ask: what R9 looks at.

    >>> level = Level("gold", "Gold", 900, 1, 1, True)
    >>> lowest_price_cents(level)
    900
    """
    return lowest_of(level.price_cents, level.price_rules_text)


def price_limit_warning(lowest_cents: int, most_cents: int | None) -> str | None:
    """Why no lead comes to a subscription that pays at most so much, of a level that asks no less than the other.

    None where one can come.

    >>> price_limit_warning(900, 899)
    'no lead comes: the least that the level asks is 900 cents, and the most that is paid 899'
    >>> price_limit_warning(900, 900), price_limit_warning(900, None)
    (None, None)
    """
    if most_cents is None or most_cents >= lowest_cents:
        return None
    return (
        f"no lead comes: the least that the level asks is {lowest_cents} cents, and the most that is paid {most_cents}"
    )


def leaves_out(lowest_before_cents: int, lowest_after_cents: int, most_cents: int | None) -> bool:
    """Whether a level that asks at the least the one now, and not the other, lets no lead come any more.

    That is, to a subscription that pays at most so much (None: whatever a lead costs).

    >>> [leaves_out(400, 900, most_cents) for most_cents in (399, 400, 899, 900, None)]
    [False, True, True, False, False]
    """
    return most_cents is not None and lowest_before_cents <= most_cents < lowest_after_cents


def lowest_of(price_cents: int, text: str | None) -> int:
    """The lowest of a level's own price and those of its rules.

    >>> lowest_of(900, '{"rules":[{"name":"Older","price_cents":500}],"version":1}')
    500
    """
    return price_cents if text is None else min((price_cents, *_prices(text)))


@lru_cache(maxsize=4096)
def _prices(text: str) -> tuple[int, ...]:
    rules = as_list((as_object(json.loads(text)) or {}).get("rules")) or ()
    prices = ((as_object(rule) or {}).get("price_cents") for rule in rules)
    return tuple(price for price in prices if isinstance(price, int))
