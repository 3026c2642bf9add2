"""The form of a niche as a JSON document: reading it, with every mistake named and located."""

import re
from dataclasses import replace

from fairlead.core.document import DocumentProblem, as_list, as_object, object_problems, shown, version_problem
from fairlead.core.entry.text import is_storable
from fairlead.core.form_field import Field, FieldType, FormSchema, Value
from fairlead.core.form_values import ValueNotInForm, check_attributes, convert_text, spelt_attributes

__all__ = [
    "DocumentProblem",
    "Field",
    "FieldType",
    "FormSchema",
    "FormSchemaError",
    "Value",
    "ValueNotInForm",
    "check_attributes",
    "convert_text",
    "parse_form_schema",
    "spelt_attributes",
    "spelt_like",
]

MAX_FIELDS = 200
MAX_OPTIONS = 10_000
MAX_NAME_CHARS = 200

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}", re.ASCII)


class FormSchemaError(ValueError):
    """The document is no form schema; `problems` says what is wrong and where."""

    def __init__(self, problems: tuple[DocumentProblem, ...]) -> None:
        super().__init__("; ".join(f"{problem.path}: {problem.message}" for problem in problems))
        self.problems = problems


def parse_form_schema(raw: object) -> FormSchema:
    """The schema that a JSON document describes; raises `FormSchemaError` with every problem it has.

    The label may be left out (the key then serves) and so may `required` (then false). A select, multi-select
    or radio field has 1 to 10,000 distinct options.

    >>> parse_form_schema({"version": 1, "fields": [{"key": "age", "type": "number"}]}).fields[0].label
    'age'
    >>> parse_form_schema({"version": 2, "fields": []})
    Traceback (most recent call last):
    fairlead.core.form.FormSchemaError: version: version must be 1
    """
    document = as_object(raw)
    if document is None:
        raise FormSchemaError((DocumentProblem("", "not_an_object", "a form schema must be a JSON object"),))
    if (wrong_version := version_problem(document)) is not None:
        raise FormSchemaError((wrong_version,))
    problems = object_problems(document, "", ("version", "fields"))
    items = as_list(document.get("fields", []))
    if items is None:
        problems.append(DocumentProblem("fields", "not_a_list", "fields must be a list"))
    elif len(items) > MAX_FIELDS:
        problems.append(DocumentProblem("fields", "too_many_fields", f"a form has at most {MAX_FIELDS} fields"))
    else:
        fields = [_parse_field(item, f"fields[{position}]", problems) for position, item in enumerate(items)]
        problems += _duplicate_keys(fields)
        if not problems:
            return FormSchema(tuple(each for each in fields if each is not None))
    raise FormSchemaError(tuple(problems))


def spelt_like(form: FormSchema, before: FormSchema | None) -> FormSchema:
    """The form with the options that `before` has for the same field in its spelling, as filters and leads have them.

    Only the composition of characters can differ: forms of today are composed, those of long ago need not be.
    """
    if before is None:
        return form
    fields: list[Field] = []
    for each in form.fields:
        earlier = before.field(each.key)
        options = each.options if earlier is None else tuple(map(earlier.spelt, each.options))
        fields.append(replace(each, options=options))
    return FormSchema(tuple(fields))


def _duplicate_keys(fields: list[Field | None]) -> list[DocumentProblem]:
    keys = [each.key if each is not None else None for each in fields]
    return [
        DocumentProblem(f"fields[{position}].key", "duplicate_key", f"an earlier field has the key {shown(key)} too")
        for position, key in enumerate(keys)
        if key is not None and key in keys[:position]
    ]


def _parse_field(raw: object, path: str, problems: list[DocumentProblem]) -> Field | None:
    """The field, or None after at least one more entry in `problems`."""
    document = as_object(raw)
    if document is None:
        problems.append(DocumentProblem(path, "not_an_object", "a field must be a JSON object"))
        return None
    found = object_problems(document, path + ".", ("key", "type"), ("label", "required", "options"))
    key, kind = document.get("key"), document.get("type")
    label, required = document.get("label", key), document.get("required", False)
    if "key" in document and not (isinstance(key, str) and _KEY.fullmatch(key)):
        words = "key must be 1 to 64 letters, digits, _ . or - and begin with a letter or _"
        found.append(DocumentProblem(f"{path}.key", "bad_key", words))
    elif "label" in document and not _is_name(label):
        words = f"label must be text of 1 to {MAX_NAME_CHARS} characters"
        found.append(DocumentProblem(f"{path}.label", "bad_label", words))
    if not isinstance(required, bool):
        found.append(DocumentProblem(f"{path}.required", "not_a_boolean", "required must be true or false"))
    types = tuple(each.value for each in FieldType)
    options: tuple[str, ...] = ()
    if not isinstance(kind, str) or kind not in types:
        if "type" in document:
            found.append(DocumentProblem(f"{path}.type", "unknown_type", f"type must be one of {', '.join(types)}"))
    else:
        options = _parse_options(document.get("options", []), FieldType(kind), f"{path}.options", found)
    problems += found
    return None if found else Field(str(key), str(label), FieldType(str(kind)), bool(required), options)


def _is_name(value: object) -> bool:
    if not isinstance(value, str) or len(value) > MAX_NAME_CHARS:
        return False
    return value.strip() != "" and is_storable(value)


def _parse_options(raw: object, kind: FieldType, path: str, problems: list[DocumentProblem]) -> tuple[str, ...]:
    items = as_list(raw)
    if items is None:
        problems.append(DocumentProblem(path, "not_a_list", "options must be a list"))
        return ()
    if kind.has_options != bool(items):
        code, words = ("options_missing", "needs") if kind.has_options else ("options_not_allowed", "has no")
        problems.append(DocumentProblem(path, code, f"a {kind.value} field {words} options"))
        return ()
    if len(items) > MAX_OPTIONS:
        problems.append(DocumentProblem(path, "too_many_options", f"a field has at most {MAX_OPTIONS:,} options"))
        return ()
    options: dict[str, None] = {}
    for position, item in enumerate(items):
        where = f"{path}[{position}]"
        if not isinstance(item, str) or not _is_name(item) or item != item.strip():
            words = f"an option must be text of 1 to {MAX_NAME_CHARS} characters without spaces around it"
            problems.append(DocumentProblem(where, "bad_option", words))
        elif kind is FieldType.MULTI_SELECT and "|" in item:
            words = "a multi-select option must not contain |, which separates options in a CSV cell"
            problems.append(DocumentProblem(where, "bad_option", words))
        elif item in options:
            problems.append(DocumentProblem(where, "duplicate_option", f"{shown(item)} is listed twice"))
        else:
            options[item] = None
    return tuple(options)
