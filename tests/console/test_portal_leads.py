"""The inbox and a lead on its own page: each provider its own, told in the form's words."""

from datetime import UTC

import pytest
from babel import Locale

from fairlead.console.routes.portal.lead_words import Answer, answers
from fairlead.console.viewer import Viewer
from fairlead.core.form_field import Field, FieldType, FormSchema
from fairlead.store.connection import Database
from tests.api.asking import a_provider
from tests.console.portal_pages import shown, visit_portal
from tests.flows.access.people import add_provider, value
from tests.flows.sales import query


def test_the_inbox_shows_each_provider_what_it_bought_and_where_it_stands(database: Database) -> None:
    portal = visit_portal(database)
    value(
        database,
        "update leads set contact_name = 'Ada Lovelace', contact_phone = '+44 20 7946 0001', contact_email = %s",
        "ada@example.com",
    )
    page = portal.sam.get("/portal/inbox").text
    assert "Ada Lovelace" in page
    assert 'href="tel:+442079460001"' in page
    assert 'href="mailto:ada@example.com"' in page
    words = shown(portal.sam, "/portal/inbox")
    assert "hosting · gold · €20.00" in words.lower()
    assert "unread: Ada Lovelace" in words
    assert "€5.00" not in words, "what the other paid"
    assert "€5.00" in shown(portal.bea, "/portal/inbox")
    for state, is_there in (("unread", True), ("open", True), ("accepted", False), ("reported", False)):
        assert ("Ada Lovelace" in shown(portal.sam, f"/portal/inbox?show={state}")) is is_there, state
    assert portal.sam.post(f"/api/v1/provider/assignments/{_assignment(database, portal.sale.anchor_id)}/accept").json()
    assert "Ada Lovelace" in shown(portal.sam, "/portal/inbox?show=accepted")
    assert "No lead of yours is in this state." in shown(portal.bea, "/portal/inbox?show=accepted")


def test_an_inbox_without_leads_says_how_to_get_some(database: Database) -> None:
    portal = visit_portal(database)
    fresh = a_provider(portal.app, database, add_provider(database, "Capstan"), "sales@capstan.example")
    assert "No leads yet" in shown(fresh, "/portal/inbox")


@pytest.mark.parametrize("query_text", ["show=everything", "cursor=x", "niche=No+Slug"])
def test_what_cannot_be_asked_for_is_a_page(database: Database, query_text: str) -> None:
    answer = visit_portal(database).sam.get(f"/portal/inbox?{query_text}", headers={"Accept": "text/html"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")


def test_a_lead_has_its_answers_by_their_questions_and_is_not_seen_by_being_fetched(database: Database) -> None:
    portal = visit_portal(database)
    assignment_id = _assignment(database, portal.sale.anchor_id)
    words = shown(portal.sam, f"/portal/leads/{assignment_id}")
    assert "Lead without contact details" in words
    assert "Region north" in words
    assert "€20.00" in words
    assert query(database, "select viewed_at from assignments where id = %s", assignment_id) == [(None,)]


def test_answers_to_questions_that_the_form_has_no_more_come_last_by_their_keys() -> None:
    form = FormSchema((Field("pets", "Pets", FieldType.BOOLEAN), Field("rooms", "Rooms", FieldType.NUMBER)))
    viewer = Viewer("en", Locale.parse("en"), UTC, "UTC", None)
    told = answers({"gone": ["a", "b"], "rooms": 1250.5, "pets": False, "empty": ""}, form, viewer)
    assert told == [Answer("Pets", "no"), Answer("Rooms", "1,250.5"), Answer("gone", "a, b")]


def test_the_page_of_a_lead_leaves_what_cannot_be_done_any_more(database: Database) -> None:
    portal = visit_portal(database)
    assignment_id = _assignment(database, portal.sale.anchor_id)
    address, api = f"/portal/leads/{assignment_id}", f"/api/v1/provider/assignments/{assignment_id}"
    assert {"Reject", "Report as bad", "Accept"} <= _offered(shown(portal.sam, address))
    portal.sam.post(f"{api}/report", json={"reason": "unreachable", "note": "called five times"})
    words = shown(portal.sam, address)
    assert "cannot be reached: called five times" in words
    assert "waits for a decision" in words
    assert "Report as bad" not in _offered(words)
    portal.sam.post(f"{api}/reject", json={"reason": "too far away"})
    words = shown(portal.sam, address)
    assert "too far away" in words
    assert _offered(words) == set()


def test_the_lead_of_another_provider_is_none(database: Database) -> None:
    portal = visit_portal(database)
    foreign = _assignment(database, portal.sale.bowline_id)
    answer = portal.sam.get(f"/portal/leads/{foreign}", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "€5.00" not in answer.text


def _assignment(database: Database, provider_id: str) -> str:
    return value(database, "select id::text from assignments where provider_id = %s", provider_id)


def _offered(words: str) -> set[str]:
    return {each for each in ("Reject", "Report as bad", "Accept") if f" {each} " in words}
