"""Version 2 of the filter language: a literal reading, the compiled filter and the index say the same of every lead."""

import random
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from fairlead.core.canonical import JsonObject
from fairlead.core.filters.distances import Place
from fairlead.core.filters.filter import compile_filter, new_filter, summarise_filter, validate_filter
from fairlead.core.filters.index import FilterIndex
from fairlead.core.form import Field, FieldType, FormSchema
from fairlead.core.gates import filter_refusal
from fairlead.core.messages import Names
from fairlead.core.model import Subscription, filter_text
from tests.core.filters import strategies
from tests.core.filters.oracle_2 import takes

FORM = FormSchema(
    (
        Field("job", "Job", FieldType.SELECT, options=("a", "b", "c", "d")),
        Field("extras", "Extras", FieldType.MULTI_SELECT, options=("a", "b", "c")),
        Field("note", "Note", FieldType.TEXT),
        Field("zip", "Postcode", FieldType.TEXT),
        Field("where", "Where", FieldType.TEXT),
        Field("age", "Age", FieldType.NUMBER),
        Field("owner", "Owner", FieldType.BOOLEAN),
        Field("size", "Size", FieldType.RADIO, options=("s", "m", "l")),
    )
)
CODES = ["10115", "10 117", "SW1A 1AA", "sw1", "00-950", "9", "A0", "AZ", "B00", "1011"]
POINTS = [[52.52, 13.405], [52.4, 13.1], [-17.8, 179.9], [-17.8, -179.9], [89.9, 10], [-90, 0], [0, 0], [64.1, -21.9]]


def rule(field_key: str, operator: str, value: object) -> dict[str, object]:
    return {"field_key": field_key, "operator": operator, "value": value}


def of(*nodes: object) -> dict[str, Any]:
    return {"version": 2, "rules": [*nodes]}


def random_rule(dice: random.Random) -> dict[str, object]:
    low, some = dice.randint(0, 60), lambda texts, most=3: dice.sample(texts, dice.randint(1, most))
    first, last = sorted(dice.sample(["10115", "10117", "SW1A1", "00950", "1011Z"], 2))
    number = dice.choice([dice.randint(0, 100), 30.5, 2**53 - 1, -(2**53) + 1, 0])
    circle = {"point": dice.choice(POINTS), "km": dice.choice([0.5, 25, 300, 1000])}
    by_table = {**circle, "table": "de", "version": 1, "postcodes": ["10115", "9"]}
    text = dice.choice(["", "not_"])
    return rule(
        *dice.choice(
            [
                ("job", text + "in", some("abcd")),
                ("job", dice.choice(["eq", "neq"]), dice.choice("abcd")),
                ("size", text + "in", some("sml")),
                ("extras", text + "in", some("abc")),
                ("extras", "contains", dice.choice("abc")),
                ("note", text + "contains", dice.choice(["roof", "Roof", "heat", "at", "ROOF"])),
                ("note", text + "in", some(["a roof", "heat pump", "pump"])),
                ("note", dice.choice(["eq", "neq"]), "pump"),
                ("zip", f"postcode_{text}in", some(CODES)),
                ("zip", f"postcode_{text}starts_with", some(CODES)),
                ("zip", f"postcode_{text}between", [first, last]),
                ("zip", f"postcode_{text}between", dice.choice([["0", "Z"], ["0", "9"], ["A0", "AZ"], ["A0", "A0"]])),
                ("where", dice.choice(["within_km", "beyond_km"]), circle),
                ("zip", "within_km", by_table),
                ("age", text + "between", [low, low + dice.randint(0, 40)]),
                ("age", dice.choice(["gte", "lte", "gt", "lt", "neq", "eq"]), number),
                ("owner", "eq", dice.random() < 0.5),
                (dice.choice(["job", "note", "age", "owner", "extras", "zip"]), "exists", dice.random() < 0.7),
            ]
        )
    )


def random_node(dice: random.Random, depth: int = 0, *, is_negated: bool = False) -> dict[str, object]:
    kind = dice.choice(["rule", "rule", "rule", "all", "any", "not"]) if depth < 5 else "rule"
    if kind == "not":
        return {"not": random_node(dice, depth + 1, is_negated=not is_negated)}
    if kind != "rule":
        members = [random_node(dice, depth + 1, is_negated=is_negated) for _ in range(dice.randint(1, 3))]
        return {kind: members}
    made = random_rule(dice)
    value: Any = made["value"]
    return random_node(dice, 5, is_negated=True) if is_negated and "table" in str(value) else made


