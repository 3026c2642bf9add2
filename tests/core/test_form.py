"""The form of a niche: reading its schema, CSV cells, and a lead's JSON attributes."""

import math

import pytest

from fairlead.core.form import (
    Field,
    FieldType,
    FormSchema,
    FormSchemaError,
    ValueNotInForm,
    check_attributes,
    convert_text,
    parse_form_schema,
)

FORM = {
    "version": 1,
    "fields": [
        {"key": "job", "label": "Job", "type": "select", "required": True, "options": ["nurse", "teacher"]},
        {
            "key": "extras",
            "label": "Extras",
            "type": "multi-select",
            "required": False,
            "options": ["a", "b", "c d"],
        },
        {"key": "note", "label": "Note", "type": "text", "required": False},
        {"key": "age", "label": "Age", "type": "number", "required": True},
        {"key": "owner", "label": "Owner", "type": "boolean", "required": False},
        {"key": "size", "label": "Size", "type": "radio", "required": False, "options": ["s", "m"]},
    ],
}


def field(kind: str, *options: str) -> Field:
    return Field("f", "F", FieldType(kind), options=options)


def one_field(**changes: object) -> dict[str, object]:
    return {"version": 1, "fields": [{"key": "f", "label": "F", "type": "text", **changes}]}


def test_a_schema_survives_the_way_to_json_and_back() -> None:
    schema = parse_form_schema(FORM)
    assert schema.to_json() == FORM
    assert parse_form_schema(schema.to_json()) == schema


def test_a_field_is_found_by_its_key() -> None:
    schema = parse_form_schema(FORM)
    found = schema.field("age")
    assert found is not None
    assert (found.label, found.type, found.required) == ("Age", FieldType.NUMBER, True)
    assert schema.field("unknown") is None
    assert FormSchema().field("age") is None


@pytest.mark.parametrize(
    ("raw", "path", "code"),
    [
        (None, "", "not_an_object"),
        ([], "", "not_an_object"),
        ({}, "version", "unknown_version"),
        ({"version": True, "fields": []}, "version", "unknown_version"),
        ({"version": 1.0, "fields": []}, "version", "unknown_version"),
        ({"version": "1", "fields": []}, "version", "unknown_version"),
        ({"version": 1}, "fields", "missing_key"),
        ({"version": 1, "fields": [], "title": ""}, "title", "unknown_key"),
        ({"version": 1, "fields": {}}, "fields", "not_a_list"),
        (
            {"version": 1, "fields": [{"key": f"k{i}", "type": "text"} for i in range(201)]},
            "fields",
            "too_many_fields",
        ),
        ({"version": 1, "fields": ["age"]}, "fields[0]", "not_an_object"),
        ({"version": 1, "fields": [{"key": "age"}]}, "fields[0].type", "missing_key"),
        ({"version": 1, "fields": [{"type": "text"}]}, "fields[0].key", "missing_key"),
        (one_field(help="?"), "fields[0].help", "unknown_key"),
        (one_field(key="1a"), "fields[0].key", "bad_key"),
        (one_field(key="a b"), "fields[0].key", "bad_key"),
        (one_field(key="größe"), "fields[0].key", "bad_key"),
        (one_field(key="a" * 65), "fields[0].key", "bad_key"),
        (one_field(key="a\n"), "fields[0].key", "bad_key"),
        (one_field(key=7), "fields[0].key", "bad_key"),
        (one_field(label=" "), "fields[0].label", "bad_label"),
        (one_field(label="\x00"), "fields[0].label", "bad_label"),
        (one_field(label=None), "fields[0].label", "bad_label"),
        (one_field(label="x" * 201), "fields[0].label", "bad_label"),
        (one_field(required=1), "fields[0].required", "not_a_boolean"),
        (one_field(type="date"), "fields[0].type", "unknown_type"),
        (one_field(type=["text"]), "fields[0].type", "unknown_type"),
        (one_field(options=["a"]), "fields[0].options", "options_not_allowed"),
        (one_field(type="select"), "fields[0].options", "options_missing"),
        (one_field(type="radio", options=[]), "fields[0].options", "options_missing"),
        (one_field(type="select", options="ab"), "fields[0].options", "not_a_list"),
        (
            one_field(type="select", options=[str(i) for i in range(10_001)]),
            "fields[0].options",
            "too_many_options",
        ),
        (one_field(type="select", options=["a", 1]), "fields[0].options[1]", "bad_option"),
        (one_field(type="select", options=[""]), "fields[0].options[0]", "bad_option"),
        (one_field(type="select", options=[" a"]), "fields[0].options[0]", "bad_option"),
        (one_field(type="select", options=["\ud800"]), "fields[0].options[0]", "bad_option"),
        (one_field(type="multi-select", options=["a|b"]), "fields[0].options[0]", "bad_option"),
        (one_field(type="select", options=["a", "a"]), "fields[0].options[1]", "duplicate_option"),
        ({"version": 1, "fields": [{"key": "a", "type": "text"}] * 2}, "fields[1].key", "duplicate_key"),
    ],
)
def test_a_wrong_schema_is_refused_with_the_place_and_a_code(raw: object, path: str, code: str) -> None:
    with pytest.raises(FormSchemaError) as refusal:
        parse_form_schema(raw)
    assert [(problem.path, problem.code) for problem in refusal.value.problems] == [(path, code)]
    assert "\n" not in str(refusal.value)


