"""What waits in a niche, counted without its past, is what the overview counts with it."""

from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.watching.overview import read_demand, read_overview
from tests.flows.sales import query, sell


def test_demand_is_what_the_overview_says_of_each_niche(database: Database) -> None:
    sell(database)
    submit_leads(database, "hosting", [{"cores": 4, "region": "north"}] * 2, OPERATOR, approve=True)
    demand, overview = database.read(lambda conn: (read_demand(conn), read_overview(conn)))
    waiting = query(database, "select min(approved_at) from leads where awaits_decision")[0][0]
    assert sorted(demand) == sorted(each.niche_id for each in overview.niches)
    for each in overview.niches:
        own = demand[each.niche_id]
        assert (own.leads_waiting, own.oldest_waiting_since) == (each.leads_waiting, each.oldest_waiting_since)
        assert own.active_subscription_count == each.subscriptions.get("active", 0)
        assert own.unfunded_subscription_count == each.subscriptions.get("insufficient_funds", 0)
    [sold] = [each for each in demand.values() if each.leads_waiting]
    assert (sold.leads_waiting, sold.oldest_waiting_since) == (2, waiting)
    assert sold.active_subscription_count > 0
    assert sold.unfunded_subscription_count > 0
