"""All filters of a niche asked at once: which of many subscriptions want this lead, exactly.

Every kind of rule on every field is a *family* (`filter_families`): the slots that have such a rule and, for each key
that a rule can name, the slots whose rule names it. A family holds at most one rule per slot; where a filter has
several of a kind on one field, they are merged, or the second goes into a family of its own. Ranges are lower and
upper bounds (`filter_bounds`), kept as 64-bit floats. Validation keeps numbers within +-(2**53 - 1), so each of them,
and each comparison, is exact. Distances are whole numbers (`filter_circles`).

*Alternatives* are a row of indexes, one for the first alternative of every slot, one for the second, and so on: each is
asked only for the slots that those before it left. So every rule is indexed, however deep, and nothing is left to be
verified. What all alternatives of a slot ask is asked before them, and alternatives that each name what one field may
have are one rule that names all of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
import numpy.typing as npt
from pyroaring import BitMap

from fairlead.core.filters.bounds import LowerBounds
from fairlead.core.filters.circles import Circles
from fairlead.core.filters.conditions import Alternatives, Condition, factored
from fairlead.core.filters.distances import Circle
from fairlead.core.filters.families import REFUSING_KINDS, REPEATABLE_KINDS, Family, Key, RuleKind, kind_and_keys
from fairlead.core.filters.filter import CompiledFilter
from fairlead.core.filters.postcodes import postcode_number
from fairlead.core.filters.predicates import number_range, operand_keys
from fairlead.core.filters.rules import Operator, Rule
from fairlead.core.form_field import MAX_NUMBER, FieldType, is_number

Slots = npt.NDArray[np.intp]
_NO_IDS: Slots = np.empty(0, dtype=np.intp)
_FamilyName = tuple[str, RuleKind, int]
_RangeName = tuple[str, int]
"""The field, and how many characters of its postcode are the number; 0 where its value is."""
_POSTCODE_RANGES = (Operator.POSTCODE_BETWEEN, Operator.POSTCODE_NOT_BETWEEN)


class FilterIndex:
    """The filters of many slots. Slots are only ever added: to change a filter, put it at a fresh slot.

    Its memory is bitmaps, plus 8 bytes per slot for each side on which filters bound a number field.
    """

    __slots__ = ("_alternatives", "_bounds", "_circles", "_families", "_slots")

    def __init__(self) -> None:
        self._families: dict[_FamilyName, Family] = {}
        self._bounds: dict[tuple[_RangeName, bool], LowerBounds] = {}  # upper bounds, marked True, are negated
        self._circles: dict[_CirclesName, Circles] = {}
        self._alternatives: list[_AlternativesOfSlots] = []
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
        self._put(slot, compiled.conditions)

    def _put(self, slot: int, conditions: Sequence[Condition]) -> None:
        merged = _merged(conditions)
        for name, keys in merged.families.items():
            family = self._families.get(name)
            if family is None:
                family = self._families[name] = Family(name[1])
            family.add(slot, keys)
        for range_name, (low, high) in merged.ranges.items():
            if high < MAX_NUMBER:
                self._bounds_on(range_name, True).put(slot, -float(high))
            # A range without any bound still asks for a number.
            if low > -MAX_NUMBER or high == MAX_NUMBER:
                self._bounds_on(range_name, False).put(slot, float(low))
        for circle_name, circle in merged.circles.items():
            self._circles.setdefault(circle_name, Circles(is_within=circle_name[1])).put(slot, circle)
        for nth, alternatives in enumerate(merged.alternatives):
            if nth == len(self._alternatives):
                self._alternatives.append(_AlternativesOfSlots())
            self._alternatives[nth].put(slot, alternatives)
        self._slots.add(slot)

    def _bounds_on(self, name: _RangeName, is_upper: bool) -> LowerBounds:
        bounds = self._bounds.get((name, is_upper))
        if bounds is None:
            bounds = self._bounds[(name, is_upper)] = LowerBounds()
        return bounds

    def matching(self, attributes: Mapping[str, object], among: BitMap) -> Slots:
        """Exactly those slots of `among`, ascending, whose filter accepts a lead with these attributes.

        Never raises, whatever the values are; leaves `among` as it is.

        >>> FilterIndex().matching({"age": 41}, BitMap([0, 1])).tolist()
        []
        """
        left = self.left(attributes, among)
        return np.asarray(left.to_array()).astype(np.intp) if left else _NO_IDS

    def left(self, attributes: Mapping[str, object], among: BitMap) -> BitMap:
        """`matching` as a bitmap, which belongs to the caller.

        >>> FilterIndex().left({}, BitMap([0]))
        BitMap([])
        """
        left = among & self._slots
        for (key, _, _), family in self._families.items():
            if not left:
                return left
            left -= family.refusing(attributes.get(key))
        for ((key, length), is_upper), bounds in self._bounds.items():
            number = _number(attributes.get(key), length)
            if number is None:
                left -= bounds.slots
            else:
                bounds.remove_above(-number if is_upper else number, left)
        for (key, _, _), circles in self._circles.items():
            circles.remove_refusing(attributes.get(key), left)
        for alternatives in self._alternatives:
            if left:
                alternatives.remove_refusing(attributes, left)
        return left


@dataclass(slots=True)
class _AlternativesOfSlots:
    """At most one set of alternatives for each of many slots."""

    constrained: BitMap = field(default_factory=BitMap)
    rows: list[FilterIndex] = field(default_factory=list[FilterIndex])

    def put(self, slot: int, alternatives: Alternatives) -> None:
        self.constrained.add(slot)
        # Alike ones side by side: then a row has few families.
        ordered = sorted(alternatives.alternatives, key=_likeness)
        for nth, conditions in enumerate(ordered):
            if nth == len(self.rows):
                self.rows.append(FilterIndex())
            self.rows[nth]._put(slot, conditions)  # pyright: ignore[reportPrivateUsage]  # of the same class of objects

    def remove_refusing(self, attributes: Mapping[str, object], left: BitMap) -> None:
        """`left` no longer holds the slots none of whose alternatives these attributes fit."""
        refused = left & self.constrained
        for row in self.rows:
            if not refused:
                return
            refused -= row.left(attributes, refused)
        left -= refused


def _likeness(conditions: Sequence[Condition]) -> tuple[tuple[str, str], ...]:
    return tuple((each.field_key, each.operator) if isinstance(each, Rule) else ("", "") for each in conditions)


_CirclesName = tuple[str, bool, int]


@dataclass(slots=True)
class _Merged:
    """What one slot asks, by family at most one set of keys, and of each field one range."""

    families: dict[_FamilyName, tuple[Key, ...]] = field(default_factory=dict[_FamilyName, tuple[Key, ...]])
    ranges: dict[_RangeName, tuple[float, float]] = field(default_factory=dict[_RangeName, tuple[float, float]])
    circles: dict[_CirclesName, Circle] = field(default_factory=dict[_CirclesName, Circle])
    alternatives: list[Alternatives] = field(default_factory=list[Alternatives])

    def narrow(self, name: _RangeName, low: float, high: float) -> None:
        before = self.ranges.get(name, (low, high))
        self.ranges[name] = max(low, before[0]), min(high, before[1])

    def add(self, rule: Rule, kind: RuleKind, keys: tuple[Key, ...]) -> None:
        nth = 0
        if kind in REPEATABLE_KINDS:
            while self.families.get((rule.field_key, kind, nth), keys) != keys:
                nth += 1
        name = (rule.field_key, kind, nth)
        if name in self.families:
            keys = _both(kind, self.families[name], keys)
        self.families[name] = keys

    def add_circle(self, rule: Rule, circle: Circle) -> None:
        nth, is_within = 0, rule.operator == Operator.WITHIN_KM
        while (rule.field_key, is_within, nth) in self.circles:
            nth += 1
        self.circles[(rule.field_key, is_within, nth)] = circle


def _merged(conditions: Sequence[Condition]) -> _Merged:
    merged = _Merged()
    for condition in (each for own in conditions for each in factored(own)):
        if isinstance(condition, Alternatives):
            if (named := _one_list(condition)) is None:
                merged.alternatives.append(condition)
            else:
                merged.add(*named)
        elif isinstance(condition.value, Circle) and condition.value.table is None:
            merged.add_circle(condition, condition.value)
        elif condition.operator in _POSTCODE_RANGES:
            named = operand_keys(condition)
            name, low, high = (condition.field_key, len(named[0])), int(named[0], 36), int(named[1], 36)
            if condition.operator == Operator.POSTCODE_BETWEEN:
                merged.narrow(name, low, high)
            else:
                merged.alternatives.append(_outside(condition, named))
        elif condition.operator == Operator.NOT_BETWEEN:
            merged.alternatives.append(_outside(condition, cast("tuple[float, float]", condition.value)))
        else:
            kind, keys = kind_and_keys(condition)
            if kind is None:
                merged.narrow((condition.field_key, 0), *number_range(condition))
            else:
                merged.add(condition, kind, keys)
    return merged


_NAMING = (Operator.EQ, Operator.IN, Operator.CONTAINS, Operator.POSTCODE_IN, Operator.POSTCODE_STARTS_WITH)
"""Operators of rules that a value fits which is, has or begins with one of the keys that they name."""


def _one_list(condition: Alternatives) -> tuple[Rule, RuleKind, tuple[Key, ...]] | None:
    """The first of the alternatives, its kind, and what they name together, if each is such a rule of one field."""
    kinds: dict[tuple[str, RuleKind | None], Rule] = {}
    keys: dict[Key, None] = {}
    for alternative in condition.alternatives:
        rule = alternative[0] if len(alternative) == 1 else None
        if not isinstance(rule, Rule) or rule.operator not in _NAMING or rule.field_type is FieldType.BOOLEAN:
            return None
        kind, own = kind_and_keys(rule)
        kinds.setdefault((rule.field_key, kind), rule)
        keys |= dict.fromkeys(own)
    if len(kinds) != 1:
        return None
    [((_, kind), first)] = kinds.items()
    return None if kind is None else (first, kind, tuple(keys))


def _both(kind: RuleKind, first: tuple[Key, ...], second: tuple[Key, ...]) -> tuple[Key, ...]:
    """The keys of the one rule that says what two rules of this kind say together."""
    if kind in REFUSING_KINDS:
        return tuple(dict.fromkeys(first + second))
    wanted = frozenset(second)
    return tuple(key for key in first if key in wanted)


def _outside(rule: Rule, bounds: tuple[float, float] | tuple[str, ...]) -> Alternatives:
    """What a rule says that refuses all from one bound to the other: below the first, or above the last."""
    low, high = bounds[0], bounds[-1]
    if rule.operator == Operator.NOT_BETWEEN:
        below, above = replace(rule, operator=Operator.LT, value=low), replace(rule, operator=Operator.GT, value=high)
        return Alternatives(((below,), (above,)))
    first, last, length = int(str(low), 36), int(str(high), 36), len(str(low))
    spans = [(0, first - 1), (last + 1, 36**length - 1)]
    return Alternatives(
        tuple(
            (replace(rule, operator=Operator.POSTCODE_BETWEEN, value=(_code(start, length), _code(end, length))),)
            for start, end in spans
            if start <= end
        )
    )


def _code(number: int, length: int) -> str:
    digits = ""
    for _ in range(length):
        number, digit = divmod(number, 36)
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[digit] + digits
    return digits


def _number(value: object, length: int) -> float | None:
    """The number that a value is, or that so many characters of its postcode are; None where it is none."""
    if length:
        number = postcode_number(value, length)
        return None if number is None else float(number)
    return float(cast(float, value)) if is_number(value) else None