def random_alternatives(dice: random.Random) -> dict[str, object]:
    """Alternatives that have a rule in common, or that ask alike of one field."""
    many = range(dice.randint(2, 3))
    if dice.random() < 0.5:
        shared = random_rule(dice)
        members = [dice.sample([shared, random_rule(dice)], 2) for _ in many]
        return {"any": [{"all": own if dice.random() < 0.9 else [shared]} for own in members]}
    key, operators, values = dice.choice(
        [
            ("job", ["eq", "in"], "abcd"),
            ("extras", ["contains", "in", "not_in"], "abc"),
            ("note", ["contains", "eq"], ["roof", "HEAT", "pump"]),
            ("zip", ["postcode_in", "postcode_starts_with"], CODES),
            ("zip", ["postcode_starts_with"], CODES),
        ]
    )
    chosen = [(dice.choice(operators), dice.sample(values, 2)) for _ in many]
    lists = ("in", "not_in", "postcode_in", "postcode_starts_with")
    return {"any": [rule(key, operator, own if operator in lists else own[0]) for operator, own in chosen]}


def random_filter(dice: random.Random) -> dict[str, Any]:
    return of(
        *[random_alternatives(dice) if dice.random() < 0.2 else random_node(dice) for _ in range(dice.randint(0, 4))]
    )


def random_lead(dice: random.Random) -> dict[str, object]:
    place = dice.choice(POINTS)
    near = [place[0] + dice.uniform(-0.2, 0.1), place[1] + dice.uniform(-0.5, 0.1)]
    lead: dict[str, object] = {
        "job": dice.choice("abcd"),
        "extras": dice.sample("abc", dice.randint(0, 3)),
        "note": dice.choice(["a roof", "heat pump", "HEAT and ROOF", "pump", ""]),
        "zip": dice.choice([*CODES, "sw1a1zz", "???", "10115 Berlin Mitte"]),
        "where": f"{max(near[0], -90):.6f}, {near[1]:.6f}",
        "age": dice.choice([dice.randint(0, 100), 30.5, 2**53 - 1, 0]),
        "owner": dice.random() < 0.5,
        "size": dice.choice("sml"),
    }
    for key in list(lead):
        if dice.random() < 0.1:
            lead[key] = dice.choice([None, "", [], 1, "a", True, float("nan"), ["a", 1], 10**400])
    return lead


@pytest.mark.parametrize("seed", range(6))
def test_index_and_compiled_filter_agree_with_the_literal_reading(seed: int) -> None:
    dice = random.Random(seed)
    raws = [random_filter(dice) for _ in range(300)]
    assert [raw for raw in raws if validate_filter(raw, FORM)] == []
    compiled = [compile_filter(raw, FORM) for raw in raws]
    index = FilterIndex()
    slots = dice.sample(range(2000), len(raws))
    for slot, each in zip(slots, compiled, strict=True):
        index.put(slot, each)
    found = 0
    for _ in range(40):
        lead = random_lead(dice)
        wanted = [takes(raw, FORM, lead) for raw in raws]
        assert [each.accepts(lead) for each in compiled] == wanted
        among = BitMap(dice.sample(range(2000), 1500))
        hits = sorted(slot for slot, is_wanted in zip(slots, wanted, strict=True) if is_wanted and slot in among)
        assert index.matching(lead, among).tolist() == hits
        for each, is_wanted in zip(compiled, wanted, strict=True):
            mismatch = each.mismatch(lead)
            assert (mismatch is None) == is_wanted
            assert mismatch is None or not compile_filter(of(mismatch.rule.to_json()), FORM).accepts(lead)
        found += len(hits)
    assert found > 500


@settings(max_examples=2 * settings().max_examples)
@given(st.data())
def test_every_filter_of_version_1_means_the_same_in_version_2(data: st.DataObject) -> None:
    schema = data.draw(strategies.schemas)
    raw = data.draw(strategies.well_formed_filters(schema))
    if validate_filter(raw, schema):
        return
    first, second = compile_filter(raw, schema), compile_filter({**raw, "version": 2}, schema)
    lead = data.draw(strategies.leads(schema))
    assert first.accepts(lead) == second.accepts(lead)
    assert first.first_mismatch(lead) == second.first_mismatch(lead)
    assert summarise_filter(raw, schema) == summarise_filter({**raw, "version": 2}, schema)


