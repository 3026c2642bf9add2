"""What waits in a niche, and who can take it."""

from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.watching.overview import read_demand, read_overview
from tests.flows.sales import query, sell


def test_demand_is_what_the_rows_of_each_niche_say(database: Database) -> None:
    sell(database)
    submit_leads(database, "hosting", [{"cores": 4, "region": "north"}] * 2, OPERATOR, approve=True)
    demand, overview = database.read(lambda conn: (read_demand(conn), read_overview(conn)))
    waiting = query(database, "select niche_id::text, approved_at from leads where awaits_decision order by 2")
    reasons = query(database, "select niche_id::text, deactivation_reason from subscriptions where deleted_at is null")
    assert len(waiting) == 2
    assert {reason for _, reason in reasons} == {None, "insufficient_funds"}
    for each in overview.niches:
        own = demand[each.niche_id]
        approved = [approved_at for niche_id, approved_at in waiting if niche_id == each.niche_id]
        assert (own.leads_waiting, own.oldest_waiting_since) == (len(approved), min(approved, default=None))
        assert own.active_subscription_count == reasons.count((each.niche_id, None)) == each.subscriptions["active"]
        assert own.unfunded_subscription_count == reasons.count((each.niche_id, "insufficient_funds"))
        assert (each.leads_waiting, each.oldest_waiting_since) == (own.leads_waiting, own.oldest_waiting_since)
