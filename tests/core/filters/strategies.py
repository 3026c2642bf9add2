"""Random forms, filters (some malformed) and leads (some nonsense), small enough to collide."""

from hypothesis import strategies as st

from fairlead.core.form import Field, FieldType, FormSchema

OPTIONS = ("a", "b", "c")
TEXTS = st.sampled_from(["a", "A", "ab", "straße", "STRASSE", "ss", "b a", "ŉ", "İ", "x\x00", "\ud800", ""])
NUMBERS = st.sampled_from([-1, 0, 1, 2, 2.0, 2.5, 3, -0.0, 1e-9, 2**53 - 1, -(2**53) + 1, 2**53, 2**70])
HUGE = [float("nan"), float("inf"), float("-inf"), 10**400]
NONSENSE = st.sampled_from(
    [None, True, False, "", "a", "2", [], (), {}, ["a"], [1], ["a", None], [["a"]], {"a": 1}, 7, *HUGE]
)

schemas = st.lists(st.sampled_from(list(FieldType)), min_size=1, max_size=4).map(
    lambda kinds: FormSchema(
        tuple(
            Field(f"f{position}", f"F{position}", kind, options=OPTIONS if kind.has_options else ())
            for position, kind in enumerate(kinds)
        )
    )
)


def _operands(kind: FieldType, operator: str) -> st.SearchStrategy[object]:
    option = st.sampled_from(OPTIONS)
    if operator == "exists" or kind is FieldType.BOOLEAN:
        return st.booleans()
    if operator == "between":
        return st.lists(NUMBERS, min_size=2, max_size=2).map(lambda pair: sorted(pair, key=float))
    if kind is FieldType.NUMBER:
        return NUMBERS
    if operator in ("in", "not_in"):
        return st.lists(option, min_size=1, max_size=3)
    return TEXTS if kind is FieldType.TEXT else option


OPERATORS = {
    FieldType.SELECT: ["eq", "neq", "in", "not_in", "exists"],
    FieldType.MULTI_SELECT: ["in", "not_in", "contains", "exists"],
    FieldType.TEXT: ["eq", "neq", "contains", "exists"],
    FieldType.NUMBER: ["eq", "neq", "gte", "lte", "between", "exists"],
    FieldType.BOOLEAN: ["eq", "exists"],
    FieldType.RADIO: ["eq", "neq", "exists"],
}
ANY_OPERATOR = ["eq", "neq", "in", "not_in", "gte", "lte", "between", "contains", "exists", "like"]


@st.composite
def _rules(draw: st.DrawFn, schema: FormSchema) -> dict[str, object]:
    field = draw(st.sampled_from(schema.fields))
    operator = draw(st.sampled_from(OPERATORS[field.type]))
    return {"field_key": field.key, "operator": operator, "value": draw(_operands(field.type, operator))}


@st.composite
def _odd_rules(draw: st.DrawFn, schema: FormSchema) -> object:
    rule = draw(_rules(schema))
    change = draw(st.sampled_from(["field_key", "operator", "value", "extra", "missing", "whole"]))
    if change == "whole":
        return draw(NONSENSE)
    if change == "missing":
        del rule[draw(st.sampled_from(sorted(rule)))]
    elif change == "operator":
        rule["operator"] = draw(st.sampled_from(ANY_OPERATOR) | NONSENSE)
    else:
        rule[change] = draw(NONSENSE | st.sampled_from(["f0", "f1", "f9"]))
    return rule


@st.composite
def well_formed_filters(draw: st.DrawFn, schema: FormSchema) -> dict[str, object]:
    return {"version": 1, "rules": draw(st.lists(_rules(schema), max_size=5))}


@st.composite
def any_filters(draw: st.DrawFn, schema: FormSchema) -> object:
    """Well formed more often than not; the operands of a well-formed rule may still be out of bounds."""
    shape = draw(st.integers(0, 9))
    if shape == 0:
        return draw(NONSENSE)
    raw = draw(well_formed_filters(schema))
    if shape == 1:
        raw[draw(st.sampled_from(["version", "rules", "extra"]))] = draw(NONSENSE)
    elif shape in (2, 3):
        rules = raw["rules"]
        assert isinstance(rules, list)
        rules.append(draw(_odd_rules(schema)))
    return raw


@st.composite
def leads(draw: st.DrawFn, schema: FormSchema) -> dict[str, object]:
    lead: dict[str, object] = {}
    for field in schema.fields:
        good = {
            FieldType.NUMBER: NUMBERS,
            FieldType.BOOLEAN: st.booleans(),
            FieldType.TEXT: TEXTS,
            FieldType.MULTI_SELECT: st.lists(st.sampled_from(OPTIONS), max_size=3),
        }.get(field.type, st.sampled_from(OPTIONS))
        kind = draw(st.integers(0, 9))
        if kind > 0:
            lead[field.key] = draw(NONSENSE if kind == 1 else good)
    return lead
