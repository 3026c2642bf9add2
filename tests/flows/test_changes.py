"""What `apply` says of a change: also where one side leaves out what the other has, and of filters with groups."""

from typing import Any

import pytest

from fairlead.flows.changes import Change, difference

OLD = {"field_key": "age", "operator": "gte", "value": 40}
YOUNG = {"field_key": "age", "operator": "lte", "value": 20}


def test_what_only_one_side_names_is_a_change_to_or_from_nothing() -> None:
    first, second = {"filter": [OLD]}, {"filter": [OLD], "filter_version": 2}
    there, back = difference("subscription", "ann", first, second), difference("subscription", "ann", second, first)
    assert there is not None
    assert back is not None
    assert there.line == "~ subscription ann: filter_version none -> 2"
    assert back.line == "~ subscription ann: filter_version 2 -> none"


@pytest.mark.parametrize(
    ("node", "text"),
    [
        ({"any": [YOUNG, OLD]}, "(age lte 20 or age gte 40)"),
        ({"not": OLD}, "not (age gte 40)"),
        ({"not": {"all": [YOUNG, {"not": OLD}]}}, "not (age lte 20 and not (age gte 40))"),
    ],
)
def test_a_filter_with_groups_is_told_in_one_line(node: dict[str, Any], text: str) -> None:
    change = Change("create", "subscription", "ann", None, {"filter": [node]})
    assert change.line == f"+ subscription ann: filter {text}"
