"""Leads that are values already: all of them, or none."""

import pytest

from fairlead.core.errors import BadInput
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.niches import add_niche, stored_leads


def test_submitted_leads_are_stored_in_their_order(database: Database) -> None:
    add_niche(database)
    ids = submit_leads(database, "moving", [{"age": 40}, {"age": 41, "pets": ["cat"]}], OPERATOR, approve=False)
    assert stored_leads(database, "id::text, attributes") == [
        (ids[0], {"age": 40}),
        (ids[1], {"age": 41, "pets": ["cat"]}),
    ]


@pytest.mark.parametrize("value", [object(), b"40", {40}, 1j])
def test_a_value_that_json_cannot_hold_is_a_problem_of_its_lead(database: Database, value: object) -> None:
    add_niche(database)
    with pytest.raises(BadInput) as caught:
        submit_leads(database, "moving", [{"age": 40}, {"age": value}], OPERATOR, approve=True)
    [problem] = caught.value.problems
    assert problem.startswith("lead[1].age: Age: must be a number")
    assert stored_leads(database) == []
