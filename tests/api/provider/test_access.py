"""A provider's own API keys and users over HTTP."""

from fairlead.core.permissions import KEY_SCOPES, Role
from fairlead.flows.access.api_keys import create_api_key
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.api.asking import an_admin, machine
from tests.api.permitting import problem
from tests.api.portal import API, open_portal
from tests.flows.access.people import rows, value
from tests.flows.configuration.market import UNKNOWN

KEYS, USERS = f"{API}/keys", f"{API}/users"
WISH = {"name": "our CRM", "scopes": ["own:read"]}


def test_a_key_acts_for_its_provider_until_it_is_revoked(database: Database) -> None:
    portal = open_portal(database)
    made = portal.sam.post(KEYS, json={**WISH, "lifetime_days": 30})
    assert made.status_code == 201
    key = made.json()
    crm = machine(portal.app, key["key"])
    assert crm.get(f"{API}/profile").json()["provider_id"] == portal.sale.anchor_id
    assert problem(crm.get(KEYS)) == (403, "permission_missing")
    listed = portal.sam.get(KEYS)
    [own] = listed.json()["items"]
    assert (own["key_id"], own["prefix"], own["scopes"]) == (key["key_id"], key["prefix"], ["own:read"])
    assert own["expires_at"] == key["expires_at"]
    assert key["key"] not in listed.text
    assert portal.sam.delete(f"{KEYS}/{key['key_id']}").status_code == 204
    assert portal.sam.delete(f"{KEYS}/{key['key_id']}").status_code == 204
    assert problem(crm.get(f"{API}/profile")) == (401, "api_key_invalid")
    assert portal.sam.get(KEYS).json()["items"] == []
    [gone] = portal.sam.get(KEYS, params={"with_revoked": True}).json()["items"]
    assert gone["revoked_at"] is not None


def test_anothers_key_is_unknown_and_not_listed(database: Database) -> None:
    portal = open_portal(database)
    made = portal.bea.post(KEYS, json=WISH).json()
    of_operator = create_api_key(database, "ops", ["own:read"], OPERATOR, provider_id=portal.sale.bowline_id)
    assert portal.sam.get(KEYS).json()["items"] == []
    for foreign in (made["key_id"], of_operator.key_id, UNKNOWN):
        assert problem(portal.sam.delete(f"{KEYS}/{foreign}")) == (404, "api_key_unknown")
    assert rows(database, "select count(*) from api_keys where revoked_at is not null") == [0]
    listed = portal.bea.get(KEYS)
    assert [each["key_id"] for each in listed.json()["items"]] == [of_operator.key_id, made["key_id"]]
    assert problem(an_admin(portal.app, database).delete(f"{KEYS}/{made['key_id']}")) == (403, "permission_missing")


def test_keys_come_page_by_page(database: Database) -> None:
    portal = open_portal(database)
    ids = [portal.sam.post(KEYS, json=WISH).json()["key_id"] for _ in range(3)]
    first = portal.sam.get(KEYS, params={"limit": 2}).json()
    rest = portal.sam.get(KEYS, params={"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [each["key_id"] for each in (*first["items"], *rest["items"])] == ids[::-1]
    assert rest["next_cursor"] is None


def test_keys_take_a_fresh_proof(database: Database) -> None:
    portal = open_portal(database)
    made = portal.sam.post(KEYS, json=WISH).json()["key_id"]
    value(database, "update sessions set stepped_up_at = now() - interval '11 minutes'")
    for attempt in (portal.sam.get(KEYS), portal.sam.post(KEYS, json=WISH), portal.sam.delete(f"{KEYS}/{made}")):
        assert problem(attempt) == (403, "step_up_required")


def test_a_key_is_asked_for_with_scopes_that_it_may_have(database: Database) -> None:
    portal = open_portal(database)
    every = sorted(str(scope) for scope in KEY_SCOPES[Role.PROVIDER])
    assert portal.sam.post(KEYS, json={"name": "all", "scopes": every}).status_code == 201
    for wrong in (
        {**WISH, "scopes": []},
        {**WISH, "scopes": ["own:keys"]},
        {**WISH, "scopes": ["leads:read"]},
        {**WISH, "name": " "},
        {**WISH, "lifetime_days": 0},
    ):
        assert problem(portal.sam.post(KEYS, json=wrong)) == (422, "input_invalid")


def test_a_provider_sees_who_logs_in_for_it(database: Database) -> None:
    portal = open_portal(database)
    [own] = portal.sam.get(USERS).json()["items"]
    assert (own["email"], own["status"], own["has_second_factor"]) == ("sales@anchor.example", "active", False)
    assert own["last_login_at"] is not None
    [of_bea] = portal.bea.get(USERS).json()["items"]
    assert of_bea["email"] == "sales@bowline.example"
    assert problem(an_admin(portal.app, database).get(USERS)) == (403, "permission_missing")
