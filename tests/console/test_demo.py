"""The demo's seats: the first by a link that works once, the others from a page that asks for a seat."""

from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.console.demo import SeatName, offer_seats
from fairlead.flows.access.demo_seats import DemoSeat, seat_demo_operator, seat_demo_provider
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import anonymous
from tests.flows.access.people import BOX, add_provider, value


def _seats(database: Database, provider_id: str) -> dict[SeatName, DemoSeat]:
    return {
        "operator": seat_demo_operator(database, BOX, OPERATOR),
        "provider": seat_demo_provider(database, provider_id, "sales@anchor.example", OPERATOR),
    }


def _goes_to(client: TestClient, path: str) -> str:
    answer = client.get(path, headers={"Accept": "text/html"}, follow_redirects=False)
    assert answer.status_code == 303, (path, answer.status_code)
    return answer.headers["location"]


def test_the_link_seats_the_operator_once_and_seats_are_changed_from_there(app: FastAPI, database: Database) -> None:
    path = offer_seats(app, _seats(database, add_provider(database)), "/forms/moving")
    visitor = anonymous(app)
    assert _goes_to(visitor, "/demo").startswith("/login?next=")
    assert _goes_to(visitor, "/demo/seats/operator").startswith("/login?next=")
    assert (_goes_to(visitor, path), _goes_to(visitor, "/")) == ("/", "/overview")
    assert "/forms/moving" in visitor.get("/demo").text
    _goes_to(visitor, "/demo/seats/provider")
    assert _goes_to(visitor, "/") == "/portal/inbox"
    again = anonymous(app).get(path, headers={"Accept": "text/html"}, follow_redirects=False)
    assert (again.status_code, "set-cookie" in again.headers) == (410, False), "a link works once"
    assert "This link was used" in again.text
    german = anonymous(app).get(path, headers={"Accept": "text/html", "Accept-Language": "de"})
    assert "Dieser Link wurde schon benutzt" in german.text
    assert anonymous(app).get("/demo/enter/guessed", headers={"Accept": "text/html"}).status_code == 404


def test_what_proves_the_seat_is_taken_where_a_fresh_proof_is_asked_for(app: FastAPI, database: Database) -> None:
    seats = _seats(database, add_provider(database))
    path = offer_seats(app, seats, "/forms/moving")
    visitor = anonymous(app)
    visitor.get(path)
    for name in ("operator", "provider"):
        visitor.get(f"/demo/seats/{name}")
        answer = visitor.post("/api/v1/session/step-up", json={"proof": seats[name].proof})
        assert answer.status_code == 200, answer.json()


def test_a_second_start_uses_the_same_users_and_ends_the_sessions_of_the_first(database: Database) -> None:
    provider_id = add_provider(database)
    _seats(database, provider_id)
    _seats(database, provider_id)
    assert value(database, "select count(*) from users") == 2
    assert value(database, "select count(*) from sessions where ended_at is null") == 2


def test_without_the_demo_there_are_no_seats(app: FastAPI) -> None:
    assert anonymous(app).get("/demo", headers={"Accept": "text/html"}).status_code == 404
