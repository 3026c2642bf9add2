"""What the filter builder offers: each question of the form, with the comparisons that its type allows, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from fairlead.console.texts import noted, translated
from fairlead.core.filters.rules import OPERATORS, OPERATORS_OF_VERSION_2, Operator
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
    Operator.GT: noted("is above"),
    Operator.LT: noted("is below"),
    Operator.NOT_BETWEEN: noted("is not between"),
    Operator.NOT_CONTAINS: noted("does not contain"),
    Operator.POSTCODE_IN: noted("is one of the postcodes"),
    Operator.POSTCODE_NOT_IN: noted("is none of the postcodes"),
    Operator.POSTCODE_STARTS_WITH: noted("is a postcode that starts with"),
    Operator.POSTCODE_NOT_STARTS_WITH: noted("is a postcode that does not start with"),
    Operator.POSTCODE_BETWEEN: noted("is a postcode between"),
    Operator.POSTCODE_NOT_BETWEEN: noted("is a postcode that is not between"),
    Operator.WITHIN_KM: noted("is a place within"),
    Operator.BEYOND_KM: noted("is a place farther away than"),
}
_WORDS_OF_SEVERAL: Mapping[Operator, str] = {
    Operator.IN: noted("includes one of"),
    Operator.NOT_IN: noted("includes none of"),
    Operator.CONTAINS: noted("includes"),
}


def builder_of(form: FormSchema, filter_rules: Mapping[str, Any], tables: Sequence[str]) -> dict[str, Any]:
    """The questions and the rules as `filter-builder.js` reads them; `first`: what version 1 has of the comparisons.

    `tables` are the names of postcode tables.
    """
    return {
        "fields": [
            {
                "key": each.key,
                "label": each.label,
                "type": each.type.value,
                "options": list(each.options),
                "operators": [
                    [name.value, operator_words(each.type, name)] for name in OPERATORS_OF_VERSION_2[each.type]
                ],
                "first": [name.value for name in OPERATORS[each.type]],
            }
            for each in form.fields
        ],
        "tables": list(tables),
        "rules": list(filter_rules.get("rules", [])),
    }


def operator_words(field_type: FieldType, operator: Operator) -> str:
    """The comparison in words, in the language of the page."""
    several = _WORDS_OF_SEVERAL.get(operator) if field_type is FieldType.MULTI_SELECT else None
    return translated(several or _WORDS[operator])
