"""An operator looks at the portal as a provider sees it: that provider's rows, to read, on record, until it is left."""

from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.api.access import NeedsOwn
from fairlead.core.permissions import Permission
from fairlead.store.connection import Database
from tests.api.asking import a_provider, machine
from tests.api.keys import operators_key
from tests.api.permitting import problem
from tests.api.test_matrix import ask, code_of, declared, unknown_at
from tests.console.portal_pages import shown
from tests.flows.access.people import rows
from tests.flows.configuration.market import UNKNOWN
from tests.flows.sales import Sale

VIEW = "/api/v1/admin/portal-view"
PAGES = ("inbox", "more", "subscriptions", "balance", "deliveries", "settings")


def test_the_pages_are_those_that_the_provider_sees_and_say_so(
    app: FastAPI, ann: TestClient, database: Database, sale: Sale
) -> None:
    sam = a_provider(app, database, sale.anchor_id)
    assert ann.get("/portal/inbox", headers={"Accept": "text/html"}).status_code == 403
    assert ann.put(VIEW, json={"provider_id": sale.anchor_id}).json()["provider_name"] == "Anchor"
    for name in ("more", "balance", "deliveries"):
        assert shown(ann, f"/portal/{name}").count("€") == shown(sam, f"/portal/{name}").count("€")
    for path in PAGES:
        text = ann.get(f"/portal/{path}").text
        assert "You see the portal as Anchor sees it." in text, path
        assert f'data-api="DELETE {VIEW}"' in text
        assert 'href="/overview"' not in text, "the sections are the portal's"
        changing = [
            part
            for part in text.split('data-api="')[1:]
            if not part.startswith(("DELETE /api/v1/session", f"DELETE {VIEW}"))
        ]
        assert [
            each[:60] for each in changing if "disabled" not in each[:400] and "POST /api/v1/provider" in each[:40]
        ] == []
    assert f"/portal/leads/{sale.anchor}" in ann.get("/portal/inbox").text
    assert ann.get(f"/portal/leads/{sale.anchor}").status_code == 200
    assert "You see the portal" not in sam.get("/portal/inbox").text
    assert "You see the portal" not in ann.get("/overview").text


def test_it_is_one_providers_rows_and_no_others(ann: TestClient, database: Database, sale: Sale) -> None:
    ann.put(VIEW, json={"provider_id": sale.anchor_id}).raise_for_status()
    foreign = rows(database, "select id::text from subscriptions where provider_id = %s", sale.bowline_id)
    for path in (f"/portal/leads/{sale.bowline}", f"/portal/subscriptions/{foreign[0]}"):
        assert ann.get(path, headers={"Accept": "text/html"}).status_code == 404
    ann.put(VIEW, json={"provider_id": sale.bowline_id}).raise_for_status()
    assert ann.get(f"/portal/leads/{sale.bowline}").status_code == 200
    assert ann.get(f"/portal/leads/{sale.anchor}", headers={"Accept": "text/html"}).status_code == 404


def test_nothing_of_the_api_is_opened_by_it(app: FastAPI, ann: TestClient, database: Database, sale: Sale) -> None:
    ann.put(VIEW, json={"provider_id": sale.anchor_id}).raise_for_status()
    own = [each for each in declared(app) if isinstance(each[2], NeedsOwn) and "/api/" in (each[1].path_format or "")]
    assert len(own) > 30
    for method, route, access in own:
        assert isinstance(access, NeedsOwn)
        assert not access.is_shown_to_operators, "an operator would write in a provider's name"
        assert code_of(ask(ann, method, unknown_at(route))) == "permission_missing", route.path_format
    accept = ann.post(f"/api/v1/provider/assignments/{sale.anchor}/accept")
    assert problem(accept) == (403, "permission_missing")
    assert rows(database, "select distinct status from assignments") == ["active"]


def test_it_is_on_record_and_ends_with_a_click(ann: TestClient, database: Database, sale: Sale) -> None:
    for provider_id in (sale.anchor_id, sale.anchor_id, sale.bowline_id):
        ann.put(VIEW, json={"provider_id": provider_id}).raise_for_status()
    assert ann.delete(VIEW).json() == {"provider_id": sale.bowline_id}
    assert ann.delete(VIEW).json() == {"provider_id": None}
    found = rows(database, "select array[action, entity_id] from audit_log where action like 'portal.%%' order by seq")
    assert found == [
        ["portal.seen", sale.anchor_id],
        ["portal.left", sale.anchor_id],
        ["portal.seen", sale.bowline_id],
        ["portal.left", sale.bowline_id],
    ]
    assert ann.get("/portal/inbox", headers={"Accept": "text/html"}).status_code == 403


def test_who_may_not_look_does_not(app: FastAPI, ann: TestClient, database: Database, sale: Sale) -> None:
    sam = a_provider(app, database, sale.anchor_id)
    asked = {"provider_id": sale.bowline_id}
    assert problem(sam.put(VIEW, json=asked)) == (403, "permission_missing")
    reading = (Permission.PROVIDERS_READ, Permission.LEADS_READ, Permission.MONEY_READ)
    key = machine(app, operators_key(database, *reading))
    assert problem(key.put(VIEW, json=asked)) == (403, "permission_missing")
    assert problem(ann.put(VIEW, json={"provider_id": UNKNOWN})) == (404, "provider_unknown")