def test_all_mistakes_are_reported_at_once() -> None:
    with pytest.raises(FormSchemaError) as refusal:
        parse_form_schema({"version": 1, "fields": [{"key": "", "type": "x"}, {}], "more": 1})
    assert [problem.code for problem in refusal.value.problems] == [
        "unknown_key",
        "bad_key",
        "unknown_type",
        "missing_key",
        "missing_key",
    ]


def test_a_pipe_in_an_option_is_fine_where_a_cell_holds_one_option() -> None:
    assert parse_form_schema(one_field(type="select", options=["a|b"])).fields[0].options == ("a|b",)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("text", "", None),
        ("number", "  ", None),
        ("multi-select", " | ", None),
        ("text", " hello ", "hello"),
        pytest.param("text", "x" * 10_000, "x" * 10_000, id="longest-text"),
        ("number", "42", 42),
        ("number", "-0042", -42),
        ("number", "+7", 7),
        ("number", " 4.5 ", 4.5),
        ("number", ".5", 0.5),
        ("number", "1e3", 1000.0),
        ("number", "9007199254740991", 2**53 - 1),
        ("number", "-9007199254740991", -(2**53 - 1)),
        ("boolean", "YES", True),
        ("boolean", "y", True),
        ("boolean", "True", True),
        ("boolean", "1", True),
        ("boolean", "No", False),
        ("boolean", "n", False),
        ("boolean", "FALSE", False),
        ("boolean", "0", False),
        ("select", " a ", "a"),
        ("radio", "b", "b"),
        ("multi-select", "a", ("a",)),
        ("multi-select", "b | a||b", ("b", "a")),
    ],
)
def test_a_cell_becomes_the_value_it_holds(kind: str, text: str, value: object) -> None:
    options = ("a", "b") if FieldType(kind).has_options else ()
    converted = convert_text(field(kind, *options), text)
    assert converted == value
    assert type(converted) is type(value)


