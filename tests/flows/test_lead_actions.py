"""What may be done with a lead stands in one table; flows change something exactly where it says so."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fairlead.core.errors import Refused
from fairlead.core.lead_actions import LEAD_ACTIONS, LeadAction, allows
from fairlead.flows.approve_lead import approve_lead, trigger_distribution
from fairlead.flows.configuration.niches import NicheChange, change_niche
from fairlead.flows.money.bad_leads import mark_lead_bad
from fairlead.flows.reject_lead import reject_lead
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.rows import LEAD_STATUSES
from tests.flows.access.people import value
from tests.flows.made_leads import add_lead
from tests.flows.niches import add_niche
from tests.flows.sales import MEMO, sell

ROUTES = Path(__file__).parents[1] / "api" / "route_permissions.txt"
DOES: dict[LeadAction, Callable[[Database, str], bool]] = {
    LeadAction.APPROVE: lambda database, lead_id: not approve_lead(database, lead_id, OPERATOR).was_already,
    LeadAction.REJECT: lambda database, lead_id: not reject_lead(database, lead_id, MEMO, OPERATOR).was_already,
    LeadAction.DISTRIBUTE: lambda database, lead_id: trigger_distribution(database, lead_id, OPERATOR).took_effect,
    LeadAction.MARK_BAD: lambda database, lead_id: not mark_lead_bad(database, lead_id, MEMO, OPERATOR).was_already,
}


def lead_in(database: Database, status: str) -> str:
    """A lead in this status; an approved one was not asked to be distributed."""
    if status == "distributed":
        return sell(database).lead_id
    niche_id = add_niche(database)
    if status != "approved":
        return add_lead(database, niche_id, status)
    change_niche(database, niche_id, NicheChange(auto_distribute=False), OPERATOR)
    lead_id = add_lead(database, niche_id)
    approve_lead(database, lead_id, OPERATOR)
    return lead_id


def does(database: Database, action: LeadAction, lead_id: str) -> bool:
    """Whether the flow changed something."""
    try:
        return DOES[action](database, lead_id)
    except Refused:
        return False


@pytest.mark.parametrize("action", LeadAction)
@pytest.mark.parametrize("status", LEAD_STATUSES)
def test_a_flow_changes_something_exactly_where_the_table_says_so(
    database: Database, status: str, action: LeadAction
) -> None:
    lead_id = lead_in(database, status)
    assert value(database, "select status from leads where id = %s", lead_id) == status
    assert does(database, action, lead_id) == allows(action, status)


def test_routes_take_the_permission_that_the_table_says() -> None:
    declared = dict(line.rsplit(": ", 1) for line in ROUTES.read_text(encoding="utf-8").splitlines() if ": " in line)
    for action, rule in LEAD_ACTIONS.items():
        path = f"/api/v1/admin/leads/{{lead_id}}/{action.value.replace('_', '-')} POST"
        assert declared[path].split(",")[0] == rule.permission.value
