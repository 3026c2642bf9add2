"""What the short run of generated requests leaves out, and that it leaves out nothing else."""

import json
from collections import Counter
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import pytest
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode
from schemathesis.generation.meta import CoveragePhaseData, CoverageScenario

from tests.api.document import written_document
from tests.api.generated import briefly

pytestmark = pytest.mark.slow  # imports Schemathesis, for a second


def test_filters_are_whole_at_one_operation_and_in_every_answer() -> None:
    document = deepcopy(written_document())
    briefly.before_load_schema(None, document)

    whole, plain = set[tuple[str, str]](), set[tuple[str, str]]()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["responses"] == written_document()["paths"][path][method]["responses"]
            reached = _reached(document, operation.get("requestBody"))
            assert "FilterGroup" not in reached, "groups in groups in groups"
            if "FilterGroupWithFlatGroups" in reached:
                whole.add((path, method))
            elif "FilterGroupWithPlainGroups" in reached:
                plain.add((path, method))
    assert whole == {briefly.WHOLE_FILTERS_AT}
    rule = f"{briefly.REFERENCE}FilterRule"
    assert rule in json.dumps(document["components"]["schemas"]["FilterGroupWithFlatGroups"])
    assert len(plain) >= 7, "or it saves nothing any more"
    for name, schema in written_document()["components"]["schemas"].items():
        assert document["components"]["schemas"][name] == schema


def _reached(document: dict[str, Any], node: object) -> set[str]:
    schemas = document["components"]["schemas"]
    found, new = set[str](), set(briefly.references(node))
    while new:
        found |= new
        new = {each for name in new for each in briefly.references(schemas[name])} - found
    return found


def _case(operation: str, place: str | None, value: object, mode: object = GenerationMode.NEGATIVE) -> object:
    what = CoveragePhaseData(
        scenario=CoverageScenario.INCORRECT_TYPE,
        description="Incorrect type",
        location=None,
        parameter="limit",
        parameter_location=None if place is None else ParameterLocation(place),
    )
    meta = SimpleNamespace(phase=SimpleNamespace(data=what), generation=SimpleNamespace(mode=mode))
    return SimpleNamespace(
        meta=meta,
        method="GET",
        operation=SimpleNamespace(label=operation),
        path_parameters={},
        query={"limit": value},
        headers={},
        cookies={},
    )


def test_a_wrong_value_is_tried_three_times_and_one_at_each_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(briefly, "_met_by_all", Counter())
    monkeypatch.setattr(briefly, "_met_by_operation", set())

    def are_tried(*cases: object) -> list[bool]:
        return [briefly.filter_case(None, case) for case in cases]

    assert are_tried(*(_case(name, "query", "z") for name in "efgh")) == [True] * 4, (
        "each is the first of its operation"
    )
    assert are_tried(*(_case(name, "query", "w") for name in "efgh")) == [True, True, True, False]
    assert are_tried(*(_case(name, "query", "x") for name in "abc")) == [True] * 3
    assert are_tried(_case("d", "query", "x")) == [True], "the first of its operation"
    assert are_tried(_case("d", "query", "x"), _case("d", "query", "y"), _case("a", "query", "x")) == [
        False,
        True,
        False,
    ]
    assert are_tried(*[_case("d", "body", "x")] * 5) == [True] * 5
    assert are_tried(*[_case("d", "query", "x", GenerationMode.POSITIVE)] * 5) == [True] * 5
