"""What the filter builder says meanwhile is in the language of the page; the API says it in English."""

import itertools
from typing import Any

from starlette.testclient import TestClient

from fairlead.core.permissions import Permission
from fairlead.flows.access.read_limits import PREVIEWS_OF_PROVIDER
from fairlead.store.connection import Database
from tests.api.asking import anonymous, machine
from tests.api.keys import operators_key
from tests.api.portal import level
from tests.console.portal_pages import visit_portal
from tests.flows.access.people import value

NORTH: dict[str, Any] = {
    "version": 1,
    "rules": [{"field_key": "region", "operator": "eq", "value": "north"}],
}
OF_OPERATORS = {"filter_rules": NORTH}
FROM_ELSEWHERE = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}


def _niche(database: Database) -> str:
    return value(database, "select id::text from niches where slug = 'hosting'")


def _in_german(client: TestClient) -> None:
    client.cookies.set("language", "de", domain="leads.example.com")


def test_a_filter_is_said_in_the_language_of_the_page(database: Database, ann: TestClient) -> None:
    portal = visit_portal(database)
    gold, niche = level(database, "gold"), _niche(database)
    words = {"en": "Region is north", "de": "Region ist north"}
    for language in ("en", "de"):
        if language == "de":
            _in_german(ann)
            _in_german(portal.sam)
        of_operator = ann.post(f"/niches/{niche}/filter-preview", json=OF_OPERATORS).json()
        own = portal.sam.post(f"/portal/levels/{gold}/filter-preview", json=NORTH).json()
        for said in (of_operator, own):
            assert said == {
                "matched_count": 1,
                "lead_count": 1,
                "is_estimate": False,
                "filter_summary": words[language],
            }
    by_api = ann.post(f"/api/v1/admin/niches/{niche}/filter-preview", json=OF_OPERATORS).json()
    assert by_api["filter_summary"] == words["en"]
    by_api = portal.sam.post(f"/api/v1/provider/levels/{gold}/filter-preview", json=NORTH).json()
    assert by_api["filter_summary"] == words["en"]


def test_a_filter_that_cannot_be_is_refused_with_its_place(database: Database, ann: TestClient) -> None:
    portal = visit_portal(database)
    unfit: dict[str, Any] = {"version": 1, "rules": [{"field_key": "sauna", "operator": "eq", "value": 1}]}
    refused = ann.post(f"/niches/{_niche(database)}/filter-preview", json={"filter_rules": unfit})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/filter_rules/rules/0/field_key")
    refused = portal.sam.post(f"/portal/levels/{level(database, 'gold')}/filter-preview", json=unfit)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/rules/0/field_key")


def test_each_is_for_those_whose_page_it_is_on_and_as_often_as_the_apis(database: Database) -> None:
    portal = visit_portal(database)
    of_operators, own = (
        f"/niches/{_niche(database)}/filter-preview",
        f"/portal/levels/{level(database, 'gold')}/filter-preview",
    )
    assert anonymous(portal.app).post(of_operators, json=OF_OPERATORS).status_code == 401
    assert anonymous(portal.app).post(own, json=NORTH).status_code == 401
    for provider in (portal.sam, portal.bea):
        assert provider.post(of_operators, json=OF_OPERATORS).status_code == 403
        assert provider.post(own, json=NORTH, headers=FROM_ELSEWHERE).status_code == 403
    key = operators_key(database, Permission.NICHES_READ)
    assert machine(portal.app, key).post(of_operators, json=OF_OPERATORS).status_code == 403
    addresses = itertools.cycle((own, f"/api/v1/provider/levels/{level(database, 'gold')}/filter-preview"))
    codes: list[int] = []
    # Turns come back while a slow machine asks.
    while 429 not in codes and len(codes) <= 3 * PREVIEWS_OF_PROVIDER.capacity:
        codes.append(portal.sam.post(next(addresses), json=NORTH).status_code)
    assert codes == [200] * (len(codes) - 1) + [429], "both have one limit"
    assert portal.bea.post(own, json=NORTH).status_code == 200, "each provider has its own limit"
