"""What a niche lets in is changed as a whole, in the version that was seen; audited, and no matter for the journal."""

from typing import Any

import pytest

from fairlead.core.errors import BadInput
from fairlead.flows.configuration.form_schemas import change_form_schema
from fairlead.flows.configuration.niches import NicheChange, change_niche
from fairlead.flows.configuration.versions import InvalidDocument
from fairlead.flows.intake.policy import change_intake_policy, read_intake_policy
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.intake import IntakePolicy
from tests.flows.access.people import refusal, rows
from tests.flows.intake.senders import BY_EMAIL, rule
from tests.flows.niches import add_niche

WIDE = IntakePolicy(is_public=True, approves=True, duplicate_rule=rule(["contact_phone", "attributes.city"]))


def test_a_niche_lets_in_leads_with_a_key_alone_until_it_says_more(database: Database) -> None:
    niche_id = add_niche(database)
    seen = read_intake_policy(database, "moving")
    assert (seen.niche_id, seen.policy) == (niche_id, IntakePolicy(False, False, None))


def test_a_change_is_there_with_its_rule_in_order_and_audited(database: Database) -> None:
    niche_id = add_niche(database)
    before = read_intake_policy(database, "moving")
    done = change_intake_policy(database, "moving", WIDE, OPERATOR, before.version, memo="we grow")
    written = {**(WIDE.duplicate_rule or {}), "any_of": [["attributes.city", "contact_phone"]]}
    assert (done.took_effect, done.policy) == (True, IntakePolicy(True, True, written))
    after = read_intake_policy(database, "moving")
    assert (after.policy, after.version) == (done.policy, done.version)
    assert after.version != before.version
    assert rows(database, "select entity_id, old, new, memo from audit_log where action = 'niche.intake_changed'") == [
        (
            niche_id,
            {"is_public": False, "approves": False, "duplicate_rule": None},
            {"is_public": True, "approves": True, "duplicate_rule": written},
            "we grow",
        )
    ]
    assert rows(database, "select journal_seq from niches") == [1]


def test_asked_for_again_nothing_is_changed(database: Database) -> None:
    add_niche(database)
    version = change_intake_policy(database, "moving", WIDE, OPERATOR).version
    again = change_intake_policy(database, "moving", WIDE, OPERATOR, "an older one")
    assert (again.took_effect, again.version) == (False, version)
    assert rows(database, "select count(*) from audit_log") == [1]


def test_who_saw_another_policy_changes_nothing(database: Database) -> None:
    add_niche(database)
    seen = read_intake_policy(database, "moving").version
    change_intake_policy(database, "moving", IntakePolicy(is_public=True), OPERATOR, seen)
    assert refusal(change_intake_policy, database, "moving", WIDE, OPERATOR, seen) == "version_conflict"
    assert read_intake_policy(database, "moving").policy == IntakePolicy(is_public=True)


def test_a_niche_that_is_not_there(database: Database) -> None:
    assert refusal(read_intake_policy, database, "nowhere") == "niche_unknown"
    assert refusal(change_intake_policy, database, "nowhere", WIDE, OPERATOR) == "niche_unknown"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"any_of": [["attributes.street"]]}, "duplicate_rule.any_of[0][0]"),
        ({"action": "delete"}, "duplicate_rule.action"),
        ({"version": 3}, "duplicate_rule.version"),
    ],
)
def test_a_rule_that_is_none_is_refused_with_its_place(database: Database, change: dict[str, Any], path: str) -> None:
    add_niche(database)
    with pytest.raises(InvalidDocument) as caught:
        change_intake_policy(database, "moving", IntakePolicy(duplicate_rule={**BY_EMAIL, **change}), OPERATOR)
    assert [problem.path for problem in caught.value.details] == [path]
    assert read_intake_policy(database, "moving").policy == IntakePolicy()


def test_what_is_no_answer_is_refused(database: Database) -> None:
    add_niche(database)
    wrong: Any = "yes"
    for policy in (IntakePolicy(is_public=wrong), IntakePolicy(approves=wrong)):
        with pytest.raises(BadInput, match="must be true or false"):
            change_intake_policy(database, "moving", policy, OPERATOR)
    with pytest.raises(BadInput, match="memo"):
        change_intake_policy(database, "moving", WIDE, OPERATOR, memo="a\nb")


def test_other_changes_of_the_niche_leave_it_alone(database: Database) -> None:
    niche_id = add_niche(database)
    done = change_intake_policy(database, "moving", WIDE, OPERATOR)
    change_niche(database, niche_id, NicheChange(name="Removals"), OPERATOR)
    form = {"version": 1, "fields": [{"key": "age", "label": "Age", "type": "number"}]}
    change_form_schema(database, niche_id, form, OPERATOR)
    assert read_intake_policy(database, "moving").version == done.version
    # The form has lost a field of the rule: the rest can still be changed.
    kept = IntakePolicy(is_public=False, approves=True, duplicate_rule=done.policy.duplicate_rule)
    assert change_intake_policy(database, "moving", kept, OPERATOR).took_effect
