"""What happens in a niche without a request, as a marketplace file says it."""

import pytest

from fairlead.core.errors import BadInput
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.maintenance.workers import rows
from tests.flows.marketplaces import HOSTING, declare, everything
from tests.flows.niches import stored_leads

NICHE = '[[niche]]\nslug = "hosting"\n'
REOFFER = "reoffer = { every_minutes = 60, max_times = 5, max_hours = 48 }\n"
POLICY = "select auto_distribute, reoffer_every_minutes, reoffer_max_times, reoffer_max_hours from niches"
ON = {"every_minutes": 60, "max_times": 5, "max_hours": 48}


def events(database: Database) -> list[object]:
    return rows(database, "select old, new from audit_log where action = 'niche.policy_changed' order by seq")


def journal(database: Database) -> list[object]:
    return rows(database, "select seq, kind, payload from niche_journal order by seq")


def test_a_niche_distributes_by_itself_and_offers_nothing_again_unless_told(database: Database) -> None:
    declare(database, HOSTING)
    assert rows(database, POLICY) == [(True, None, None, None)]
    assert events(database) == []


def test_a_new_niche_can_have_another_policy(database: Database) -> None:
    (_, niche) = declare(database, NICHE + 'name = "Hosting"\nauto_distribute = false\n' + REOFFER).changes
    assert niche.line == (
        "+ niche hosting: name Hosting, active true, field 0 entries, auto_distribute false, "
        'reoffer {"every_minutes": 60, "max_times": 5, "max_hours": 48}'
    )
    assert rows(database, POLICY) == [(False, 60, 5, 48)]
    before = {"auto_distribute": True, "reoffer": None, "phone_region": None}
    after = {"auto_distribute": False, "reoffer": ON, "phone_region": None}
    assert events(database) == [(before, after)]
    assert len(journal(database)) == 1


def test_a_policy_changes_and_the_journal_stays(database: Database) -> None:
    declare(database, HOSTING)
    before = journal(database)
    tried = declare(database, NICHE + REOFFER, dry_run=True)
    assert [change.line for change in tried.changes] == [
        '~ niche hosting: reoffer none -> {"every_minutes": 60, "max_times": 5, "max_hours": 48}'
    ]
    assert rows(database, POLICY) == [(True, None, None, None)]
    assert declare(database, NICHE + REOFFER).changes == tried.changes
    assert rows(database, POLICY) == [(True, 60, 5, 48)]
    assert journal(database) == before

    unchanged = everything(database)
    assert declare(database, NICHE + REOFFER).changes == ()
    assert everything(database) == unchanged
    # What the file does not say stays as it is.
    assert len(declare(database, NICHE + "auto_distribute = false").changes) == 1
    assert rows(database, POLICY) == [(False, 60, 5, 48)]
    assert journal(database) == before
    assert len(events(database)) == 2


def test_what_else_changes_is_told_in_the_journal(database: Database) -> None:
    declare(database, HOSTING)
    count = len(journal(database))
    declare(database, NICHE + 'name = "Servers"\n' + REOFFER)
    assert len(journal(database)) == count + 1
    assert len(events(database)) == 1


def test_an_empty_table_switches_it_off(database: Database) -> None:
    declare(database, HOSTING)
    declare(database, NICHE + REOFFER)
    (change,) = declare(database, NICHE + "reoffer = {}").changes
    assert (change.old, change.new) == ({"reoffer": ON}, {"reoffer": None})
    assert rows(database, POLICY) == [(True, None, None, None)]
    assert declare(database, NICHE + "reoffer = {}").changes == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("reoffer = { every_minutes = 60 }", "niche[0].reoffer: must have every_minutes, max_times and max_hours, or"),
        ("reoffer = false", "niche[0].reoffer: must be a table"),
        (REOFFER.replace("60", "0"), "niche[0].reoffer.every_minutes: must be greater than or equal to 1"),
        (REOFFER.replace("48", "1000000"), "niche[0].reoffer.max_hours: must be less than or equal to 100000"),
        (REOFFER.replace("5", '"5"'), "niche[0].reoffer.max_times: must be a whole number"),
        ("reoffer = { often = true }", "niche[0].reoffer.often: has no meaning here"),
        ("auto_distribute = 1", "niche[0].auto_distribute: must be true or false"),
    ],
)
def test_mistakes_are_told_by_their_key(database: Database, text: str, problem: str) -> None:
    with pytest.raises(BadInput) as caught:
        declare(database, NICHE + 'name = "Hosting"\n' + text)
    [told] = caught.value.problems
    assert told.startswith(problem), told
    assert rows(database, POLICY) == []


def test_leads_not_asked_for_stay_when_it_is_switched_on(database: Database) -> None:
    declare(database, HOSTING)
    declare(database, NICHE + "auto_distribute = false")
    submit_leads(database, "hosting", [{"cores": 8, "region": "north"}], OPERATOR, approve=True)
    assert stored_leads(database, "status, awaits_decision") == [("approved", False)]
    declare(database, NICHE + "auto_distribute = true")
    assert stored_leads(database, "status, awaits_decision") == [("approved", False)]
    submit_leads(database, "hosting", [{"cores": 4, "region": "south"}], OPERATOR, approve=True)
    assert stored_leads(database, "awaits_decision") == [False, True]
