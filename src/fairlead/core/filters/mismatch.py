"""The refusal of a filter: the innermost rule that does not hold for the lead, beside what the lead says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, cast

from fairlead.core.filters.distances import Circle, place_of
from fairlead.core.filters.postcodes import postcode_key
from fairlead.core.filters.predicates import POSTCODE_OPERATORS, item_texts, operand_keys
from fairlead.core.filters.rules import REFUSING, Operator, Rule
from fairlead.core.form_field import FieldType, is_empty, is_number
from fairlead.core.messages import MessageValue, TranslatableMessage
from fairlead.core.refusals import Refusal

_Parts = tuple[str, Mapping[str, MessageValue]]
_UNREADABLE: _Parts = ("unreadable_value", {})


_SENTENCES: Mapping[str, str] = {
    "filter_mismatch.value": "Filter: {field} is {value}, they take {wanted}.",
    "filter_mismatch.excluded": "Filter: {field} is {value}, which they do not take.",
    "filter_mismatch.at_least": "Filter: {field} is {value}, they take {wanted} or more.",
    "filter_mismatch.at_most": "Filter: {field} is {value}, they take {wanted} or less.",
    "filter_mismatch.between": "Filter: {field} is {value}, they take {low} to {high}.",
    "filter_mismatch.items": "Filter: {field} has {value}, they take leads that have any of {wanted}.",
    "filter_mismatch.items_excluded": "Filter: {field} has {value}, they take leads that have none of {excluded}.",
    "filter_mismatch.text": "Filter: {field} is not {wanted}.",
    "filter_mismatch.text_excluded": "Filter: {field} is {excluded}, which they do not take.",
    "filter_mismatch.text_part": "Filter: {field} does not contain {wanted}.",
    "filter_mismatch.missing": "Filter: {field} is not answered, they ask for an answer.",
    "filter_mismatch.present": "Filter: {field} is answered, they take leads without an answer.",
    "filter_mismatch.unreadable_value": "Filter: the answer to {field} does not fit the form.",
    "filter_mismatch.above": "Filter: {field} is {value}, they take more than {wanted}.",
    "filter_mismatch.below": "Filter: {field} is {value}, they take less than {wanted}.",
    "filter_mismatch.not_between": "Filter: {field} is {value}, they take none from {low} to {high}.",
    "filter_mismatch.text_list": "Filter: {field} is none of {wanted}.",
    "filter_mismatch.text_list_excluded": "Filter: {field} is one of {excluded}, which they do not take.",
    "filter_mismatch.text_part_excluded": "Filter: {field} contains {excluded}, which they do not take.",
    "filter_mismatch.postcode": "Filter: {field} is none of their postcodes.",
    "filter_mismatch.postcode_excluded": "Filter: {field} is a postcode that they do not take.",
    "filter_mismatch.postcode_start": "Filter: {field} does not start as their postcodes do, with {wanted}.",
    "filter_mismatch.postcode_start_excluded": "Filter: {field} starts with one of {excluded}, which they do not take.",
    "filter_mismatch.postcode_range": "Filter: {field} is no postcode from {first} to {last}.",
    "filter_mismatch.postcode_range_excluded": "Filter: {field} is from {first} to {last}, which they do not take.",
    "filter_mismatch.too_far": "Filter: {field} is not within {km} km of {centre}.",
    "filter_mismatch.too_near": "Filter: {field} is not more than {km} km from {centre}.",
    "filter_mismatch.unreadable_filter": "Filter: it cannot be read, so it takes no lead.",
}
_OF_ALTERNATIVES: Mapping[str, str] = {
    message_id.replace(".", ".first_of.", 1): sentence.replace(
        "Filter: ", "Filter, the first of {alternatives} alternatives of which none holds: ", 1
    )
    for message_id, sentence in _SENTENCES.items()
    if message_id != "filter_mismatch.unreadable_filter"
}
"""The same of a rule in alternatives."""


@dataclass(frozen=True, slots=True)
class FilterMismatch(Refusal):
    """A rule of its filter does not hold for the lead; `rule` is the innermost of the first, `value` the lead's own.

    With `alternatives`, so many could have held instead, and none did: the rule is of the first of them.
    What a consumer wrote in words of its own is not told: only whether it is what the filter asks for.
    """

    reason = "filter_mismatch"
    summary = "filter does not take this lead"
    sentences: ClassVar[Mapping[str, str]] = {**_SENTENCES, **_OF_ALTERNATIVES}
    rule: Rule
    field_label: str
    value: object
    alternatives: int = 0

    def message(self) -> TranslatableMessage:
        kind, values = self._parts()
        field = {} if kind == "unreadable_filter" else {"field": self.field_label}
        if self.alternatives:
            return self.told(f"{self.reason}.first_of.{kind}", alternatives=self.alternatives, **field, **values)
        return self.told(f"{self.reason}.{kind}", **field, **values)

    def _parts(self) -> _Parts:
        rule = self.rule
        if rule.field_type is None:
            return "unreadable_filter", {}
        if rule.operator == Operator.EXISTS and not rule.value:
            return "present", {}
        if is_empty(self.value):
            return "missing", {}
        if rule.field_type is FieldType.NUMBER:
            return self._of_number(rule) if is_number(self.value) else _UNREADABLE
        if rule.field_type is FieldType.BOOLEAN:
            return self._of_boolean(rule, self.value) if isinstance(self.value, bool) else _UNREADABLE
        if rule.field_type is FieldType.MULTI_SELECT:
            return self._of_items(rule)
        if not isinstance(self.value, str):
            return _UNREADABLE
        if rule.field_type is FieldType.TEXT:
            return self._of_text(rule, self.value)
        return self._of_option(rule, self.value)

    def _of_number(self, rule: Rule) -> _Parts:
        value = cast("float", self.value)
        if isinstance(rule.value, tuple):
            low, high = cast("tuple[float, float]", rule.value)
            kind = "not_between" if rule.operator == Operator.NOT_BETWEEN else "between"
            return kind, {"value": value, "low": low, "high": high}
        if rule.operator == Operator.NEQ:
            return "excluded", {"value": value}
        kinds = {
            Operator.EQ: "value",
            Operator.GTE: "at_least",
            Operator.LTE: "at_most",
            Operator.GT: "above",
            Operator.LT: "below",
        }
        return kinds[Operator(rule.operator)], {"value": value, "wanted": cast("float", rule.value)}

    def _of_boolean(self, rule: Rule, value: bool) -> _Parts:
        return "value", {"value": value, "wanted": rule.value is True}

    def _of_items(self, rule: Rule) -> _Parts:
        items, named = item_texts(self.value), operand_keys(rule)
        if not items:
            return _UNREADABLE
        if rule.operator == Operator.NOT_IN:
            return "items_excluded", {"value": items, "excluded": named}
        return "items", {"value": items, "wanted": named}

    def _of_option(self, rule: Rule, value: str) -> _Parts:
        if rule.operator in (Operator.NEQ, Operator.NOT_IN):
            return "excluded", {"value": value}
        return "value", {"value": value, "wanted": operand_keys(rule)}

    def _of_text(self, rule: Rule, value: str) -> _Parts:
        if isinstance(rule.value, Circle):
            return self._of_distance(rule, rule.value)
        named = operand_keys(rule)
        if rule.operator in POSTCODE_OPERATORS:
            return self._of_postcode(rule, value, named)
        is_excluded = rule.operator in REFUSING
        told: tuple[str, ...] | str = named if isinstance(rule.value, tuple) else named[0]
        kind = {Operator.IN: "text_list", Operator.NOT_IN: "text_list"}.get(Operator(rule.operator), "text")
        if rule.operator in (Operator.CONTAINS, Operator.NOT_CONTAINS):
            kind = "text_part"
        return (f"{kind}_excluded", {"excluded": told}) if is_excluded else (kind, {"wanted": told})

    def _of_postcode(self, rule: Rule, value: str, named: tuple[str, ...]) -> _Parts:
        code, suffix = postcode_key(value), "_excluded" if rule.operator in REFUSING else ""
        if rule.operator in (Operator.POSTCODE_BETWEEN, Operator.POSTCODE_NOT_BETWEEN):
            if code is None or len(code) < len(named[0]):
                return _UNREADABLE
            return f"postcode_range{suffix}", {"first": named[0], "last": named[1]}
        if code is None:
            return _UNREADABLE
        if rule.operator in (Operator.POSTCODE_IN, Operator.POSTCODE_NOT_IN):
            return f"postcode{suffix}", {}
        return f"postcode_start{suffix}", {"excluded" if suffix else "wanted": named}

    def _of_distance(self, rule: Rule, circle: Circle) -> _Parts:
        if (postcode_key(self.value) if circle.table is not None else place_of(self.value)) is None:
            return _UNREADABLE
        centre = circle.postcode or f"{circle.centre.latitude}, {circle.centre.longitude}"
        kind = "too_far" if rule.operator == Operator.WITHIN_KM else "too_near"
        return kind, {"km": circle.km, "centre": centre}
