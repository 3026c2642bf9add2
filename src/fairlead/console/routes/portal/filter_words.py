"""What the filter builder offers: each question of the form, with the comparisons that its type allows, in words."""

from collections.abc import Mapping
from typing import Any

from fairlead.console.texts import noted, translated
from fairlead.core.filter_rules import OPERATORS, Operator
from fairlead.core.form_field import FieldType, FormSchema

_WORDS: Mapping[Operator, str] = {
    Operator.EQ: noted("is"),
    Operator.NEQ: noted("is not"),
    Operator.IN: noted("is one of"),
    Operator.NOT_IN: noted("is none of"),
    Operator.CONTAINS: noted("contains"),
    Operator.GTE: noted("is at least"),
    Operator.LTE: noted("is at most"),
    Operator.BETWEEN: noted("is between"),
    Operator.EXISTS: noted("is given"),
}
_WORDS_OF_SEVERAL: Mapping[Operator, str] = {
    Operator.IN: noted("includes one of"),
    Operator.NOT_IN: noted("includes none of"),
    Operator.CONTAINS: noted("includes"),
}


def builder_of(form: FormSchema, filter_rules: Mapping[str, Any]) -> dict[str, Any]:
    """The questions and the rules as `filter-builder.js` reads them."""
    return {
        "fields": [
            {
                "key": each.key,
                "label": each.label,
                "type": each.type.value,
                "options": list(each.options),
                "operators": [[name.value, operator_words(each.type, name)] for name in OPERATORS[each.type]],
            }
            for each in form.fields
        ],
        "rules": list(filter_rules.get("rules", [])),
    }


def operator_words(field_type: FieldType, operator: Operator) -> str:
    """The comparison in words, in the language of the page."""
    several = _WORDS_OF_SEVERAL.get(operator) if field_type is FieldType.MULTI_SELECT else None
    return translated(several or _WORDS[operator])
