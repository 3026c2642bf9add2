"""What is told to a person, in parts: which message, with which values. The English text is made from them here.

Another language has a template of its own for each `message_id`, and writes amounts, numbers and lists as it does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fairlead.core.currency import money

MOST_NAMED = 8
"""Of a longer list so many are named, and the others counted."""

MOST_CHARACTERS = 60
"""A longer text is cut."""


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of the marketplace's currency."""

    cents: int


@dataclass(frozen=True, slots=True)
class LevelName:
    """The name of a level."""

    level_id: str


MessageValue = int | float | bool | str | tuple[str, ...] | Amount | LevelName
"""A text is a name or a value, never prose: it is the same in every language. So is each of a tuple, an alternative."""


@dataclass(frozen=True, slots=True)
class TranslatableMessage:
    """One sentence: `template` is the English one of `message_id`, with a place in braces for each of the values."""

    message_id: str
    template: str
    values: Mapping[str, MessageValue]


@dataclass(frozen=True, slots=True)
class Names:
    """What a message needs to be written: names of levels by id, and the currency that amounts are in."""

    level_names: Mapping[str, str]
    currency: str


def english(message: TranslatableMessage, names: Names) -> str:
    """The sentence in English: one line that ends with a full stop.

    >>> message = TranslatableMessage("price", "{who} pays {price}.", {"who": "Anchor", "price": Amount(1500)})
    >>> english(message, Names({}, "EUR"))
    '`Anchor` pays 15.00 EUR.'
    """
    return message.template.format_map({name: _english(value, names) for name, value in message.values.items()})


def _english(value: MessageValue, names: Names) -> str:
    if isinstance(value, Amount):
        return money(value.cents, names.currency)
    if isinstance(value, LevelName):
        return _quoted(names.level_names.get(value.level_id, value.level_id))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return _quoted(value)
    return _list(value) if isinstance(value, tuple) else _plain(value)


def _list(texts: Sequence[str]) -> str:
    """No `and`, no `or`: which of them it is, the template says."""
    named = ", ".join(_quoted(text) for text in texts[:MOST_NAMED])
    return f"{named} and {len(texts) - MOST_NAMED} more" if len(texts) > MOST_NAMED else named


def _plain(number: float) -> str:
    """A whole number has no decimal point, however it was written."""
    return str(int(number)) if isinstance(number, float) and number.is_integer() else str(number)


def _quoted(text: str) -> str:
    """On one line, and with a visible end."""
    line = " ".join(text.replace("`", "'").split())
    return f"`{line[: MOST_CHARACTERS - 1]}\N{HORIZONTAL ELLIPSIS}`" if len(line) > MOST_CHARACTERS else f"`{line}`"
