"""The page of dry runs: a niche's own questions, and what would become of a lead, drawn and in words."""

from datetime import UTC, datetime, timedelta

from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.core.permissions import Permission
from fairlead.store.connection import Database
from tests.api.asking import a_provider, an_admin, machine
from tests.api.keys import operators_key
from tests.console.portal_pages import shown, words_of
from tests.flows.access.people import add_provider
from tests.flows.marketplaces import HOSTING, declare, everything

PAGE, OUTCOME = "/dry-run", "/dry-run/outcome"
NORTH: dict[str, object] = {"niche": "hosting", "attributes": {"cores": 8, "region": "north"}}


def test_it_asks_the_questions_of_the_form_of_the_niche_that_the_address_names(
    app: FastAPI, database: Database
) -> None:
    ann = an_admin(app, database)
    assert "No niches yet" in shown(ann, PAGE)
    declare(database, HOSTING)
    for address in (PAGE, f"{PAGE}?niche=hosting"):
        text = ann.get(address).text
        assert all(f'name="attributes/{key}"' in text for key in ("cores", "region"))
        assert f'data-api="POST {OUTCOME}"' in text
    assert ann.get(f"{PAGE}?niche=elsewhere", headers={"Accept": "text/html"}).status_code == 404


def test_what_would_happen_is_drawn_with_every_reason_price_and_balance(app: FastAPI, database: Database) -> None:
    declare(database, HOSTING)
    ann = an_admin(app, database)
    before = everything(database)
    words = words_of(_drawn(ann, NORTH))
    assert "2 providers would pay 25.00 EUR in all" in words.replace("€25.00", "25.00 EUR")
    assert "cannot pay for silver any more: switched off" in words
    assert "Nothing was written, and no turn has moved." in words
    assert "As if it were" not in words
    after = everything(database)
    assert {table for table, rows in after.items() if rows != before[table]} <= {"sessions", "rate_buckets"}


def test_at_another_moment_it_goes_by_the_clock_of_then(app: FastAPI, database: Database) -> None:
    declare(database, HOSTING)
    ann = an_admin(app, database)
    later = datetime.now(UTC) + timedelta(days=40)
    assert "As if it were" in words_of(_drawn(ann, NORTH | {"at": later.isoformat()}))
    for at in (later - timedelta(days=41), later + timedelta(days=366)):
        refused = ann.post(OUTCOME, json=NORTH | {"at": at.isoformat()})
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/at")


def test_a_refused_answer_is_named_where_it_stands(app: FastAPI, database: Database) -> None:
    declare(database, HOSTING)
    refused = an_admin(app, database).post(OUTCOME, json=NORTH | {"attributes": {"cores": "many", "region": "north"}})
    assert (refused.status_code, refused.json()["code"]) == (422, "input_invalid")
    assert refused.json()["errors"][0]["pointer"] == "/attributes/cores"


def test_it_is_for_operators_who_may_read_leads(app: FastAPI, database: Database) -> None:
    assert a_provider(app, database, add_provider(database)).post(OUTCOME, json=NORTH).status_code == 403
    assert machine(app, operators_key(database, Permission.NICHES_READ)).post(OUTCOME, json=NORTH).status_code == 403


def _drawn(client: TestClient, asked: dict[str, object]) -> str:
    answer = client.post(OUTCOME, json=asked)
    assert answer.status_code == 200, answer.text
    return f"<main>{answer.json()['html']}</main>"
