"""A provider's webhook endpoint over HTTP: its own, its secret once, and what comes of deliveries."""

from collections.abc import Callable
from typing import Any

import pytest
from standardwebhooks import Webhook

from fairlead.api.routes.provider.webhooks import TRIALS
from fairlead.flows.notifications.dispatch import dispatch_notifications
from fairlead.store.connection import Database
from tests.api.asking import an_admin, application, logged_in
from tests.api.permitting import problem
from tests.api.portal import API, Portal, open_portal
from tests.delivery.receiver import receiver, says
from tests.flows.access.people import value
from tests.flows.configuration.market import UNKNOWN
from tests.flows.notifications.hooks import endpoint_row
from tests.flows.notifications.stage import sell_lead
from tests.flows.sales import query

ENDPOINTS = f"{API}/webhook-endpoints"
URL = "https://127.0.0.1:9/leads"
ANY = {"If-Match": "*"}
WHY = {"reason": "maintenance"}

VERBS: dict[str, Callable[[Any, str], Any]] = {
    "show": lambda who, id: who.get(f"{ENDPOINTS}/{id}"),
    "deliveries": lambda who, id: who.get(f"{ENDPOINTS}/{id}/deliveries"),
    "change": lambda who, id: who.patch(f"{ENDPOINTS}/{id}", json={"url": URL + "/new"}, headers=ANY),
    "pause": lambda who, id: who.post(f"{ENDPOINTS}/{id}/pause", json=WHY),
    "resume": lambda who, id: who.post(f"{ENDPOINTS}/{id}/resume", json=WHY),
    "rotate": lambda who, id: who.post(f"{ENDPOINTS}/{id}/rotate-secret"),
    "retire": lambda who, id: who.post(f"{ENDPOINTS}/{id}/retire-secret"),
    "test": lambda who, id: who.post(f"{ENDPOINTS}/{id}/test"),
    "remove": lambda who, id: who.delete(f"{ENDPOINTS}/{id}", headers=ANY),
}