@pytest.mark.parametrize(
    ("node", "path", "code"),
    [
        ({"any": []}, "rules[0].any", "empty_group"),
        ({"any": 3}, "rules[0].any", "not_a_list"),
        ({"not": []}, "rules[0].not", "not_an_object"),
        ({"any": [{"all": [rule("job", "eq", "x")]}]}, "rules[0].any[0].all[0].value", "unknown_option"),
        ({"any": [rule("job", "eq", "a")], "value": 1}, "rules[0].value", "unknown_key"),
        ({"any": [rule("job", "eq", "a")], "all": [rule("job", "eq", "a")]}, "rules[0].any", "unknown_key"),
        (rule("zip", "postcode_in", ["10115", "!"]), "rules[0].value[1]", "not_a_postcode"),
        (rule("zip", "postcode_in", []), "rules[0].value", "empty_list"),
        (rule("zip", "postcode_between", ["1", "20"]), "rules[0].value", "unequal_postcodes"),
        (rule("zip", "postcode_between", ["2", "1"]), "rules[0].value", "min_above_max"),
        (rule("zip", "postcode_between", ["2"]), "rules[0].value", "not_a_range"),
        (rule("where", "within_km", 3), "rules[0].value", "not_an_object"),
        (rule("where", "within_km", {"point": [1, 2]}), "rules[0].value.km", "missing_key"),
        (rule("where", "within_km", {"point": [91, 2], "km": 1}), "rules[0].value.point", "not_a_point"),
        (rule("where", "within_km", {"point": [1, "2"], "km": 1}), "rules[0].value.point[1]", "not_a_number"),
        (rule("where", "within_km", {"point": [1, 2], "km": 0}), "rules[0].value.km", "bad_distance"),
        (
            rule("where", "within_km", {"point": [1, 2], "km": 1, "table": "de"}),
            "rules[0].value.table",
            "unknown_table",
        ),
        (rule("job", "postcode_in", ["1"]), "rules[0].operator", "operator_not_allowed"),
        (rule("age", "more", 1), "rules[0].operator", "unknown_operator"),
    ],
)
def test_every_mistake_is_named_with_its_place(node: object, path: str, code: str) -> None:
    problems = new_filter(of(node), FORM)[1]
    assert [(problem.path, problem.code) for problem in problems] == [(path, code)]
    assert not compile_filter(of(node), FORM).accepts({"job": "a", "zip": "1", "where": "1, 2"})


def test_groups_are_bounded_in_depth_and_number() -> None:
    node: dict[str, object] = rule("age", "gte", 1)
    for _ in range(5):
        node = {"not": node}
    assert validate_filter(of(node), FORM) == ()
    assert [each.code for each in validate_filter(of({"all": [node]}), FORM)] == ["too_deep"]
    for _ in range(5000):
        node = {"not": node}
    assert [each.code for each in new_filter(of(node), FORM)[1]] == ["too_deep"]
    many = of(*[{"any": [rule("age", "gte", number)] * 34} for number in range(3)])
    assert [each.code for each in validate_filter(many, FORM)] == ["too_many_rules"]


def test_version_1_knows_neither_groups_nor_the_operators_of_version_2() -> None:
    for node in ({"any": [rule("age", "gte", 1)]}, rule("age", "gt", 1), rule("size", "in", ["s"])):
        assert validate_filter({**of(node), "version": 1}, FORM) != ()
        assert validate_filter(of(node), FORM) == ()


class Berlin:
    """A table with four places, in its second version."""

    def version(self, name: str, version: int | None) -> int | None:
        return (version or 2) if name == "de" and version in (None, 1, 2) else None

    def place(self, name: str, version: int, postcode: str) -> Place | None:
        return {"10115": Place(52.5337, 13.3872), "14467": Place(52.3988, 13.0657)}.get(postcode)

    def between(self, name: str, version: int, south: float, north: float) -> dict[str, Place]:
        places = {"10115": Place(52.5337, 13.3872), "14467": Place(52.3988, 13.0657), "80331": Place(48.1372, 11.5755)}
        return {code: place for code, place in places.items() if south <= place.latitude <= north}


