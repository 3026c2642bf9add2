"""Price rules in plain words, for the people who set them and for those who pay by them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from fairlead.core.clauses import Clause, clause_text, linked
from fairlead.core.filters.clauses import CLAUSES, IN_TURN
from fairlead.core.filters.filter import filter_clause
from fairlead.core.form_field import FormSchema
from fairlead.core.prices import price_rules_document

PRICE_CLAUSES: Mapping[str, str] = {
    "lead": "the lead is {age}",
    "from": "at least {time} old",
    "below": "less than {time} old",
    "span": "{days} {opens} to {closes}",
    "1440": "1 day",
    "1440s": "{count} days",
    "60": "1 hour",
    "60s": "{count} hours",
    "1": "1 minute",
    "1s": "{count} minutes",
    **{day.lower(): day for day in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")},
}
"""The English of what a price rule says beside its filter. Units are in minutes, `s` where there are several."""

_UNITS_IN_MINUTES = (1440, 60, 1)
_LISTED, _BESIDE, _IN_ZONE = "{left}, {right}", "{left} {right}", "{spans} ({zone})"


@dataclass(frozen=True, slots=True)
class WordedPriceRule:
    """A price rule: its name, its price, and when it is asked, in words and in the parts that pages translate."""

    name: str
    price_cents: int
    when_clause: Clause

    @property
    def when(self) -> str:
        """When it is asked, in English."""
        return clause_text(self.when_clause)


def worded_price_rules(text: str | None, schema: FormSchema) -> tuple[WordedPriceRule, ...]:
    """A level's price rules in words, in order.

    >>> text = '{"rules":[{"lead_age_minutes":{"from":60},"name":"Old","price_cents":400}],"version":1}'
    >>> [(rule.name, rule.price_cents, rule.when) for rule in worded_price_rules(text, FormSchema())]
    [('Old', 400, 'the lead is at least 1 hour old')]
    """
    document = cast("dict[str, Any]", price_rules_document(text))
    zone = str(document.get("timezone", ""))
    return tuple(
        WordedPriceRule(rule["name"], rule["price_cents"], linked(IN_TURN, _conditions(rule, zone, schema)))
        for rule in document["rules"]
    )


@dataclass(frozen=True, slots=True)
class WordedPrices:
    """What a level can ask beside its own price, which is asked where no rule holds: for those who pay it."""

    lowest_cents: int
    highest_cents: int
    rules: tuple[WordedPriceRule, ...]


def worded_prices(price_cents: int, text: str | None, schema: FormSchema) -> WordedPrices:
    """The prices that a level can ask, its rules in words.

    >>> worded_prices(900, None, FormSchema())
    WordedPrices(lowest_cents=900, highest_cents=900, rules=())
    """
    rules = worded_price_rules(text, schema)
    every = [price_cents, *(rule.price_cents for rule in rules)]
    return WordedPrices(min(every), max(every), rules)


def _conditions(rule: Mapping[str, Any], zone: str, schema: FormSchema) -> list[Clause]:
    clauses: list[Clause] = []
    if "filter" in rule:
        clauses.append(filter_clause(rule["filter"], schema))
    if "hours" in rule:
        spans = linked(_LISTED, [_span(span) for span in rule["hours"]])
        clauses.append(Clause(_IN_ZONE, {"spans": spans, "zone": zone}))
    if "lead_age_minutes" in rule:
        clauses.append(Clause(PRICE_CLAUSES["lead"], {"age": _age(rule["lead_age_minutes"])}))
    return clauses


def _span(span: Mapping[str, Any]) -> Clause:
    days = linked(_BESIDE, [Clause(PRICE_CLAUSES[day]) for day in span["days"]])
    return Clause(PRICE_CLAUSES["span"], {"days": days, "opens": span["opens"], "closes": span["closes"]})


def _age(age: Mapping[str, int]) -> Clause:
    bounds = [Clause(PRICE_CLAUSES[name], {"time": _time(age[name])}) for name in ("from", "below") if name in age]
    return linked(CLAUSES["all"], bounds)


def _time(minutes: int) -> Clause:
    """The minutes in the largest unit that they are a whole number of.

    >>> [clause_text(_time(each)) for each in (60, 90, 2880)]
    ['1 hour', '90 minutes', '2 days']
    """
    unit = next(each for each in _UNITS_IN_MINUTES if minutes % each == 0)
    if minutes == unit:
        return Clause(PRICE_CLAUSES[str(unit)])
    return Clause(PRICE_CLAUSES[f"{unit}s"], {"count": f"{minutes // unit:,}"})