@pytest.mark.parametrize(
    ("kind", "text", "words"),
    [
        ("number", "4,5", "decimal point"),
        ("number", "1,000", "comma"),
        ("number", "12 000", "must be a number"),
        ("number", "1_000", "must be a number"),
        ("number", "5.", "must be a number"),
        ("number", "\u0661", "must be a number"),
        ("number", "nan", "must be a number"),
        ("number", "inf", "must be a number"),
        ("number", "0x1f", "must be a number"),
        ("number", "ten", "must be a number"),
        pytest.param("number", "9" * 5000, "must be a number", id="5000-digits"),
        pytest.param("number", "9" * 400, "must lie between", id="400-digits"),
        ("number", "1e999", "must lie between"),
        ("number", "9007199254740992", "must lie between"),
        ("boolean", "maybe", "yes or no"),
        ("boolean", "2", "yes or no"),
        ("select", "A", "one of: a, b"),
        ("radio", "a|b", "one of: a, b"),
        ("multi-select", "a|z", "one of: a, b"),
        ("text", "a\x00b", "NUL"),
        ("text", "\udc80", "surrogate"),
        pytest.param("text", "x" * 10_001, "at most 10,000", id="long-text"),
    ],
)
def test_a_cell_that_holds_no_value_is_refused_in_words(kind: str, text: str, words: str) -> None:
    options = ("a", "b") if FieldType(kind).has_options else ()
    with pytest.raises(ValueNotInForm, match=words) as refusal:
        convert_text(field(kind, *options), text)
    assert str(refusal.value).startswith("F: ")
    assert len(str(refusal.value)) < 120


@pytest.mark.parametrize(
    "attributes",
    [
        {"job": "nurse", "age": 41},
        {"job": "nurse", "age": 41.5, "extras": ["a", "c d"], "note": "n", "owner": False, "size": "m"},
        {"job": "nurse", "age": 0, "extras": ("a",), "note": None, "size": ""},
        {"job": "nurse", "age": -(2**53 - 1), "extras": [], "owner": None},
    ],
)
def test_good_attributes_have_no_problem(attributes: dict[str, object]) -> None:
    assert check_attributes(parse_form_schema(FORM), attributes) == ()


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        ("job", None, "required"),
        ("job", "", "required"),
        ("age", None, "required"),
        ("job", "pilot", "unknown_option"),
        ("job", ["nurse"], "not_text"),
        ("job", 1, "not_text"),
        ("size", "l", "unknown_option"),
        ("size", True, "not_text"),
        ("extras", "a", "not_a_list"),
        ("extras", {"a": 1}, "not_a_list"),
        ("extras", ["a", "z"], "unknown_option"),
        ("extras", [["a"]], "unknown_option"),
        ("extras", ["a", 1], "unknown_option"),
        ("extras", ["a", "a"], "duplicate_option"),
        ("note", 5, "not_text"),
        ("note", "a\x00", "unstorable_text"),
        ("note", "\ud834", "unstorable_text"),
        pytest.param("note", "x" * 10_001, "text_too_long", id="long-note"),
        ("age", True, "not_a_number"),
        ("age", "41", "not_a_number"),
        ("age", math.nan, "not_a_number"),
        ("age", math.inf, "not_a_number"),
        ("age", 2**53, "number_out_of_range"),
        pytest.param("age", 10**5000, "number_out_of_range", id="age-huge"),
        ("age", 1e300, "number_out_of_range"),
        ("owner", 1, "not_a_boolean"),
        ("owner", "yes", "not_a_boolean"),
        ("shoe", 44, "unknown_field"),
    ],
)
def test_a_wrong_attribute_is_named_with_a_code(key: str, value: object, code: str) -> None:
    problems = check_attributes(parse_form_schema(FORM), {"job": "nurse", "age": 41, key: value})
    assert [(problem.path, problem.code) for problem in problems] == [(key, code)]


def test_problems_come_in_the_order_of_the_form_and_never_repeat_a_value() -> None:
    secret = "Elm Street 1"
    problems = check_attributes(parse_form_schema(FORM), {"zz": secret, "size": secret, "age": secret})
    assert [problem.path for problem in problems] == ["job", "age", "size", "zz"]
    assert not any(secret in problem.message for problem in problems)


def test_a_long_list_of_options_is_cut_in_messages() -> None:
    with pytest.raises(ValueNotInForm, match="and 992 more"):
        convert_text(field("select", *(f"o{i}" for i in range(1000))), "x")
