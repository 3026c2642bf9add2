"""Rules of one kind on one field, of many slots: which of them a lead's value of that field fails.

What a rule names are *keys*; a lead's value selects a few keys, and the slots that refuse it follow by set algebra on
compressed bitmaps.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum, auto
from typing import cast

from pyroaring import BitMap

from fairlead.core.filters.distances import Circle
from fairlead.core.filters.needles import Needles
from fairlead.core.filters.postcodes import postcode_key
from fairlead.core.filters.predicates import POSTCODE_OPERATORS, item_texts, operand_keys
from fairlead.core.filters.rules import Operator, Rule
from fairlead.core.form_field import FieldType, is_empty, is_number

Key = str | int | float | bool
NO_SLOTS = BitMap()
"""No slot: do not change it."""


class RuleKind(IntEnum):  # integers hash five times as fast as members of an Enum
    ONE_OF = auto()  # select, radio, text: the value is one of the keys
    NONE_OF = auto()  # ... is none of the keys
    SOME_ITEM = auto()  # multi-select: some item is one of the keys
    NO_ITEM = auto()  # ... no item is
    NEEDLE = auto()  # text: the case-folded value contains the key
    NO_NEEDLE = auto()  # ... contains none of the keys
    POSTCODE = auto()  # text: the postcode is one of the keys
    NO_POSTCODE = auto()  # ... is none of the keys
    POSTCODE_START = auto()  # ... starts with one of the keys
    NO_POSTCODE_START = auto()  # ... starts with none of the keys
    BOOLEAN = auto()
    OTHER_NUMBER = auto()  # number: the value is none of the keys
    PRESENT = auto()
    ABSENT = auto()


REFUSING_KINDS = (
    RuleKind.NONE_OF,
    RuleKind.NO_ITEM,
    RuleKind.OTHER_NUMBER,
    RuleKind.NO_NEEDLE,
    RuleKind.NO_POSTCODE,
    RuleKind.NO_POSTCODE_START,
)  # their keys name what is refused
REPEATABLE_KINDS = (
    RuleKind.SOME_ITEM,
    RuleKind.NEEDLE,
    RuleKind.POSTCODE_START,
)  # several on one field cannot be merged into one
FamilyName = tuple[str, RuleKind, int]


_NEEDLES = (RuleKind.NEEDLE, RuleKind.NO_NEEDLE)
_LONG_LIST = 64
"""Lists of more keys are kept once for all slots that have the same, so that a thousand of them cost what one does."""


@dataclass(slots=True)
class Family:
    """The slots that have a rule of one kind on one field, and what each names."""

    kind: RuleKind
    constrained: BitMap = field(default_factory=BitMap)
    _naming: dict[Key, BitMap] = field(default_factory=dict[Key, BitMap])
    _needles: Needles = field(default_factory=Needles)
    _list_numbers: dict[tuple[Key, ...], int] = field(default_factory=dict[tuple[Key, ...], int])
    _slots_of_list: list[BitMap] = field(default_factory=list[BitMap])
    _lists_naming: dict[Key, BitMap] = field(default_factory=dict[Key, BitMap])

    def add(self, slot: int, keys: tuple[Key, ...]) -> None:
        """The slot has a rule that names these keys."""
        self.constrained.add(slot)
        if len(keys) > _LONG_LIST and self.kind not in _NEEDLES:
            self._slots_of_list[self._list_number(keys)].add(slot)
            return
        for key in keys:
            slots = self._naming.get(key)
            if slots is None:
                slots = self._naming[key] = BitMap()
                if self.kind in _NEEDLES:
                    self._needles.add(cast(str, key))
            slots.add(slot)

    def _list_number(self, keys: tuple[Key, ...]) -> int:
        number = self._list_numbers.setdefault(keys, len(self._slots_of_list))
        if number == len(self._slots_of_list):
            self._slots_of_list.append(BitMap())
            for key in keys:
                lists = self._lists_naming.get(key)
                if lists is None:
                    lists = self._lists_naming[key] = BitMap()
                lists.add(number)
        return number

    def refusing(self, value: object) -> BitMap:
        """The slots whose rule this value of the field fails."""
        if self.kind is RuleKind.PRESENT or self.kind is RuleKind.ABSENT:
            return self.constrained if is_empty(value) == (self.kind is RuleKind.PRESENT) else NO_SLOTS
        keys = self._needles_in(value) if self.kind in _NEEDLES else _KEYS_OF[self.kind](value)
        if keys is None:
            return self.constrained
        named = self._named(keys)
        hit = NO_SLOTS if not named else named[0] if len(named) == 1 else BitMap.union(*named)
        return hit if self.kind in REFUSING_KINDS else self.constrained - hit

    def _named(self, keys: Iterable[Key]) -> list[BitMap]:
        if not self._slots_of_list:
            return [slots for key in keys if (slots := self._naming.get(key)) is not None]
        known = tuple(keys)
        named = [slots for key in known if (slots := self._naming.get(key)) is not None]
        lists = [numbers for key in known if (numbers := self._lists_naming.get(key)) is not None]
        if lists:
            numbers = lists[0] if len(lists) == 1 else BitMap.union(*lists)
            named += [self._slots_of_list[number] for number in numbers]
        return named

    def _needles_in(self, value: object) -> Iterable[Key] | None:
        return self._needles.within(value.casefold()) if isinstance(value, str) and value else None


def kind_and_keys(rule: Rule) -> tuple[RuleKind | None, tuple[Key, ...]]:
    """The rule's kind and the keys it names; the kind is None for a range.

    >>> kind_and_keys(Rule("zip", "postcode_in", ("10115",), FieldType.TEXT))[1]
    ('10115',)
    """
    if rule.operator == Operator.EXISTS:
        return RuleKind.PRESENT if rule.value else RuleKind.ABSENT, ()
    if rule.field_type is FieldType.BOOLEAN:
        return RuleKind.BOOLEAN, (rule.value is True,)
    if rule.field_type is FieldType.NUMBER:
        if rule.operator == Operator.NEQ:
            return RuleKind.OTHER_NUMBER, (float(cast(float, rule.value)),)
        return None, ()
    if isinstance(rule.value, Circle):
        is_within = rule.operator == Operator.WITHIN_KM
        return (RuleKind.POSTCODE if is_within else RuleKind.NO_POSTCODE), rule.value.postcodes
    keys = operand_keys(rule)
    if rule.operator in POSTCODE_OPERATORS:
        return _POSTCODE_KINDS[Operator(rule.operator)], keys
    if rule.field_type is FieldType.MULTI_SELECT:
        return RuleKind.NO_ITEM if rule.operator == Operator.NOT_IN else RuleKind.SOME_ITEM, keys
    if rule.operator in (Operator.CONTAINS, Operator.NOT_CONTAINS):
        kind = RuleKind.NEEDLE if rule.operator == Operator.CONTAINS else RuleKind.NO_NEEDLE
        return kind, tuple(key.casefold() for key in keys)
    return RuleKind.NONE_OF if rule.operator in (Operator.NEQ, Operator.NOT_IN) else RuleKind.ONE_OF, keys


_POSTCODE_KINDS = {
    Operator.POSTCODE_IN: RuleKind.POSTCODE,
    Operator.POSTCODE_NOT_IN: RuleKind.NO_POSTCODE,
    Operator.POSTCODE_STARTS_WITH: RuleKind.POSTCODE_START,
    Operator.POSTCODE_NOT_STARTS_WITH: RuleKind.NO_POSTCODE_START,
}
"""Whole postcodes are keys as the rule has them: thousands of rules with one list share its texts."""


def _postcode_keys(value: object) -> tuple[Key, ...] | None:
    code = postcode_key(value)
    return None if code is None else (code,)


def _postcode_starts(value: object) -> tuple[Key, ...] | None:
    code = postcode_key(value)
    return None if code is None else tuple(code[:length] for length in range(1, len(code) + 1))


def _text_key(value: object) -> tuple[Key, ...] | None:
    return (value,) if isinstance(value, str) and value else None


def _item_keys(value: object) -> tuple[Key, ...] | None:
    return tuple(dict.fromkeys(item_texts(value))) or None


def _boolean_key(value: object) -> tuple[Key, ...] | None:
    return (value,) if isinstance(value, bool) else None


def _number_key(value: object) -> tuple[Key, ...] | None:
    return (float(cast(float, value)),) if is_number(value) else None


_KEYS_OF: dict[RuleKind, Callable[[object], tuple[Key, ...] | None]] = {
    RuleKind.ONE_OF: _text_key,
    RuleKind.NONE_OF: _text_key,
    RuleKind.SOME_ITEM: _item_keys,
    RuleKind.NO_ITEM: _item_keys,
    RuleKind.BOOLEAN: _boolean_key,
    RuleKind.OTHER_NUMBER: _number_key,
    RuleKind.POSTCODE: _postcode_keys,
    RuleKind.NO_POSTCODE: _postcode_keys,
    RuleKind.POSTCODE_START: _postcode_starts,
    RuleKind.NO_POSTCODE_START: _postcode_starts,
}
"""The keys that a value of the lead selects; None when it is missing or of the wrong type."""