def test_a_distance_by_a_table_is_written_down_with_what_it_came_to() -> None:
    asked = {"table": "de", "postcode": "10 115", "km": 30}
    stored, problems = new_filter(of(rule("zip", "within_km", asked)), FORM, Berlin())
    assert problems == ()
    rules: Any = stored["rules"]
    postcodes = ["10115", "14467"]
    expected = {"table": "de", "version": 2, "postcode": "10115", "point": [52.5337, 13.3872], "km": 30}
    assert rules[0]["value"] == {**expected, "postcodes": postcodes}
    accepts = compile_filter(stored, FORM).accepts
    assert [accepts({"zip": code}) for code in ("14467", "1 0115", "80331", "", None)] == [
        True,
        True,
        False,
        False,
        False,
    ]
    forged: JsonObject = of(rule("zip", "within_km", {**rules[0]["value"], "postcodes": ["80331"]}))
    assert new_filter(forged, FORM, Berlin())[0] == stored, "what it comes to is looked up, never taken from a request"
    narrow = {**rules[0]["value"], "version": 1, "km": 3}
    older: Any = new_filter(of(rule("zip", "within_km", narrow)), FORM, Berlin())[0]["rules"]
    assert (older[0]["value"]["version"], older[0]["value"]["postcodes"]) == (1, ["10115"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"table": "fr"}, "unknown_table"),
        ({"version": 9}, "unknown_table"),
        ({"postcode": "99999"}, "unknown_postcode"),
        ({"postcode": "!"}, "not_a_postcode"),
        ({"point": [0, 0], "postcode": None}, "empty_list"),
        ({"km": 5000}, "bad_distance"),
    ],
)
def test_what_a_table_cannot_answer_is_refused(change: dict[str, object], code: str) -> None:
    asked = {"table": "de", "postcode": "10115", "km": 30, **change}
    asked = {key: value for key, value in asked.items() if value is not None}
    assert [each.code for each in new_filter(of(rule("zip", "within_km", asked)), FORM, Berlin())[1]] == [code]


def test_where_no_table_may_be_asked_none_is_said_to_be_missing() -> None:
    asked = of(rule("zip", "within_km", {"table": "de", "postcode": "10115", "km": 30}))
    [problem] = new_filter(asked, FORM)[1]
    assert problem.code == "unknown_table"
    assert problem.message == "distances by a postcode table cannot be asked for here, only those from a point"


def test_a_distance_by_a_table_cannot_be_turned_round() -> None:
    by_table = {"table": "de", "postcode": "10115", "km": 30}
    for node in (
        {"not": rule("zip", "within_km", by_table)},
        {"not": {"any": [rule("zip", "within_km", by_table), rule("age", "gt", 1)]}},
        rule("zip", "beyond_km", {**by_table, "point": [1, 2], "version": 2, "postcodes": ["1"]}),
    ):
        assert [each.code for each in new_filter(of(node), FORM, Berlin())[1]] == ["table_turned_round"]
    assert new_filter(of({"not": {"not": rule("zip", "within_km", by_table)}}), FORM, Berlin())[1] == ()


def test_equal_filters_are_written_alike() -> None:
    one = new_filter(of(rule("zip", "postcode_in", ["b 00", "10115", "10-115"])), FORM)[0]
    other = new_filter(of(rule("zip", "postcode_in", ["10115", "B00"])), FORM)[0]
    assert filter_text(one) == filter_text(other)
    kept = {"version": 1, "rules": [rule("job", "in", ["b", "a", "b"])]}
    assert new_filter(kept, FORM)[0] == kept, "version 1 is written down as it came"


def sentence(raw: JsonObject, lead: dict[str, object]) -> str:
    refusal = filter_refusal(Subscription("s", "p", "l", True, None, filter_text(raw), True), FORM, lead)
    return "" if refusal is None else refusal.sentence(Names({}, "EUR"))


NEAR = {"point": [52.52, 13.405], "km": 25}
EITHER = {"any": [{"all": [rule("job", "eq", "a"), rule("age", "gte", 18)]}, rule("owner", "eq", True)]}
OF_TWO = "Filter, the first of 2 alternatives of which none holds: "


