"""A provider's own rows as files: of two providers each has its own, and nothing of the other."""

import csv
import io
import json
from contextlib import ExitStack
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.flows.access.principal import user_actor
from fairlead.flows.exporting.own_export import open_own_export
from fairlead.store.connection import Database
from fairlead.store.exports.own_sources import OWN_SOURCES
from fairlead.store.exports.reading import ExportFilter, stream_rows
from tests.api.asking import a_provider, an_admin, application, logged_in
from tests.flows.access.people import Person, provider_user, value
from tests.flows.sales import Sale, audited, sell

EXPORTS = "/api/v1/provider/exports"


@pytest.fixture
def sale(database: Database) -> Sale:
    """A lead that two providers bought."""
    return sell(database)


@pytest.fixture
def app(database: Database) -> FastAPI:
    """The API."""
    return application(database)


def table(client: TestClient, what: str) -> list[dict[str, str]]:
    answer = client.get(f"{EXPORTS}/{what}")
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"), newline="")))


def test_a_provider_has_one_open_at_a_time_and_takes_no_operators_place(
    app: FastAPI, database: Database, database_url: str, sale: Sale
) -> None:
    sam = provider_user(database, sale.anchor_id, "sales@anchor.example")
    kim = provider_user(database, sale.bowline_id, "sales@bowline.example")
    anchor, bowline, ann = logged_in(app, sam.token), logged_in(app, kim.token), an_admin(app, database)
    with Database(database_url, "fairlead", max_connections=6) as elsewhere, ExitStack() as held:

        def opened(provider_id: str, person: Person) -> None:
            bound = elsewhere.bound_to(provider_id)
            actor = user_actor(person.user_id, "provider")
            held.enter_context(open_own_export(bound, provider_id, "ledger", "csv", (None, None), actor))

        opened(sale.anchor_id, sam)
        refused = anchor.get(f"{EXPORTS}/leads")
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_exports")
        assert bowline.get(f"{EXPORTS}/ledger").status_code == 200, "one provider does not take every place"
        opened(sale.bowline_id, kim)
        assert bowline.get(f"{EXPORTS}/ledger").status_code == 429
        assert ann.get("/api/v1/admin/exports/ledger").status_code == 200, "providers take no operator's place"
    assert anchor.get(f"{EXPORTS}/leads").status_code == 200


def test_each_provider_gets_its_own_and_no_more(app: FastAPI, database: Database, sale: Sale) -> None:
    value(database, "update leads set contact_email = 'contact@example.com', contact_name = '=1+1'")
    anchor = a_provider(app, database, sale.anchor_id)
    bowline = a_provider(app, database, sale.bowline_id, "sales@bowline.example")
    for client, assignment in ((anchor, sale.anchor), (bowline, sale.bowline)):
        [lead] = table(client, "leads")
        assert (lead["assignment_id"], lead["contact_email"], lead["contact_name"]) == (
            assignment,
            "contact@example.com",
            "'=1+1",
        )
    assert [each["amount_cents"] for each in table(anchor, "ledger")] == ["5000", "-2000"]
    assert [each["amount_cents"] for each in table(bowline, "ledger")] == ["600", "-500"]
    lines = anchor.get(f"{EXPORTS}/ledger", params={"format": "jsonl"}).text.splitlines()
    entries: list[dict[str, Any]] = [json.loads(line) for line in lines]
    assert [each["balance_after_cents"] for each in entries] == [5000, 3000]
    assert [each["gross_cents"] for each in table(anchor, "receipts")] == ["5000"]
    assert [each["recipient_name"] for each in table(bowline, "receipts")] == ["Bowline"]
    told = {each[0] for each in audited(database, "data.exported")}
    assert told == {"own_leads", "own_ledger", "own_receipts"}


def test_row_level_security_holds_where_the_query_would_not(database: Database, sale: Sale) -> None:
    with database.bound_to(sale.anchor_id).snapshot(is_long=True) as conn:
        for what, source in OWN_SOURCES.items():
            everything = list(stream_rows(conn, source, ExportFilter()))
            assert everything, what
            other = list(stream_rows(conn, source, ExportFilter({"provider": sale.bowline_id})))
            assert other == [], what


def test_a_span_chooses(app: FastAPI, database: Database, sale: Sale) -> None:
    anchor = a_provider(app, database, sale.anchor_id)
    answer = anchor.get(f"{EXPORTS}/leads", params={"assigned_from": "2999-01-01T00:00:00Z"})
    assert len(answer.text.splitlines()) == 1


def test_operators_have_none(app: FastAPI, database: Database, sale: Sale) -> None:
    answer = an_admin(app, database).get(f"{EXPORTS}/leads")
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_missing")
