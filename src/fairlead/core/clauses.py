"""What a rule says, in parts: a template with values, some of which are clauses themselves. Pages translate them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Union


@dataclass(frozen=True, slots=True)
class Clause:
    """`template` is English, with a place in braces for each of the values. A text is a name or a number."""

    template: str
    values: Mapping[str, Union[str, "Clause"]] = field(default_factory=dict[str, Union[str, "Clause"]])


def clause_text(clause: Clause, translate: Callable[[str], str] = str) -> str:
    """The clause with each of its templates as `translate` has it; without one in English.

    >>> low = Clause("at least {number}", {"number": "4"})
    >>> clause_text(Clause("{field} {words}", {"field": "{cores}", "words": low}))
    '{cores} at least 4'
    >>> clause_text(low, {"at least {number}": "mindestens {number}"}.__getitem__)
    'mindestens 4'
    """
    values = {
        name: clause_text(each, translate) if isinstance(each, Clause) else each for name, each in clause.values.items()
    }
    return translate(clause.template).format_map(values)


def linked(template: str, clauses: Iterable[Clause]) -> Clause:
    """The clauses, of which there is one at least, with the template between: it has places for `left` and `right`.

    >>> clause_text(linked("{left} and {right}", [Clause("young"), Clause("rich"), Clause("near")]))
    'young and rich and near'
    """
    return reduce(lambda left, right: Clause(template, {"left": left, "right": right}), clauses)
