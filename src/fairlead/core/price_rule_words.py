"""Price rules in plain words, for the people who set them and for those who pay by them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from fairlead.core.filters import summarise_filter
from fairlead.core.form_field import FormSchema
from fairlead.core.prices import price_rules_document

_UNITS = ((1440, "day", "days"), (60, "hour", "hours"), (1, "minute", "minutes"))
_DAY_NAMES = {"mon": "Mon", "tue": "Tue", "wed": "Wed", "thu": "Thu", "fri": "Fri", "sat": "Sat", "sun": "Sun"}


@dataclass(frozen=True, slots=True)
class WordedPriceRule:
    """A price rule: its name, its price, and when it is asked, in words."""

    name: str
    price_cents: int
    when: str


def worded_price_rules(text: str | None, schema: FormSchema) -> tuple[WordedPriceRule, ...]:
    """A level's price rules in words, in order.

    >>> text = '{"rules":[{"lead_age_minutes":{"from":60},"name":"Old","price_cents":400}],"version":1}'
    >>> worded_price_rules(text, FormSchema())
    (WordedPriceRule(name='Old', price_cents=400, when='the lead is at least 1 hour old'),)
    """
    document = cast("dict[str, Any]", price_rules_document(text))
    zone = str(document.get("timezone", ""))
    return tuple(
        WordedPriceRule(rule["name"], rule["price_cents"], "; ".join(_conditions(rule, zone, schema)))
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


def _conditions(rule: Mapping[str, Any], zone: str, schema: FormSchema) -> list[str]:
    words: list[str] = []
    if "filter" in rule:
        words.append(summarise_filter(rule["filter"], schema))
    if "hours" in rule:
        words.append(f"{', '.join(_span(span) for span in rule['hours'])} ({zone})")
    if "lead_age_minutes" in rule:
        words.append(f"the lead is {_age(rule['lead_age_minutes'])}")
    return words


def _span(span: Mapping[str, Any]) -> str:
    days: Sequence[str] = span["days"]
    return f"{' '.join(_DAY_NAMES.get(day, day) for day in days)} {span['opens']} to {span['closes']}"


def _age(age: Mapping[str, int]) -> str:
    parts: list[str] = []
    if "from" in age:
        parts.append(f"at least {_duration(age['from'])} old")
    if "below" in age:
        parts.append(f"less than {_duration(age['below'])} old")
    return " and ".join(parts)


def _duration(minutes: int) -> str:
    """The minutes in the largest unit that they are a whole number of.

    >>> _duration(60), _duration(90), _duration(2880)
    ('1 hour', '90 minutes', '2 days')
    """
    for length, one, more in _UNITS:
        if minutes % length == 0:
            return f"{minutes // length:,} {one if minutes == length else more}"
    return f"{minutes} minutes"
