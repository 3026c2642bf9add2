"""The filter language: what each operator accepts, what is refused on write, and how it reads in words."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.core.filters.filter import MALFORMED, compile_filter, summarise_filter, validate_filter
from fairlead.core.form import Field, FieldType, FormSchema
from tests.core.filters import strategies
from tests.core.filters.oracle import oracle_index_of_mismatch, oracle_is_well_formed

SCHEMA = FormSchema(
    (
        Field("job", "Job", FieldType.SELECT, options=("nurse", "teacher", "pilot")),
        Field("extras", "Extras", FieldType.MULTI_SELECT, options=("a", "b", "c")),
        Field("note", "Note", FieldType.TEXT),
        Field("age", "age", FieldType.NUMBER),
        Field("owner", "Owner", FieldType.BOOLEAN),
        Field("size", "Size", FieldType.RADIO, options=("s", "m")),
    )
)
LARGEST = 2**53 - 1


def rule(key: object, operator: object, value: object) -> dict[str, object]:
    return {"field_key": key, "operator": operator, "value": value}


def of(*rules: object) -> dict[str, object]:
    return {"version": 1, "rules": list(rules)}


FITS = [
    ("job", "eq", "nurse", ["nurse"], ["teacher", "Nurse", " nurse", ["nurse"], 1, True]),
    ("job", "neq", "nurse", ["teacher", "a former option"], ["nurse", 1, ["teacher"], False]),
    ("job", "in", ["nurse", "pilot"], ["nurse", "pilot"], ["teacher", ["nurse"], {"nurse": 1}]),
    ("job", "in", ["nurse", "nurse"], ["nurse"], ["pilot"]),
    ("job", "not_in", ["nurse", "pilot"], ["teacher"], ["nurse", "pilot", 0, ["teacher"]]),
    ("extras", "in", ["a", "b"], [["a"], ["c", "b"], ("a",)], [["c"], "a", ["a", 1], [None, "a"], [["a"]]]),
    ("extras", "not_in", ["a", "b"], [["c"], ("c",)], [["a"], ["c", "b"], "c", ["c", 1], {"c": 1}]),
    ("extras", "contains", "a", [["a"], ["b", "a"]], [["b"], "a", ["aa"], ["A"]]),
    ("note", "eq", "Red", ["Red"], ["red", "Red ", 1, ["Red"]]),
    ("note", "neq", "Red", ["red", " "], ["Red", 1, ["x"]]),
    ("note", "contains", "STRASSE", ["Hauptstraße 1", "strasse"], ["stra", 1, ["strasse"]]),
    ("note", "contains", " ", ["a b"], ["ab"]),
    ("age", "eq", 30, [30, 30.0], [31, "30", True, [30]]),
    ("age", "eq", 1, [1, 1.0], [True]),
    ("age", "eq", 0, [0, -0.0], [False]),
    ("age", "neq", 1, [2, 0.5, -LARGEST], [1, 1.0, True, "2", math.nan, math.inf, 2**53]),
    ("age", "neq", 5, [4], [5, True, False]),
    ("age", "gte", 18, [18, 18.0, 99, LARGEST], [17.999, "20", True, math.nan, math.inf, 10**400, 1e300]),
    ("age", "lte", 18, [18, -5, -LARGEST], [18.5, "7", False, math.nan, -math.inf, -(2**53)]),
    ("age", "between", [30, 50], [30, 50, 40.5], [29, 51, "40", True, math.nan]),
    ("age", "between", [30, 30], [30], [29, 31]),
    ("age", "gte", LARGEST, [LARGEST], [LARGEST - 1]),
    ("owner", "eq", True, [True], [False, 1, "true", "yes", ["x"]]),
    ("owner", "eq", False, [False], [True, 0, "false"]),
    ("size", "eq", "s", ["s"], ["m", ["s"], 1]),
    ("size", "neq", "s", ["m"], ["s", 1]),
]
PRESENT = ["x", " ", 0, False, ["a"], ("a",), {}, math.nan, 10**400]
MISSING = [None, "", [], ()]


@pytest.mark.parametrize(("key", "operator", "value", "fits", "fails"), FITS)
def test_a_rule_accepts_what_fits_it_and_nothing_else(
    key: str, operator: str, value: object, fits: list[object], fails: list[object]
) -> None:
    compiled = compile_filter(of(rule(key, operator, value)), SCHEMA)
    assert compiled.is_valid
    for lead_value in fits:
        assert compiled.accepts({key: lead_value}), lead_value
        assert compiled.first_mismatch({key: lead_value}) is None
    for lead_value in [*fails, *MISSING]:
        assert not compiled.accepts({key: lead_value}), lead_value
        assert compiled.first_mismatch({key: lead_value}) is compiled.rules[0]
    assert not compiled.accepts({})


@pytest.mark.parametrize("key", [field.key for field in SCHEMA.fields])
def test_exists_asks_only_whether_there_is_a_value(key: str) -> None:
    present = compile_filter(of(rule(key, "exists", True)), SCHEMA)
    absent = compile_filter(of(rule(key, "exists", False)), SCHEMA)
    for value in PRESENT:
        assert (present.accepts({key: value}), absent.accepts({key: value})) == (True, False)
    for value in MISSING:
        assert (present.accepts({key: value}), absent.accepts({key: value})) == (False, True)
    assert (present.accepts({}), absent.accepts({})) == (False, True)


def test_no_rules_accept_every_lead() -> None:
    compiled = compile_filter(of(), SCHEMA)
    assert compiled.is_valid
    assert compiled.accepts({})
    assert compiled.accepts({"age": "nonsense", "unheard": object()})


def test_all_rules_must_hold_and_the_first_that_fails_is_named() -> None:
    compiled = compile_filter(of(rule("age", "gte", 30), rule("job", "eq", "nurse"), rule("age", "lte", 50)), SCHEMA)
    assert compiled.accepts({"age": 40, "job": "nurse"})
    assert compiled.first_mismatch({"age": 20, "job": "pilot"}) == compiled.rules[0]
    assert compiled.first_mismatch({"age": 40, "job": "pilot"}) == compiled.rules[1]
    mismatch = compiled.first_mismatch({"age": 60, "job": "nurse"})
    assert mismatch is not None
    assert mismatch.to_json() == rule("age", "lte", 50)


def test_rules_that_contradict_each_other_are_valid_and_match_nothing() -> None:
    raw = of(rule("age", "gte", 50), rule("age", "lte", 30))
    assert validate_filter(raw, SCHEMA) == ()
    assert not compile_filter(raw, SCHEMA).accepts({"age": 40})


MALFORMED_FILTERS = [
    (None, "", "not_an_object"),
    ([], "", "not_an_object"),
    ("{}", "", "not_an_object"),
    ({}, "version", "unknown_version"),
    ({"version": 3, "rules": []}, "version", "unknown_version"),
    ({"version": "1", "rules": []}, "version", "unknown_version"),
    ({"version": True, "rules": []}, "version", "unknown_version"),
    ({"version": 1.0, "rules": []}, "version", "unknown_version"),
    ({"version": 1}, "rules", "missing_key"),
    ({"version": 1, "rules": [], "any": True}, "any", "unknown_key"),
    ({"version": 1, "rules": [], 7: True}, "7", "unknown_key"),
    ({"version": 1, "rules": {}}, "rules", "not_a_list"),
    ({"version": 1, "rules": "[]"}, "rules", "not_a_list"),
    (of(*[rule("age", "eq", 1)] * 101), "rules", "too_many_rules"),
    (of("age"), "rules[0]", "not_an_object"),
    (of({"field_key": "age", "operator": "eq"}), "rules[0].value", "missing_key"),
    (of(rule("age", "eq", 1) | {"not": True}), "rules[0].not", "unknown_key"),
    (of(rule("shoe", "eq", 1)), "rules[0].field_key", "unknown_field"),
    (of(rule(None, "eq", 1)), "rules[0].field_key", "unknown_field"),
    (of(rule(["age"], "eq", 1)), "rules[0].field_key", "unknown_field"),
    (of(rule(10**400, "eq", 1)), "rules[0].field_key", "unknown_field"),
    (of(rule("age", "like", 1)), "rules[0].operator", "unknown_operator"),
    (of(rule("age", None, 1)), "rules[0].operator", "unknown_operator"),
    (of(rule("age", ["eq"], 1)), "rules[0].operator", "unknown_operator"),
    (of(rule("age", "malformed", 1)), "rules[0].operator", "unknown_operator"),
    (of(rule("age", "EQ", 1)), "rules[0].operator", "unknown_operator"),
    (of(rule("age", "contains", 1)), "rules[0].operator", "operator_not_allowed"),
    (of(rule("age", "in", [1])), "rules[0].operator", "operator_not_allowed"),
    (of(rule("job", "gte", "nurse")), "rules[0].operator", "operator_not_allowed"),
    (of(rule("job", "contains", "nurse")), "rules[0].operator", "operator_not_allowed"),
    (of(rule("extras", "eq", "a")), "rules[0].operator", "operator_not_allowed"),
    (of(rule("note", "in", ["a"])), "rules[0].operator", "operator_not_allowed"),
    (of(rule("owner", "neq", True)), "rules[0].operator", "operator_not_allowed"),
    (of(rule("size", "in", ["s"])), "rules[0].operator", "operator_not_allowed"),
    (of(rule("age", "eq", "30")), "rules[0].value", "not_a_number"),
    (of(rule("age", "eq", True)), "rules[0].value", "not_a_number"),
    (of(rule("age", "gte", None)), "rules[0].value", "not_a_number"),
    (of(rule("age", "gte", math.nan)), "rules[0].value", "not_a_number"),
    (of(rule("age", "lte", math.inf)), "rules[0].value", "not_a_number"),
    (of(rule("age", "lte", 2**53)), "rules[0].value", "number_out_of_range"),
    (of(rule("age", "lte", 10**400)), "rules[0].value", "number_out_of_range"),
    (of(rule("age", "between", 5)), "rules[0].value", "not_a_range"),
    (of(rule("age", "between", [5])), "rules[0].value", "not_a_range"),
    (of(rule("age", "between", [1, 2, 3])), "rules[0].value", "not_a_range"),
    (of(rule("age", "between", "12")), "rules[0].value", "not_a_range"),
    (of(rule("age", "between", [False, 2])), "rules[0].value[0]", "not_a_number"),
    (of(rule("age", "between", [1, math.nan])), "rules[0].value[1]", "not_a_number"),
    (of(rule("age", "between", [50, 30])), "rules[0].value", "min_above_max"),
    (of(rule("job", "eq", "baker")), "rules[0].value", "unknown_option"),
    (of(rule("job", "eq", "")), "rules[0].value", "unknown_option"),
    (of(rule("job", "eq", ["nurse"])), "rules[0].value", "not_text"),
    (of(rule("job", "in", "nurse")), "rules[0].value", "not_a_list"),
    (of(rule("job", "in", {"nurse": 1})), "rules[0].value", "not_a_list"),
    (of(rule("job", "in", [])), "rules[0].value", "empty_list"),
    (of(rule("job", "not_in", ["nurse", "baker"])), "rules[0].value[1]", "unknown_option"),
    (of(rule("job", "in", ["nurse", 1])), "rules[0].value[1]", "not_text"),
    (of(rule("job", "in", ["nurse"] * 10_001)), "rules[0].value", "too_many_items"),
    (of(rule("extras", "contains", "z")), "rules[0].value", "unknown_option"),
    (of(rule("extras", "contains", ["a"])), "rules[0].value", "not_text"),
    (of(rule("note", "contains", "")), "rules[0].value", "empty_text"),
    (of(rule("note", "eq", "")), "rules[0].value", "empty_text"),
    (of(rule("note", "eq", 5)), "rules[0].value", "not_text"),
    (of(rule("note", "eq", "a\x00")), "rules[0].value", "unstorable_text"),
    (of(rule("note", "eq", "\udfff")), "rules[0].value", "unstorable_text"),
    (of(rule("note", "contains", "x" * 10_001)), "rules[0].value", "text_too_long"),
    (of(rule("owner", "eq", 1)), "rules[0].value", "not_a_boolean"),
    (of(rule("owner", "eq", "true")), "rules[0].value", "not_a_boolean"),
    (of(rule("age", "exists", None)), "rules[0].value", "not_a_boolean"),
    (of(rule("age", "exists", 1)), "rules[0].value", "not_a_boolean"),
    (of(rule("age", "gte", 1), rule("age", "gte", "x")), "rules[1].value", "not_a_number"),
]
LEAD = {"job": "nurse", "extras": ["a"], "note": "n", "age": 30, "owner": True, "size": "s"}


@pytest.mark.parametrize(
    ("raw", "path", "code"),
    [pytest.param(*case, id=f"{case[2]}-{n}") for n, case in enumerate(MALFORMED_FILTERS)],
)
def test_a_malformed_filter_is_refused_on_write_and_never_matches(raw: object, path: str, code: str) -> None:
    problems = validate_filter(raw, SCHEMA)
    assert [(problem.path, problem.code) for problem in problems] == [(path, code)]
    assert problems[0].message
    assert "\n" not in problems[0].message
    compiled = compile_filter(raw, SCHEMA)
    assert not compiled.is_valid
    for lead in (LEAD, {}):
        assert not compiled.accepts(lead)
        assert compiled.first_mismatch(lead) is MALFORMED
    assert summarise_filter(raw, SCHEMA).startswith("no lead, because the filter is not valid: ")


def test_all_problems_are_reported_at_once() -> None:
    raw = of(rule("shoe", "eq", 1), rule("age", "gte", 18), rule("age", "in", [1]), {})
    assert [problem.path for problem in validate_filter(raw, SCHEMA)] == [
        "rules[0].field_key",
        "rules[2].operator",
        "rules[3].field_key",
        "rules[3].operator",
        "rules[3].value",
    ]


def test_the_limits_themselves_are_allowed() -> None:
    assert validate_filter(of(*[rule("age", "gte", 1)] * 100), SCHEMA) == ()
    assert validate_filter(of(rule("job", "in", ["nurse"] * 10_000)), SCHEMA) == ()
    assert validate_filter(of(rule("note", "contains", "x" * 10_000)), SCHEMA) == ()


def test_a_filter_follows_the_form_it_is_read_against() -> None:
    raw = of(rule("age", "gte", 18))
    as_text = FormSchema((Field("age", "Age", FieldType.TEXT),))
    assert compile_filter(raw, SCHEMA).is_valid
    assert [problem.code for problem in validate_filter(raw, as_text)] == ["operator_not_allowed"]
    assert not compile_filter(raw, as_text).accepts({"age": 20})


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ([], "every lead"),
        (
            [rule("age", "between", [30, 50]), rule("job", "in", ["nurse", "pilot"])],
            "age between 30 and 50; Job is nurse or pilot",
        ),
        ([rule("job", "eq", "nurse")], "Job is nurse"),
        ([rule("job", "neq", "nurse")], "Job is not nurse"),
        ([rule("job", "in", ["nurse", "pilot", "teacher"])], "Job is nurse, pilot or teacher"),
        ([rule("job", "not_in", ["nurse", "pilot"])], "Job is not nurse or pilot"),
        ([rule("extras", "in", ["a", "b"])], "Extras includes a or b"),
        ([rule("extras", "not_in", ["a", "b"])], "Extras excludes a or b"),
        ([rule("extras", "contains", "a")], "Extras includes a"),
        ([rule("note", "eq", "red")], 'Note is "red"'),
        ([rule("note", "neq", "red")], 'Note is not "red"'),
        ([rule("note", "contains", "red")], 'Note contains "red"'),
        ([rule("age", "eq", 5)], "age is 5"),
        ([rule("age", "neq", 5.5)], "age is not 5.5"),
        ([rule("age", "gte", 18.0)], "age at least 18"),
        ([rule("age", "lte", 1e15)], "age at most 1000000000000000"),
        ([rule("owner", "eq", True)], "Owner is yes"),
        ([rule("owner", "eq", False)], "Owner is no"),
        ([rule("size", "eq", "s")], "Size is s"),
        ([rule("note", "exists", True)], "Note is given"),
        ([rule("owner", "exists", False)], "Owner is not given"),
    ],
)
def test_a_filter_reads_in_plain_words(rules: list[object], words: str) -> None:
    assert summarise_filter(of(*rules), SCHEMA) == words


def test_a_long_list_is_cut_in_words() -> None:
    options = tuple(f"o{n}" for n in range(20))
    schema = FormSchema((Field("f", "F", FieldType.SELECT, options=options),))
    words = summarise_filter(of(rule("f", "in", list(options))), schema)
    assert words == "F is o0, o1, o2, o3, o4, o5, o6, o7 or 12 more"


@settings(max_examples=3 * settings().max_examples)
@given(st.data())
def test_the_fast_reading_agrees_with_the_literal_one(data: st.DataObject) -> None:
    schema = data.draw(strategies.schemas)
    raw = data.draw(strategies.any_filters(schema))
    compiled = compile_filter(raw, schema)
    assert compiled.is_valid == oracle_is_well_formed(raw, schema) == (validate_filter(raw, schema) == ())
    assert summarise_filter(raw, schema)
    for lead in data.draw(st.lists(strategies.leads(schema), min_size=1, max_size=4)):
        position = oracle_index_of_mismatch(raw, schema, lead)
        expected = None if position is None else MALFORMED if position < 0 else compiled.rules[position]
        assert compiled.first_mismatch(lead) is expected
        assert compiled.accepts(lead) == (position is None)
