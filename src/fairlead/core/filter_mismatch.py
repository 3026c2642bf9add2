"""The refusal of a filter: the first of its rules that does not hold for the lead, beside what the lead says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, cast

from fairlead.core.filter_predicates import item_texts, operand_keys
from fairlead.core.filter_rules import Operator, Rule
from fairlead.core.form_field import FieldType, is_empty, is_number
from fairlead.core.messages import MessageValue, TranslatableMessage
from fairlead.core.refusals import Refusal

_Parts = tuple[str, Mapping[str, MessageValue]]
_UNREADABLE: _Parts = ("unreadable_value", {})


@dataclass(frozen=True, slots=True)
class FilterMismatch(Refusal):
    """A rule of its filter does not hold for the lead; `rule` is the first of them, `value` the lead's own.

    What a consumer wrote in words of its own is not told: only whether it is what the filter asks for.
    """

    reason = "filter_mismatch"
    summary = "filter does not take this lead"
    sentences: ClassVar[Mapping[str, str]] = {
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
        "filter_mismatch.unreadable_filter": "Filter: it cannot be read, so it takes no lead.",
    }
    rule: Rule
    field_label: str
    value: object

    def message(self) -> TranslatableMessage:
        kind, values = self._parts()
        field = {} if kind == "unreadable_filter" else {"field": self.field_label}
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
        return self._of_text(rule) if rule.field_type is FieldType.TEXT else self._of_option(rule, self.value)

    def _of_number(self, rule: Rule) -> _Parts:
        value = cast("float", self.value)
        if isinstance(rule.value, tuple):
            low, high = cast("tuple[float, float]", rule.value)
            return "between", {"value": value, "low": low, "high": high}
        if rule.operator == Operator.NEQ:
            return "excluded", {"value": value}
        kinds = {Operator.EQ: "value", Operator.GTE: "at_least", Operator.LTE: "at_most"}
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

    def _of_text(self, rule: Rule) -> _Parts:
        named = cast("str", rule.value)
        if rule.operator == Operator.CONTAINS:
            return "text_part", {"wanted": named}
        return ("text_excluded", {"excluded": named}) if rule.operator == Operator.NEQ else ("text", {"wanted": named})
