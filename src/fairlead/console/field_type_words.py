"""What the types of a form's fields are called."""

from collections.abc import Mapping

from fairlead.console.texts import noted, translated
from fairlead.core.form import FieldType

_WORDS: Mapping[FieldType, str] = {
    FieldType.SELECT: noted("One of a list"),
    FieldType.MULTI_SELECT: noted("Several of a list"),
    FieldType.TEXT: noted("Text"),
    FieldType.NUMBER: noted("Number"),
    FieldType.BOOLEAN: noted("Yes or no"),
    FieldType.RADIO: noted("One of a list, all shown"),
}


def type_words(kind: FieldType) -> str:
    """What the type is called, in the language of the page."""
    return translated(_WORDS[kind])
