"""Hooks of Schemathesis for the short run: what many operations share is tried at a few of them.

Left to itself it tries all that it can think of at each operation anew. More than half of that are filters, groups in
groups in groups, at eight operations that read them by one type; much of the rest is every parameter of the same name
and type, and every method that is not there. The long run tries all of it.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import schemathesis
from schemathesis.generation import GenerationMode
from schemathesis.generation.meta import CoveragePhaseData

REFERENCE = "#/components/schemas/"
WHOLE_FILTERS_AT = ("/api/v1/provider/subscriptions/{subscription_id}/filter", "put")
"""Where a filter is tried as the document has it, but for groups within groups. Such a group, and elsewhere every one,
holds one of these:"""
MEMBERS = {
    "enum": [
        {"field_key": "cores", "operator": "gte", "value": 4},
        {"any": [{"field_key": "region", "operator": "eq", "value": "north"}]},
    ]
}
MOST_TIMES = 3
"""The same wrong value of the same parameter; each operation meets at least one in each place, whatever others met."""


@schemathesis.hook
def before_load_schema(context: Any, raw_schema: dict[str, Any]) -> None:
    """The bodies of requests hold plain groups, but at the one operation. Answers are held against the document."""
    schemas: dict[str, Any] = raw_schema["components"]["schemas"]
    holding = _holding(schemas, "FilterGroup")
    flat = {_flat(name): _referring(schemas[name], holding, _flat) for name in holding - {"FilterGroup"}}
    flat[_flat("FilterGroup")] = _referring(schemas["FilterGroup"], holding, _plain)
    schemas.update({_plain(name): _referring(schemas[name], holding, _plain) for name in holding} | flat)
    group = schemas[_plain("FilterGroup")]["properties"]
    group["all"]["anyOf"][0]["items"] = group["any"]["anyOf"][0]["items"] = group["not"]["anyOf"][0] = MEMBERS
    for path, operations in raw_schema["paths"].items():
        for method, operation in operations.items():
            if "requestBody" in operation:
                named = _flat if (path, method) == WHOLE_FILTERS_AT else _plain
                operation["requestBody"] = _referring(operation["requestBody"], holding, named)


def _plain(name: str) -> str:
    return f"{name}WithPlainGroups"


def _flat(name: str) -> str:
    """With whole groups, in which groups are plain."""
    return f"{name}WithFlatGroups"


def _holding(schemas: Mapping[str, Any], name: str) -> set[str]:
    """The schemas that lead to this one, and itself."""
    found = {name}
    while more := {each for each in schemas.keys() - found if found & set(references(schemas[each]))}:
        found |= more
    return found


def references(node: Any) -> Iterator[str]:
    """The names of the schemas that it refers to."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].removeprefix(REFERENCE)
        node = [*node.values()]
    if isinstance(node, list):
        for each in node:
            yield from references(each)


def _referring(node: Any, holding: set[str], named: Callable[[str], str]) -> Any:
    """A copy that refers to the copies of these schemas that are so named."""
    text = json.dumps(node)
    for name in holding:
        text = text.replace(f'"{REFERENCE}{name}"', f'"{REFERENCE}{named(name)}"')
    return json.loads(text)


_met_by_all: Counter[tuple[object, ...]] = Counter()
_met_by_operation: set[tuple[object, ...]] = set()


@schemathesis.hook
def filter_case(context: Any, case: Any) -> bool:
    """Whether the case is tried: a body, what is in order, and what has not been tried often enough elsewhere."""
    what = case.meta.phase.data
    if not isinstance(what, CoveragePhaseData) or case.meta.generation.mode is not GenerationMode.NEGATIVE:
        return True
    place = str((what.parameter_location or what.scenario).value)
    if place == "body":
        return True
    values = {"path": case.path_parameters, "query": case.query, "header": case.headers, "cookie": case.cookies}
    container = values.get(place) or {}
    value = container.get(what.parameter) if what.parameter else case.method
    same = (place, what.scenario, what.parameter, what.description, repr(value))
    here = (case.operation.label, place)
    if here in _met_by_operation and _met_by_all[same] >= MOST_TIMES:
        return False
    _met_by_operation.add(here)
    _met_by_all[same] += 1
    return True