@pytest.mark.parametrize(
    ("node", "lead", "words"),
    [
        (EITHER, {"job": "a", "age": 17, "owner": False}, OF_TWO + "Age is 17, they take 18 or more."),
        (EITHER, {"job": "b", "age": 17}, OF_TWO + "Job is `b`, they take `a`."),
        (EITHER, {"job": "b", "owner": True}, ""),
        ({"not": EITHER}, {"job": "b", "owner": True}, "Filter: Owner is yes, they take no."),
        ({"not": EITHER}, {"owner": False}, OF_TWO + "Job is not answered, they ask for an answer."),
        ({"not": rule("age", "gte", 60)}, {"age": 60}, "Filter: Age is 60, they take less than 60."),
        (rule("age", "gt", 60), {"age": 60}, "Filter: Age is 60, they take more than 60."),
        ({"not": rule("age", "between", [1, 9])}, {"age": 3}, "Filter: Age is 3, they take none from 1 to 9."),
        (rule("zip", "postcode_in", ["1"]), {"zip": "2"}, "Filter: Postcode is none of their postcodes."),
        (rule("zip", "postcode_not_in", ["1"]), {"zip": "1"}, "Filter: Postcode is a postcode that they do not take."),
        (rule("zip", "postcode_in", ["1"]), {"zip": "?"}, "Filter: the answer to Postcode does not fit the form."),
        (
            rule("zip", "postcode_starts_with", ["SW"]),
            {"zip": "N1"},
            "Filter: Postcode does not start as their postcodes do, with `SW`.",
        ),
        (
            {"not": rule("zip", "postcode_starts_with", ["SW"])},
            {"zip": "sw1"},
            "Filter: Postcode starts with one of `SW`, which they do not take.",
        ),
        (
            rule("zip", "postcode_between", ["10000", "14999"]),
            {"zip": "20000"},
            "Filter: Postcode is no postcode from `10000` to `14999`.",
        ),
        (
            {"not": rule("zip", "postcode_between", ["10000", "14999"])},
            {"zip": "12000"},
            "Filter: Postcode is from `10000` to `14999`, which they do not take.",
        ),
        (
            rule("where", "within_km", NEAR),
            {"where": "48, 11"},
            "Filter: Where is not within 25 km of `52.52, 13.405`.",
        ),
        (
            {"not": rule("where", "within_km", NEAR)},
            {"where": "52.5, 13.4"},
            "Filter: Where is not more than 25 km from `52.52, 13.405`.",
        ),
        (rule("note", "in", ["x", "y"]), {"note": "z"}, "Filter: Note is none of `x`, `y`."),
        (rule("note", "not_in", ["x"]), {"note": "x"}, "Filter: Note is one of `x`, which they do not take."),
        (rule("note", "not_contains", "x"), {"note": "axe"}, "Filter: Note contains `x`, which they do not take."),
    ],
)
def test_the_innermost_rule_that_refused_is_told(node: object, lead: dict[str, object], words: str) -> None:
    raw = of(node)
    assert validate_filter(raw, FORM) == ()
    assert re.sub("`([A-Z][a-z]+)`", r"\1", sentence(raw, lead)) == words


def test_a_filter_reads_as_words() -> None:
    raw = of(
        {"any": [rule("zip", "postcode_starts_with", ["SW", "W"]), rule("where", "within_km", NEAR)]},
        {"not": {"all": [rule("age", "lt", 18), rule("owner", "eq", False)]}},
        {"not": rule("age", "not_between", [20, 30.0])},
        rule("zip", "postcode_not_between", ["10", "20"]),
        rule("note", "not_contains", "x"),
    )
    assert summarise_filter(raw, FORM) == (
        "(Postcode starts with SW or W or Where within 25 km of 52.52, 13.405); "
        "not (Age below 18 and Owner is no); not (Age not between 20 and 30); "
        'Postcode not from 10 to 20; Note does not contain "x"'
    )


def test_long_lists_are_kept_once_and_count_exactly() -> None:
    dice = random.Random(1)
    codes = [f"{number:05}" for number in range(3000)]
    lists = [dice.sample(codes, 500) for _ in range(5)]
    raws = [of(rule("zip", dice.choice(["postcode_in", "postcode_not_in"]), lists[nth % 5])) for nth in range(40)]
    raws += [of(rule("zip", "postcode_starts_with", ["000"])), of(rule("note", "in", codes))]
    index = FilterIndex()
    for slot, raw in enumerate(raws):
        index.put(slot, compile_filter(raw, FORM))
    for code in dice.sample(codes, 50):
        lead: dict[str, object] = {"zip": code, "note": code}
        wanted = [slot for slot, raw in enumerate(raws) if takes(raw, FORM, lead)]
        assert index.matching(lead, BitMap(range(len(raws)))).tolist() == wanted
