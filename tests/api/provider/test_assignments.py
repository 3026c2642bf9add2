"""A provider's inbox over HTTP: the leads that it bought, and what it does with them."""

from collections.abc import Callable
from typing import Any

import pytest

from fairlead.core.money.report_rules import SHIPPED
from fairlead.flows.distributor import Distributor
from fairlead.flows.money.bad_leads import mark_lead_bad
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import an_admin
from tests.api.document import written_document
from tests.api.permitting import problem
from tests.api.portal import API, Portal, level, open_portal
from tests.by_hand import LAST_RECEIVED, RECIPIENTS, TOLD_OF_SALES, rows_by_hand
from tests.flows.access.people import value
from tests.flows.configuration.market import UNKNOWN
from tests.flows.marketplaces import everything
from tests.flows.sales import MEMO, audited, query

INBOX = f"{API}/assignments"

VERBS: dict[str, Callable[[Any, str], Any]] = {
    "show": lambda who, id: who.get(f"{INBOX}/{id}"),
    "view": lambda who, id: who.post(f"{INBOX}/{id}/view"),
    "accept": lambda who, id: who.post(f"{INBOX}/{id}/accept"),
    "reject": lambda who, id: who.post(f"{INBOX}/{id}/reject", json={"reason": "too far away"}),
    "report": lambda who, id: who.post(f"{INBOX}/{id}/report", json={"reason": "spam"}),
}


def with_contact(database: Database) -> Portal:
    """The portal; the lead that was sold has a contact."""
    portal = open_portal(database)
    value(
        database,
        "update leads set contact_name = 'Cora Canary', contact_email = 'cora@example.org', "
        "contact_phone = '+49 30 1234567'",
    )
    return portal


def unlogged(database: Database) -> dict[str, list[str]]:
    """All but what tells when a user was seen last."""
    return {name: rows for name, rows in everything(database).items() if name != "sessions"}


def test_each_sees_the_lead_that_it_bought_and_no_other_recipient(database: Database) -> None:
    portal = with_contact(database)
    [own] = portal.sam.get(INBOX).json()["items"]
    [of_bea] = portal.bea.get(INBOX).json()["items"]
    assert (own["assignment_id"], of_bea["assignment_id"]) == (portal.sale.anchor, portal.sale.bowline)
    assert (own["level_name"], own["price_cents"], of_bea["price_cents"]) == ("gold", 2000, 500)
    assert (own["contact_name"], own["currency"], own["niche"]) == ("Cora Canary", "EUR", "hosting")
    before = unlogged(database)
    shown = portal.sam.get(f"{INBOX}/{portal.sale.anchor}")
    assert shown.json()["attributes"] == {"cores": 8, "region": "north"}
    assert [each["event"] for each in shown.json()["timeline"]] == ["assigned"]
    assert portal.sale.bowline_id not in shown.text
    assert "silver" not in shown.text
    assert unlogged(database) == before, "looking marks nothing"


@pytest.mark.parametrize("name", VERBS)
def test_anothers_assignment_is_unknown(database: Database, name: str) -> None:
    portal, verb = open_portal(database), VERBS[name]
    before = unlogged(database)
    refused = verb(portal.sam, portal.sale.bowline)
    assert problem(refused) == problem(verb(portal.sam, UNKNOWN)) == (404, "assignment_unknown")
    assert unlogged(database) == before
    assert problem(verb(an_admin(portal.app, database), portal.sale.bowline)) == (403, "permission_missing")
    assert verb(portal.bea, portal.sale.bowline).status_code == 200


def test_the_inbox_is_filtered_and_paged(database: Database) -> None:
    portal = open_portal(database)

    def count(**params: Any) -> int:
        return len(portal.sam.get(INBOX, params=params).json()["items"])

    gold, silver = level(database, "gold"), level(database, "silver")
    assert (count(niche="hosting"), count(niche="moving")) == (1, 0)
    assert (count(level_id=gold), count(level_id=silver)) == (1, 0)
    assert (count(status="active"), count(status="accepted")) == (1, 0)
    assert (count(is_viewed=False), count(is_viewed=True)) == (1, 0)
    assert (count(is_reported=False), count(is_reported=True)) == (1, 0)
    assert (count(assigned_from="2020-01-01T00:00:00Z"), count(assigned_before="2020-01-01T00:00:00Z")) == (1, 0)
    assert problem(portal.sam.get(INBOX, params={"status": "sold"})) == (422, "input_invalid")
    page = portal.sam.get(INBOX, params={"limit": 1}).json()
    assert (len(page["items"]), page["next_cursor"]) == (1, None)


def test_a_page_goes_on_where_the_last_one_ended(database: Database) -> None:
    portal = open_portal(database)
    submit_leads(database, "hosting", [{"cores": 4, "region": "south"}], OPERATOR, approve=True)
    [(niche_id,)] = query(database, "select id::text from niches")
    Distributor(database).distribute_waiting(niche_id)
    first = portal.sam.get(INBOX, params={"limit": 1}).json()
    second = portal.sam.get(INBOX, params={"limit": 1, "cursor": first["next_cursor"]}).json()
    assert [each["assignment_id"] for each in second["items"]] == [portal.sale.anchor]
    assert first["items"][0]["assignment_id"] != portal.sale.anchor
    assert second["next_cursor"] is None


