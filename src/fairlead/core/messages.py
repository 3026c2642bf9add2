"""What is told to a person, in parts: which message, with which values. The English text is made from them here.

Another language has a template of its own for each `message_id`, and writes amounts, numbers and lists as it does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fairlead.core.money.currency import money

MOST_NAMED = 8
"""Of a longer list so many are named, and the others counted."""

MOST_CHARACTERS = 60
"""A longer text is cut."""

MORE = "{named} and {count} more"
"""The English for a list of which only some are named."""


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of the marketplace's currency."""

    cents: int


@dataclass(frozen=True, slots=True)
class LevelName:
    """The name of a level."""

    level_id: str


@dataclass(frozen=True, slots=True)
class ProviderName:
    """The name of a provider. No provider is told of another: such a message is for operators."""

    provider_id: str


MessageValue = int | float | bool | str | tuple[str, ...] | Amount | LevelName | ProviderName | datetime
"""A text is a name or a value, never prose: it is the same in every language. So is each of a tuple, an alternative."""


@dataclass(frozen=True, slots=True)
class TranslatableMessage:
    """One sentence: `template` is the English one of `message_id`, with a place in braces for each of the values."""

    message_id: str
    template: str
    values: Mapping[str, MessageValue]


@dataclass(frozen=True, slots=True)
class Names:
    """What a message needs to be written: names of levels and providers by id, and the currency of amounts."""

    level_names: Mapping[str, str]
    currency: str
    provider_names: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Wording:
    """How a language writes values. `more` has places for the `named` of a long list and the `count` of the others.

    `quotes` are two characters: what stands before a text that people wrote, and what stands behind it.
    """

    amount: Callable[[int], str]
    number: Callable[[float], str]
    yes: str
    no: str
    more: str
    moment: Callable[[datetime], str]
    quotes: str = "``"


def written(message: TranslatableMessage, template: str, names: Names, wording: Wording) -> str:
    """The sentence by this template, which is the message's own in some language: one line."""
    values = {name: _value(each, names, wording) for name, each in message.values.items()}
    return template.format_map(values)


def english(message: TranslatableMessage, names: Names) -> str:
    """The sentence in English: one line that ends with a full stop.

    >>> message = TranslatableMessage("price", "{who} pays {price}.", {"who": "Anchor", "price": Amount(1500)})
    >>> english(message, Names({}, "EUR"))
    '`Anchor` pays 15.00 EUR.'
    """
    wording = Wording(lambda cents: money(cents, names.currency), _plain, "yes", "no", MORE, _moment)
    return written(message, message.template, names, wording)


def _value(value: MessageValue, names: Names, wording: Wording) -> str:
    if isinstance(value, Amount):
        return wording.amount(value.cents)
    if isinstance(value, datetime):
        return wording.moment(value)
    if isinstance(value, LevelName):
        return _quoted(names.level_names.get(value.level_id, value.level_id), wording)
    if isinstance(value, ProviderName):
        return _quoted(names.provider_names.get(value.provider_id, value.provider_id), wording)
    if isinstance(value, bool):
        return wording.yes if value else wording.no
    if isinstance(value, str):
        return _quoted(value, wording)
    return _list(value, wording) if isinstance(value, tuple) else wording.number(value)


def _list(texts: Sequence[str], wording: Wording) -> str:
    """No `and`, no `or`: which of them it is, the template says."""
    named = ", ".join(_quoted(text, wording) for text in texts[:MOST_NAMED])
    return wording.more.format(named=named, count=len(texts) - MOST_NAMED) if len(texts) > MOST_NAMED else named


def _plain(number: float) -> str:
    """A whole number has no decimal point, however it was written."""
    return str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _quoted(text: str, wording: Wording) -> str:
    """On one line, and with a visible end."""
    opening, closing = wording.quotes
    line = " ".join(text.replace("`", "'").split())
    cut = f"{line[: MOST_CHARACTERS - 1]}\N{HORIZONTAL ELLIPSIS}" if len(line) > MOST_CHARACTERS else line
    return f"{opening}{cut}{closing}"
