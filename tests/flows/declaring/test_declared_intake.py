"""What a niche takes in from outside, in the marketplace file: as over the API."""

import pytest

from fairlead.core.errors import BadInput
from fairlead.flows.intake.policy import read_intake_policy
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.intake import IntakePolicy
from tests.flows.marketplaces import HOSTING, declare
from tests.flows.sales import query

RULE = 'version = 1, any_of = [["contact_email"]], scope = "niche", action = "refuse"'


def intake(keys: str) -> str:
    return f'[[niche]]\nslug = "hosting"\nintake = {{ {keys} }}\n'


def policy(database: Database) -> IntakePolicy:
    return read_intake_policy(database, "hosting").policy


def test_what_is_declared_is_as_over_the_api_and_what_is_not_said_stays(database: Database) -> None:
    declare(database, HOSTING)
    text = intake(f"public = true, duplicate_rule = {{ {RULE}, duplicate_window_days = 30 }}")
    [change] = declare(database, text, dry_run=True).changes
    assert change.line.startswith("~ intake hosting: public false -> true, duplicate_rule none -> {")
    assert policy(database) == IntakePolicy()
    declare(database, text)
    assert declare(database, text).changes == ()
    assert declare(database, intake("approves = true")).changes != ()
    rule = policy(database).duplicate_rule
    assert policy(database) == IntakePolicy(is_public=True, approves=True, duplicate_rule=rule)
    assert rule is not None
    assert rule["duplicate_window_days"] == 30
    declare(database, intake(f"duplicate_rule = {{ {RULE} }}"))
    assert (policy(database).duplicate_rule or {})["duplicate_window_days"] is None, "for ever"
    declare(database, intake("duplicate_rule = {}"))
    assert policy(database).duplicate_rule is None
    told = "select actor from audit_log where action = 'niche.intake_changed'"
    assert query(database, told) == [(OPERATOR.name,)] * 4


def test_mistakes_name_their_place(database: Database) -> None:
    declare(database, HOSTING)
    for keys, problem in (
        ('duplicate_rule = { version = 1, any_of = [["attributes.colour"]], scope = "niche", action = "refuse" }', ""),
        ('duplicate_rule = { version = 1, any_of = [["contact_email"]], scope = "all", action = "refuse" }', ".scope"),
    ):
        with pytest.raises(BadInput) as refused:
            declare(database, intake(keys))
        [line] = refused.value.problems
        assert line.startswith(f"niche[0].intake.duplicate_rule{problem or '.any_of[0][0]'}: ")
    assert policy(database) == IntakePolicy()