def test_a_lead_is_found_by_what_a_provider_remembers_of_it(database: Database) -> None:
    portal = with_contact(database)

    def found(who: Any, text: str, **params: Any) -> int:
        answer = who.post(f"{API}/assignment-search", json={"search": text}, params=params)
        return len(answer.json()["items"])

    for text in ("cora@example.org", "+49 30 1234567", "Cora@example.org", "canary", "north", portal.sale.lead_id):
        assert (found(portal.sam, text), found(portal.bea, text)) == (1, 1), text
    assert found(portal.sam, portal.sale.anchor) == 1
    assert found(portal.bea, portal.sale.anchor) == 0
    assert found(portal.sam, "nobody@example.org") == 0
    assert found(portal.sam, "canary", status="refunded") == 0
    assert problem(portal.sam.post(f"{API}/assignment-search", json={"search": "x"})) == (422, "input_invalid")


def test_seeing_a_lead_counts_once(database: Database) -> None:
    portal = open_portal(database)
    assert portal.sam.get(f"{INBOX}/unviewed-count").json() == {"unviewed_count": 1}
    seen = portal.sam.post(f"{INBOX}/{portal.sale.anchor}/view").json()
    assert [each["event"] for each in seen["timeline"]] == ["assigned", "viewed"]
    assert portal.sam.post(f"{INBOX}/{portal.sale.anchor}/view").json() == seen
    assert portal.sam.get(f"{INBOX}/unviewed-count").json() == {"unviewed_count": 0}
    assert portal.bea.get(f"{INBOX}/unviewed-count").json() == {"unviewed_count": 1}


def test_a_lead_is_accepted_or_rejected(database: Database) -> None:
    portal = open_portal(database)
    accepted = VERBS["accept"](portal.sam, portal.sale.anchor)
    assert (accepted.status_code, accepted.json()["status"]) == (200, "accepted")
    assert VERBS["accept"](portal.sam, portal.sale.anchor).json() == accepted.json()
    assert len(audited(database, "assignment.accepted")) == 1
    assert problem(VERBS["reject"](portal.sam, portal.sale.anchor)) == (409, "assignment_accepted")
    rejected = VERBS["reject"](portal.bea, portal.sale.bowline)
    assert rejected.json()["status"] == "rejected"
    assert problem(VERBS["accept"](portal.bea, portal.sale.bowline)) == (409, "assignment_rejected")
    assert portal.bea.get(f"{INBOX}/{portal.sale.bowline}").json()["rejection_reason"] == "too far away"
    blank = portal.sam.post(f"{INBOX}/{portal.sale.anchor}/reject", json={"reason": "   "})
    assert problem(blank) == (422, "input_invalid")


def test_what_was_paid_back_is_not_answered_any_more(database: Database) -> None:
    portal = open_portal(database)
    mark_lead_bad(database, portal.sale.lead_id, MEMO, OPERATOR)
    for name in ("accept", "reject", "report"):
        assert problem(VERBS[name](portal.sam, portal.sale.anchor)) == (409, "assignment_refunded"), name


def test_a_bad_lead_is_reported_once(database: Database) -> None:
    portal = open_portal(database)
    path, asked = f"{INBOX}/{portal.sale.anchor}/report", {"reason": "unreachable", "note": "called five times"}
    asked["evidence"] = "550 5.1.1\nno such mailbox"
    key = {"Idempotency-Key": "report-1"}
    done = portal.sam.post(path, json=asked, headers=key)
    assert (done.status_code, done.json()["reason"]) == (200, "unreachable")
    assert portal.sam.post(path, json=asked, headers=key).json() == done.json()
    other = portal.sam.post(path, json={"reason": "spam"}, headers=key)
    assert problem(other) == (422, "idempotency_key_reused")
    assert problem(portal.sam.post(path, json=asked)) == (409, "bad_lead_reported")
    shown = portal.sam.get(f"{INBOX}/{portal.sale.anchor}").json()
    assert (shown["report_reason"], shown["report_note"]) == ("unreachable", "called five times")
    assert shown["report_evidence"] == asked["evidence"]
    assert "mailbox" not in str([portal.sam.get(INBOX).json()]), "it is of the lead in full"
    assert len(audited(database, "bad_lead.reported")) == 1
    assert "called five times" not in str(audited(database, "bad_lead.reported"))
    assert problem(portal.sam.post(path, json={"reason": "boring"})) == (422, "input_invalid")


@rows_by_hand(LAST_RECEIVED, RECIPIENTS, TOLD_OF_SALES)
def test_reports_come_in_time_or_not_at_all(database: Database) -> None:
    portal = open_portal(database)
    with database.transaction() as conn:
        conn.execute("set local session_replication_role = replica")
        conn.execute("update assignments set assigned_at = clock_timestamp() - interval '15 days'")
    assert problem(VERBS["report"](portal.sam, portal.sale.anchor)) == (409, "bad_lead_window_over")


def test_the_document_names_every_reason() -> None:
    report = written_document()["components"]["schemas"]["OwnBadLeadReport"]
    words = report["properties"]["reason"]["description"]
    assert all(f"`{each.key}`" in words for each in SHIPPED)
