"""A decision over HTTP: its queues, taking it again, and what happened to the lead before and after."""

from starlette.testclient import TestClient

from fairlead.flows.distributor import Distributor
from fairlead.flows.explaining.decision_queues import recorded_queues
from fairlead.flows.money.bad_leads import mark_lead_bad
from fairlead.flows.proving.verify_decision import verify_decision
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.ids import new_id
from tests.flows.access.people import refusal
from tests.flows.sales import MEMO, Sale, query, sell

LEADS = "/api/v1/admin/leads"


def test_the_queues_say_who_stood_where_and_why_each_did_not_receive_the_lead(ann: TestClient, sale: Sale) -> None:
    shown = ann.get(f"{LEADS}/{sale.lead_id}/queues").json()
    gold, silver = shown["levels"]
    assert (shown["outcome"], shown["start_order_position"], shown["next_start_order_position"]) == ("success", 1, 2)
    [anchor] = [each for each in gold["reached"] if each["received"]]
    assert (anchor["price_cents"], anchor["balance_before_cents"], anchor["balance_after_cents"]) == (2000, 5000, 3000)
    assert anchor["served_ago"] is None
    by_name = {each["provider_name"]: each for each in silver["reached"]}
    assert by_name["Bowline"]["received"]
    assert by_name["Anchor"]["reason"] == "already_recipient"
    assert "gold" in by_name["Anchor"]["sentence"]
    assert silver["queue_length"] == len(silver["reached"]) + silver["behind_count"] == 2


def test_a_filter_that_does_not_want_the_lead_is_outside_of_the_queue(
    ann: TestClient, sale: Sale, database: Database
) -> None:
    [lead_id] = submit_leads(database, "hosting", [{"cores": 2, "region": "south"}], OPERATOR, approve=True)
    [(niche_id,)] = query(database, "select id::text from niches where slug = 'hosting'")
    Distributor(database).distribute_waiting(niche_id)
    silver, gold = ann.get(f"{LEADS}/{lead_id}/queues").json()["levels"]
    [outside] = [each for each in gold["outside"] if each["reason"] == "filter_mismatch"]
    assert [each["provider_name"] for each in outside["items"]] == ["Anchor"]
    assert outside["count"] == 1
    anchor = next(each for each in silver["reached"] if each["provider_name"] == "Anchor")
    assert anchor["served_ago"] is None, "at silver it never was"


def test_a_decision_is_taken_again_and_holds(ann: TestClient, sale: Sale) -> None:
    done = ann.post(f"{LEADS}/{sale.lead_id}/verify").json()
    assert (done["holds"], done["differences"], done["recipients"]) == (True, [], 2)
    assert done["up_to_seq"] >= done["journal_seq"]
    assert len(done["hash"]) == 64


def test_a_decision_that_was_tampered_with_does_not_hold(damaged_database: Database) -> None:
    sale = sell(damaged_database)
    with damaged_database.transaction() as conn:
        conn.execute("set local session_replication_role = replica")  # no trigger
        conn.execute(
            "update niche_journal set payload = jsonb_set(payload, '{levels,0,price_cents}', '1999') "
            "where kind = 'decision'"
        )
    done = verify_decision(damaged_database, sale.lead_id)
    assert not done.holds
    assert [each.partition(": ")[2] for each in done.differences] == [
        "its hash is not that of its content",
        "deciding it again gives another decision: `levels` is recorded otherwise",
    ]


def test_what_has_no_decision_is_refused(ann: TestClient, sale: Sale, database: Database) -> None:
    [lead_id] = submit_leads(database, "hosting", [{"cores": 8, "region": "north"}], OPERATOR, approve=False)
    for call in (recorded_queues, verify_decision):
        assert refusal(call, database, lead_id) == "lead_undecided"
        assert refusal(call, database, new_id()) == "lead_unknown"
        assert refusal(call, database, sale.lead_id, 1) == "lead_undecided"
    assert ann.get(f"{LEADS}/{lead_id}/queues").status_code == 409
    assert ann.post(f"{LEADS}/{lead_id}/verify").json()["code"] == "lead_undecided"


def test_the_timeline_tells_what_happened_in_order(ann: TestClient, sale: Sale, database: Database) -> None:
    mark_lead_bad(database, sale.lead_id, MEMO, OPERATOR)
    items = ann.get(f"{LEADS}/{sale.lead_id}/timeline").json()["items"]
    assert [each["at"] for each in items] == sorted(each["at"] for each in items)
    kinds = [each["kind"] for each in items]
    assert kinds[0] == "lead.created"
    decided = next(each for each in items if each["kind"] == "decision.recorded")
    assert (decided["outcome"], decided["count"], decided["of_count"], decided["amount_cents"]) == (
        "success",
        2,
        4,
        2500,
    )
    assert sorted(each["amount_cents"] for each in items if each["kind"] == "assignment.refunded") == [500, 2000]
    assert "lead.marked_bad" in kinds
    assert ann.get(f"{LEADS}/{new_id()}/timeline").status_code == 404
