"""The filter index gives exactly the slots whose filter accepts, whatever was put and asked before."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from fairlead.core.filters.filter import compile_filter
from fairlead.core.filters.index import FilterIndex
from fairlead.core.form import Field, FieldType, FormSchema
from tests.core.filters import strategies
from tests.core.filters.oracle import oracle_index_of_mismatch

AGE = FormSchema((Field("age", "Age", FieldType.NUMBER),))
KITCHEN_SINK = FormSchema(
    (
        Field("job", "Job", FieldType.SELECT, options=("a", "b", "c", "d")),
        Field("extras", "Extras", FieldType.MULTI_SELECT, options=("a", "b", "c", "d")),
        Field("note", "Note", FieldType.TEXT),
        Field("age", "Age", FieldType.NUMBER),
        Field("owner", "Owner", FieldType.BOOLEAN),
    )
)


def of(*rules: tuple[str, str, object]) -> dict[str, object]:
    keys = ("field_key", "operator", "value")
    return {"version": 1, "rules": [dict(zip(keys, rule, strict=True)) for rule in rules]}


def matches(schema: FormSchema, raws: list[object], lead: dict[str, object]) -> list[int]:
    index = FilterIndex()
    for slot, raw in enumerate(raws):
        index.put(slot, compile_filter(raw, schema))
    return index.matching(lead, BitMap(range(len(raws)))).tolist()


@settings(max_examples=2 * settings().max_examples)
@given(st.data())
def test_the_index_agrees_with_the_literal_reading(data: st.DataObject) -> None:
    schema = data.draw(strategies.schemas)
    index = FilterIndex()
    raws: dict[int, object] = {}
    slots = data.draw(st.lists(st.integers(0, 5000), unique=True, max_size=12))
    for slot in slots:
        raws[slot] = data.draw(strategies.any_filters(schema))
        index.put(slot, compile_filter(raws[slot], schema))
        if data.draw(st.booleans()):
            continue
        lead = data.draw(strategies.leads(schema))
        among = BitMap([each for each in [*slots, 1, 6000] if data.draw(st.integers(0, 3))])
        before = among.copy()
        wanted = [each for each in sorted(raws) if oracle_index_of_mismatch(raws[each], schema, lead) is None]
        assert index.matching(lead, among).tolist() == [each for each in wanted if each in before]
        assert among == before


def random_filter(dice: random.Random) -> object:
    """Up to six rules, several of a kind on one field; one filter in twenty is malformed."""
    if dice.random() < 0.05:
        return of(("age", "between", [2, 1]))
    low = dice.randint(0, 60)
    rules: list[tuple[str, str, object]] = [
        ("job", dice.choice(["in", "not_in"]), dice.sample("abcd", dice.randint(1, 3))),
        ("job", dice.choice(["eq", "neq"]), dice.choice("abcd")),
        ("extras", dice.choice(["in", "not_in"]), dice.sample("abcd", dice.randint(1, 3))),
        ("extras", "contains", dice.choice("abcd")),
        ("extras", "contains", dice.choice("abcd")),
        ("note", "contains", dice.choice(["roof", "Roof", "heat", "at"])),
        ("note", dice.choice(["contains", "neq"]), dice.choice(["ROOF", "pump"])),
        ("age", "between", [low, low + dice.randint(0, 40)]),
        ("age", dice.choice(["gte", "lte", "neq", "eq"]), dice.choice([dice.randint(0, 100), 30.5])),
        ("age", dice.choice(["gte", "lte", "neq"]), dice.randint(0, 100)),
        ("owner", "eq", dice.random() < 0.5),
        (dice.choice(["job", "note", "age", "owner", "extras"]), "exists", dice.random() < 0.7),
    ]
    return of(*dice.sample(rules, dice.randint(0, 6)))


def random_lead(dice: random.Random) -> dict[str, object]:
    lead: dict[str, object] = {
        "job": dice.choice("abcd"),
        "extras": dice.sample("abcd", dice.randint(0, 4)),
        "note": dice.choice(["a roof", "heat pump", "HEAT and ROOF", "pump", ""]),
        "age": dice.choice([dice.randint(0, 100), 30.5, dice.random() * 100]),
        "owner": dice.random() < 0.5,
    }
    for key in list(lead):
        if dice.random() < 0.1:
            lead[key] = dice.choice([None, "", [], 1, "a", True, float("nan"), ["a", 1]])
    return lead


@pytest.mark.parametrize("seed", range(3))
def test_the_index_is_exact_for_thousands_of_filters_as_they_come_in(seed: int) -> None:
    dice = random.Random(seed)
    index = FilterIndex()
    compiled = [compile_filter(random_filter(dice), KITCHEN_SINK) for _ in range(4000)]
    slots = list(range(4000))
    dice.shuffle(slots)
    found = 0
    for count, slot in enumerate(slots, 1):
        index.put(slot, compiled[slot])
        if count % 200:
            continue
        lead = random_lead(dice)
        among = BitMap(dice.sample(range(5000), dice.choice([0, 50, 2500, 5000])))
        known = sorted(slots[:count])
        wanted = [each for each in known if each in among and compiled[each].accepts(lead)]
        assert index.matching(lead, among).tolist() == wanted
        found += len(wanted)
    assert found > 100


def test_several_rules_of_a_kind_on_one_field_must_all_hold() -> None:
    raws: list[object] = [
        of(("extras", "contains", "a"), ("extras", "contains", "b")),
        of(("extras", "contains", "b"), ("extras", "contains", "a")),
        of(("extras", "in", ["a", "b"]), ("extras", "in", ["c"])),
        of(("extras", "not_in", ["c"]), ("extras", "not_in", ["d"])),
    ]
    assert matches(KITCHEN_SINK, raws, {"extras": ["a"]}) == [3]
    assert matches(KITCHEN_SINK, raws, {"extras": ["a", "b"]}) == [0, 1, 3]
    assert matches(KITCHEN_SINK, raws, {"extras": ["a", "c"]}) == [2]
    assert matches(KITCHEN_SINK, raws, {"extras": ["d"]}) == []
    needles: list[object] = [of(("note", "contains", "roof"), ("note", "contains", "leak"))]
    assert matches(KITCHEN_SINK, needles, {"note": "the roof"}) == []
    assert matches(KITCHEN_SINK, needles, {"note": "the Roof LEAKs"}) == [0]


def test_a_contradiction_matches_nothing() -> None:
    raws: list[object] = [
        of(("job", "eq", "a"), ("job", "eq", "b")),
        of(("age", "gte", 50), ("age", "lte", 40)),
        of(("age", "exists", True), ("age", "exists", False)),
        of(("owner", "eq", True), ("owner", "eq", False)),
    ]
    for lead in ({"job": "a", "age": 45, "owner": True}, {"job": "b", "owner": False}, {}):
        assert matches(KITCHEN_SINK, raws, lead) == []


def test_numbers_at_the_edge_of_exactness_are_told_apart() -> None:
    largest = 2**53 - 1
    raws: list[object] = [
        of(("age", "eq", largest)),
        of(("age", "eq", largest - 1)),
        of(("age", "gte", largest)),
        of(("age", "lte", largest)),
        of(("age", "neq", largest)),
        of(("age", "eq", -largest)),
    ]
    assert matches(AGE, raws, {"age": largest}) == [0, 2, 3]
    assert matches(AGE, raws, {"age": largest - 1}) == [1, 3, 4]
    assert matches(AGE, raws, {"age": -largest}) == [3, 4, 5]
    assert matches(AGE, raws, {"age": largest + 1}) == []
    assert matches(AGE, raws, {"age": 10**400}) == []


def test_an_index_holds_slots_read_against_different_forms() -> None:
    """A form may change the type of a field."""
    index = FilterIndex()
    index.put(0, compile_filter(of(("age", "gte", 18)), AGE))
    index.put(1, compile_filter(of(("age", "eq", "18")), FormSchema((Field("age", "Age", FieldType.TEXT),))))
    assert index.matching({"age": 18}, BitMap([0, 1])).tolist() == [0]
    assert index.matching({"age": "18"}, BitMap([0, 1])).tolist() == [1]


def test_a_malformed_filter_never_matches_and_an_empty_one_always_does() -> None:
    assert matches(AGE, [None, of(), {"version": 9}], {"age": None}) == [1]


def test_a_slot_is_used_once() -> None:
    index = FilterIndex()
    index.put(3, compile_filter(of(), AGE))
    with pytest.raises(ValueError, match="slot 3"):
        index.put(3, compile_filter(of(), AGE))
    with pytest.raises(ValueError, match="slot -1"):
        index.put(-1, compile_filter(of(), AGE))


def test_no_slot_asked_is_no_slot_found() -> None:
    index = FilterIndex()
    assert index.matching({"age": 1}, BitMap()).tolist() == []
    index.put(0, compile_filter(of(), AGE))
    assert index.matching({"age": 1}, BitMap()).tolist() == []
    assert index.matching({"age": 1}, BitMap([7])).tolist() == []