def create(who: Any, url: str = URL, **more: object) -> dict[str, str]:
    """The endpoint is there; its id and secret."""
    answer = who.post(ENDPOINTS, json={"url": url, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


@pytest.mark.parametrize("name", VERBS)
def test_anothers_endpoint_is_unknown(database: Database, name: str) -> None:
    portal, verb = open_portal(database), VERBS[name]
    foreign = create(portal.bea)["endpoint_id"]
    before = endpoint_row(database)
    refused = verb(portal.sam, foreign)
    assert problem(refused) == problem(verb(portal.sam, UNKNOWN)) == (404, "webhook_endpoint_unknown")
    assert endpoint_row(database) == before
    assert problem(verb(an_admin(portal.app, database), foreign)) == (403, "permission_missing")
    assert verb(portal.bea, foreign).status_code in (200, 204)


def test_a_provider_has_one_endpoint_with_a_secret_that_is_shown_once(database: Database) -> None:
    portal = open_portal(database)
    assert portal.sam.get(ENDPOINTS).json() == {"items": []}
    made = create(portal.sam, field_mapping={"mail": "contact_email"})
    assert made["secret"].startswith("whsec_")
    assert portal.sam.get(f"{ENDPOINTS}/{made['endpoint_id']}").status_code == 200
    assert problem(portal.sam.post(ENDPOINTS, json={"url": URL})) == (409, "webhook_endpoint_exists")
    listed = portal.sam.get(ENDPOINTS)
    [own] = listed.json()["items"]
    assert (own["url"], own["field_mapping"], own["state"]) == (URL, {"mail": "contact_email"}, "active")
    assert made["secret"] not in listed.text
    assert portal.bea.get(ENDPOINTS).json() == {"items": []}
    for wrong in ({"url": "ftp://crm.example.com"}, {"url": URL, "field_mapping": {"x": "salt"}}, {"url": URL, "x": 1}):
        assert problem(portal.bea.post(ENDPOINTS, json=wrong)) == (422, "input_invalid")


def test_private_addresses_are_refused_unless_allowed(database: Database) -> None:
    portal = open_portal(database)
    careful = logged_in(application(database), _token(portal))
    refused = careful.post(ENDPOINTS, json={"url": URL})
    assert (problem(refused), refused.json()["errors"][0]["pointer"]) == ((422, "input_invalid"), "/url")
    made = careful.post(ENDPOINTS, json={"url": "https://crm.example.com/leads"})
    assert (made.status_code, careful.get(made.headers["location"]).status_code) == (201, 200)


def _token(portal: Portal) -> str:
    return str(next(iter(portal.sam.cookies.jar)).value)


def test_a_change_of_an_endpoint_needs_its_version(database: Database) -> None:
    portal = open_portal(database)
    path = f"{ENDPOINTS}/{create(portal.sam)['endpoint_id']}"
    seen = portal.sam.get(path).headers["etag"]
    assert problem(portal.sam.patch(path, json={"url": URL})) == (428, "precondition_required")
    mapped = portal.sam.patch(path, json={"field_mapping": {"id": "lead_id"}}, headers={"If-Match": seen})
    assert (mapped.json()["url"], mapped.json()["field_mapping"]) == (URL, {"id": "lead_id"})
    stale = {"If-Match": seen}
    assert problem(portal.sam.patch(path, json={"url": URL + "/2"}, headers=stale)) == (412, "version_conflict")
    assert problem(portal.sam.delete(path, headers=stale)) == (412, "version_conflict")
    now = {"If-Match": mapped.headers["etag"]}
    plain = portal.sam.patch(path, json={"field_mapping": None}, headers=now)
    assert (plain.json()["url"], plain.json()["field_mapping"]) == (URL, None)
    assert problem(portal.sam.patch(path, json={"url": None}, headers=ANY)) == (422, "input_invalid")
    assert portal.sam.delete(path, headers={"If-Match": plain.headers["etag"]}).status_code == 204
    assert problem(portal.sam.delete(path, headers=ANY)) == (404, "webhook_endpoint_unknown")


def test_an_endpoint_is_paused_and_resumed(database: Database) -> None:
    portal = open_portal(database)
    path = f"{ENDPOINTS}/{create(portal.sam)['endpoint_id']}"
    assert portal.sam.post(f"{path}/pause", json=WHY).json()["state"] == "paused"
    assert portal.sam.get(path).json()["state_reason"] == "maintenance"
    assert not portal.sam.post(f"{path}/pause", json=WHY).json()["took_effect"]
    assert portal.sam.post(f"{path}/resume", json=WHY).json()["state"] == "active"
    assert problem(portal.sam.post(f"{path}/resume", json={})) == (422, "input_invalid")


def test_secrets_are_exchanged_without_a_gap(database: Database) -> None:
    portal = open_portal(database)
    with receiver(says(204)) as crm:
        made = create(portal.sam, crm.url())
        path = f"{ENDPOINTS}/{made['endpoint_id']}"
        new = portal.sam.post(f"{path}/rotate-secret").json()["secret"]
        assert problem(portal.sam.post(f"{path}/rotate-secret")) == (409, "webhook_rotation_under_way")
        assert portal.sam.get(path).json()["is_rotating"]
        assert portal.sam.post(f"{path}/test").json()["is_delivered"]
        assert portal.sam.post(f"{path}/retire-secret").json()["took_effect"]
        assert portal.sam.post(f"{path}/test").json()["is_delivered"]
    during, afterwards = crm.requests
    for secret in (made["secret"], new):
        Webhook(secret).verify(during.body, during.signed_headers())
    Webhook(new).verify(afterwards.body, afterwards.signed_headers())
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(made["secret"]).verify(afterwards.body, afterwards.signed_headers())


def test_a_test_delivery_tells_what_the_receiver_said(database: Database) -> None:
    portal = open_portal(database)
    with receiver(says(503)) as crm:
        path = f"{ENDPOINTS}/{create(portal.sam, crm.url())['endpoint_id']}"
        told = portal.sam.post(f"{path}/test").json()
    assert (told["is_delivered"], "503" in told["answer"]) == (False, True)
    assert b"endpoint.test" in crm.requests[0].body
    assert portal.sam.get(path).json()["failure_count"] == 0


def test_receivers_that_do_not_answer_keep_few_threads(database: Database) -> None:
    portal = open_portal(database)
    path = f"{ENDPOINTS}/{create(portal.sam)['endpoint_id']}"
    with TRIALS.slot("one"), TRIALS.slot("another"), TRIALS.slot("a third"):
        refused = portal.sam.post(f"{path}/test")
    assert (problem(refused), refused.headers["retry-after"]) == ((429, "too_many_attempts"), "5")
    assert portal.sam.post(f"{path}/test").status_code == 200


def test_deliveries_are_listed_the_newest_first(database: Database) -> None:
    portal = open_portal(database)
    path = f"{ENDPOINTS}/{create(portal.sam)['endpoint_id']}"
    sell_lead(database)
    dispatch_notifications(database)
    sell_lead(database)
    first = portal.sam.get(f"{path}/deliveries", params={"limit": 1}).json()
    second = portal.sam.get(f"{path}/deliveries", params={"limit": 1, "cursor": first["next_cursor"]}).json()
    ids = [row[0] for row in query(database, "select id::text from notifications where channel = 'webhook' order by 1")]
    assert [each["items"][0]["notification_id"] for each in (second, first)] == ids
    assert second["next_cursor"] is None
    assert first["items"][0]["kind"] == "lead_assigned"
    assert portal.sam.get(path).json()["waiting_count"] == 2


def test_without_keys_to_seal_with_no_secret_is_made(database: Database) -> None:
    portal = open_portal(database)
    made = create(portal.sam)["endpoint_id"]
    bare = logged_in(application(database, encryption_keys=None), _token(portal))
    assert problem(bare.post(ENDPOINTS, json={"url": URL})) == (503, "encryption_keys_missing")
    assert problem(bare.post(f"{ENDPOINTS}/{made}/rotate-secret")) == (503, "encryption_keys_missing")
    assert problem(bare.post(f"{ENDPOINTS}/{made}/test")) == (503, "encryption_keys_missing")


def test_a_suspended_provider_looks_and_changes_nothing(database: Database) -> None:
    portal = open_portal(database)
    made = create(portal.sam)["endpoint_id"]
    value(database, "update providers set status = 'suspended' where id = %s", portal.sale.anchor_id)
    try:
        assert portal.sam.get(f"{ENDPOINTS}/{made}").status_code == 200
        assert problem(VERBS["remove"](portal.sam, made)) == (403, "permission_missing")
    finally:
        value(database, "update providers set status = 'active' where id = %s", portal.sale.anchor_id)
