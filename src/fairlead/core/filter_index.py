"""All filters of a niche asked at once: which of many subscriptions want this lead, exactly.

Every kind of rule on every field is a *family*: the slots that have such a rule (`constrained`) and, for
each key that a rule can name, the slots whose rule names it. A lead's value of that field selects a few
keys, and the slots that refuse it follow by set algebra on compressed bitmaps. A family holds at most one
rule per slot; where a filter has several of a kind on one field, they are merged, or the second goes into a
family of its own. So every rule is indexed and nothing is left to be verified.

Ranges of numbers are lower and upper bounds (`filter_bounds`), kept as 64-bit floats. Validation keeps
numbers within +-(2**53 - 1), so each of them, and each comparison, is exact.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, auto
from typing import cast

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from fairlead.core.filter_bounds import LowerBounds
from fairlead.core.filter_predicates import item_texts, number_range, operand_keys
from fairlead.core.filter_rules import Operator, Rule
from fairlead.core.filters import CompiledFilter
from fairlead.core.form_field import MAX_NUMBER, FieldType, is_empty, is_number
from fairlead.core.needles import Needles

Slots = npt.NDArray[np.intp]
Key = str | int | float | bool
_NO_SLOTS = BitMap()
_NO_IDS: Slots = np.empty(0, dtype=np.intp)


class _Kind(IntEnum):  # integers hash five times as fast as members of an Enum
    ONE_OF = auto()  # select, radio, text: the value is one of the keys
    NONE_OF = auto()  # ... is none of the keys
    SOME_ITEM = auto()  # multi-select: some item is one of the keys
    NO_ITEM = auto()  # ... no item is
    NEEDLE = auto()  # text: the case-folded value contains the key
    BOOLEAN = auto()
    OTHER_NUMBER = auto()  # number: the value is none of the keys
    PRESENT = auto()
    ABSENT = auto()


_REFUSING = (_Kind.NONE_OF, _Kind.NO_ITEM, _Kind.OTHER_NUMBER)  # their keys name what is refused
_REPEATABLE = (_Kind.SOME_ITEM, _Kind.NEEDLE)  # several on one field cannot be merged into one
_FamilyName = tuple[str, _Kind, int]


@dataclass(slots=True)
class _Family:
    kind: _Kind
    constrained: BitMap = field(default_factory=BitMap)
    naming: dict[Key, BitMap] = field(default_factory=dict[Key, BitMap])
    needles: Needles = field(default_factory=Needles)

    def add(self, slot: int, keys: Iterable[Key]) -> None:
        self.constrained.add(slot)
        for key in keys:
            slots = self.naming.get(key)
            if slots is None:
                slots = self.naming[key] = BitMap()
                if self.kind is _Kind.NEEDLE:
                    self.needles.add(cast(str, key))
            slots.add(slot)

    def refusing(self, value: object) -> BitMap:
        """The slots whose rule this value of the field fails."""
        if self.kind is _Kind.PRESENT or self.kind is _Kind.ABSENT:
            return self.constrained if is_empty(value) == (self.kind is _Kind.PRESENT) else _NO_SLOTS
        keys = self._needles_in(value) if self.kind is _Kind.NEEDLE else _KEYS_OF[self.kind](value)
        if keys is None:
            return self.constrained
        named = [slots for key in keys if (slots := self.naming.get(key)) is not None]
        hit = _NO_SLOTS if not named else named[0] if len(named) == 1 else BitMap.union(*named)
        return hit if self.kind in _REFUSING else self.constrained - hit

    def _needles_in(self, value: object) -> Iterable[Key] | None:
        return self.needles.within(value.casefold()) if isinstance(value, str) and value else None


class FilterIndex:
    """The filters of many slots. Slots are only ever added: to change a filter, put it at a fresh slot.

    Its memory is bitmaps, plus 8 bytes per slot for each side on which filters bound a number field.
    """

    __slots__ = ("_bounds", "_families", "_slots")

    def __init__(self) -> None:
        self._families: dict[_FamilyName, _Family] = {}
        self._bounds: dict[tuple[str, bool], LowerBounds] = {}  # upper bounds, marked True, are negated
        self._slots = BitMap()

    def put(self, slot: int, compiled: CompiledFilter) -> None:
        """From now on the slot matches what the filter accepts, which for a malformed filter is nothing.

        The slot is a number from 0 up that was never used here before; ValueError otherwise. Memory grows
        with the highest slot, so number them without large gaps.

        >>> index = FilterIndex()
        >>> index.put(0, CompiledFilter((), ()))
        >>> index.matching({}, BitMap([0, 1])).tolist()
        [0]
        """
        if slot < 0 or slot in self._slots:
            raise ValueError(f"slot {slot} is negative or already used")
        if not compiled.is_valid:
            return
        constraints, ranges = _merged(compiled.rules)
        for name, keys in constraints.items():
            family = self._families.get(name)
            if family is None:
                family = self._families[name] = _Family(name[1])
            family.add(slot, keys)
        for key, (low, high) in ranges.items():
            if high < MAX_NUMBER:
                self._bounds_on(key, True).put(slot, -float(high))
            # A range without any bound still asks for a number.
            if low > -MAX_NUMBER or high == MAX_NUMBER:
                self._bounds_on(key, False).put(slot, float(low))
        self._slots.add(slot)

    def _bounds_on(self, key: str, is_upper: bool) -> LowerBounds:
        bounds = self._bounds.get((key, is_upper))
        if bounds is None:
            bounds = self._bounds[(key, is_upper)] = LowerBounds()
        return bounds

    def matching(self, attributes: Mapping[str, object], among: BitMap) -> Slots:
        """Exactly those slots of `among`, ascending, whose filter accepts a lead with these attributes.

        Never raises, whatever the values are; leaves `among` as it is.

        >>> FilterIndex().matching({"age": 41}, BitMap([0, 1])).tolist()
        []
        """
        left = among & self._slots
        for (key, _, _), family in self._families.items():
            if not left:
                return _NO_IDS
            left -= family.refusing(attributes.get(key))
        for (key, is_upper), bounds in self._bounds.items():
            value = attributes.get(key)
            if is_number(value):
                number = float(cast(float, value))
                bounds.remove_above(-number if is_upper else number, left)
            else:
                left -= bounds.slots
        return np.asarray(left.to_array()).astype(np.intp)


def _merged(
    rules: tuple[Rule, ...],
) -> tuple[dict[_FamilyName, tuple[Key, ...]], dict[str, tuple[float, float]]]:
    """The rules by family, at most one set of keys each, and the range of each number field."""
    constraints: dict[_FamilyName, tuple[Key, ...]] = {}
    ranges: dict[str, tuple[float, float]] = {}
    for rule in rules:
        kind, keys = _kind_and_keys(rule)
        if kind is None:
            low, high = number_range(rule)
            before = ranges.get(rule.field_key, (low, high))
            ranges[rule.field_key] = max(low, before[0]), min(high, before[1])
            continue
        nth = 0
        if kind in _REPEATABLE:
            while constraints.get((rule.field_key, kind, nth), keys) != keys:
                nth += 1
        name = (rule.field_key, kind, nth)
        if name in constraints:
            keys = _both(kind, constraints[name], keys)
        constraints[name] = keys
    return constraints, ranges


def _both(kind: _Kind, first: tuple[Key, ...], second: tuple[Key, ...]) -> tuple[Key, ...]:
    """The keys of the one rule that says what two rules of this kind say together."""
    if kind in _REFUSING:
        return tuple(dict.fromkeys(first + second))
    wanted = frozenset(second)
    return tuple(key for key in first if key in wanted)


def _kind_and_keys(rule: Rule) -> tuple[_Kind | None, tuple[Key, ...]]:
    """The rule's kind and the keys it names; the kind is None for a range of numbers."""
    if rule.operator == Operator.EXISTS:
        return _Kind.PRESENT if rule.value else _Kind.ABSENT, ()
    if rule.field_type is FieldType.BOOLEAN:
        return _Kind.BOOLEAN, (rule.value is True,)
    if rule.field_type is FieldType.NUMBER:
        if rule.operator == Operator.NEQ:
            return _Kind.OTHER_NUMBER, (float(cast(float, rule.value)),)
        return None, ()
    keys = operand_keys(rule)
    if rule.field_type is FieldType.MULTI_SELECT:
        return _Kind.NO_ITEM if rule.operator == Operator.NOT_IN else _Kind.SOME_ITEM, keys
    if rule.operator == Operator.CONTAINS:
        return _Kind.NEEDLE, tuple(key.casefold() for key in keys)
    return _Kind.NONE_OF if rule.operator in (Operator.NEQ, Operator.NOT_IN) else _Kind.ONE_OF, keys


def _text_key(value: object) -> tuple[Key, ...] | None:
    return (value,) if isinstance(value, str) and value else None


def _item_keys(value: object) -> tuple[Key, ...] | None:
    return tuple(dict.fromkeys(item_texts(value))) or None


def _boolean_key(value: object) -> tuple[Key, ...] | None:
    return (value,) if isinstance(value, bool) else None


def _number_key(value: object) -> tuple[Key, ...] | None:
    return (float(cast(float, value)),) if is_number(value) else None


_KEYS_OF: dict[_Kind, Callable[[object], tuple[Key, ...] | None]] = {
    _Kind.ONE_OF: _text_key,
    _Kind.NONE_OF: _text_key,
    _Kind.SOME_ITEM: _item_keys,
    _Kind.NO_ITEM: _item_keys,
    _Kind.BOOLEAN: _boolean_key,
    _Kind.OTHER_NUMBER: _number_key,
}
"""The keys that a value of the lead selects; None when it is missing or of the wrong type."""
