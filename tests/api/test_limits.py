"""Limits of callers: everything that is asked counts, no caller uses up another's, and a page of another site none."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.core.permissions import Permission
from fairlead.flows.access.read_limits import EXPORTS_OF_CALLER, PREVIEWS_OF_PROVIDER, TRIALS_OF_PROVIDER
from fairlead.flows.access.throttle import INTAKE_OF_ADDRESS
from fairlead.flows.notifications.endpoint_trial import TRIAL_TIMEOUT_SECONDS
from fairlead.settings import Settings
from fairlead.store.connection import Database
from tests.api.asking import an_admin, anonymous, application, machine
from tests.api.keys import operators_key
from tests.api.permitting import problem
from tests.api.portal import API, NORTH, Portal, level, open_portal
from tests.delivery.receiver import receiver, says
from tests.flows.access.people import rows
from tests.flows.intake.senders import open_niche
from tests.flows.sales import sell

PUBLIC = "/api/v1/public/leads"
SENT: dict[str, Any] = {
    "niche": "moving",
    "attributes": {"age": 41, "city": "Canarytown"},
    "contact_email": "cora@example.com",
    "consent": {"text": "I agree to be called about moving."},
}
JSON = {"content-type": "application/json"}
EXPORT = "/api/v1/admin/exports/journal"
FROM_ELSEWHERE = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}

MISSHAPEN: dict[str, dict[str, Any]] = {
    "a member that there is not": {"json": {**SENT, "nonsense": 1}},
    "no member": {"json": {}},
    "no object": {"json": []},
    "no JSON": {"content": b"{", "headers": JSON},
    "no body": {},
    "another content type": {"content": json.dumps(SENT).encode(), "headers": {"content-type": "text/plain"}},
    "too large": {"content": b"[" + b"0," * 200_000 + b"0]", "headers": JSON},
    "too large for any operation": {"content": b"[" + b"0," * 600_000 + b"0]", "headers": JSON},
    "too large, as it turns out": {"content": iter([b"[" + b"0," * 600_000, b"0]"]), "headers": JSON},
    "too many brackets": {"content": b"[" * 20_000, "headers": JSON},
    "a parameter that there is not": {"json": SENT, "params": {"nonsense": "1"}},
    "an answer of another kind": {"json": {**SENT, "attributes": {"age": "old", "city": "Canarytown"}}},
    "a key that is none": {"json": SENT, "headers": {"idempotency-key": "x" * 1_000}},
}


@pytest.fixture
def app(database: Database) -> FastAPI:
    return application(database)


# Public leads --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MISSHAPEN)
def test_a_misshapen_public_lead_counts_as_one_that_is_not(app: FastAPI, database: Database, name: str) -> None:
    open_niche(database, is_public=True)
    form = anonymous(app, "198.51.100.7")
    asked = [form.post(PUBLIC, **MISSHAPEN[name]) for _ in range(INTAKE_OF_ADDRESS.capacity)]
    assert all(400 <= each.status_code < 429 for each in asked), [each.text for each in asked][:1]
    more = form.post(PUBLIC, json=SENT)
    assert problem(more) == (429, "too_many_attempts")
    assert int(more.headers["retry-after"]) >= 1
    assert problem(form.post(PUBLIC, **MISSHAPEN[name])) == (429, "too_many_attempts"), "refused before it is read"
    assert anonymous(app, "198.51.100.8").post(PUBLIC, json=SENT).status_code == 202
    assert rows(database, "select count(*) from leads") == [1]


def test_each_public_lead_counts_once(app: FastAPI, database: Database) -> None:
    open_niche(database, is_public=True)
    form = anonymous(app, "198.51.100.7")
    answers = [form.post(PUBLIC, json=SENT).status_code for _ in range(INTAKE_OF_ADDRESS.capacity + 1)]
    assert answers == [202] * INTAKE_OF_ADDRESS.capacity + [429]


def test_a_key_is_not_limited_by_the_publics_limit(app: FastAPI, database: Database) -> None:
    open_niche(database)
    partner = machine(app, operators_key(database, Permission.INTAKE_WRITE))
    answers = [partner.post("/api/v1/leads", json=SENT).status_code for _ in range(INTAKE_OF_ADDRESS.capacity + 1)]
    assert answers == [201] * (INTAKE_OF_ADDRESS.capacity + 1)


# Pages of other sites ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        FROM_ELSEWHERE,
        {"sec-fetch-site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
def test_a_page_of_another_site_uses_up_nothing_of_an_admins(
    app: FastAPI, database: Database, headers: dict[str, str]
) -> None:
    sell(database)
    ann = an_admin(app, database)
    for _ in range(EXPORTS_OF_CALLER.capacity):
        assert problem(ann.get(EXPORT, headers=headers)) == (403, "cross_origin_refused")
    assert ann.get(EXPORT, headers={"sec-fetch-site": "none"}).status_code == 200
    assert ann.get(EXPORT, headers={"sec-fetch-site": "same-origin"}).status_code == 200


def test_a_page_of_another_site_uses_up_nothing_of_a_providers(database: Database) -> None:
    portal = open_portal(database)
    path = f"{API}/levels/{level(database, 'gold')}/filter-preview"
    for _ in range(PREVIEWS_OF_PROVIDER.capacity):
        asked = portal.sam.post(path, json=NORTH, headers=FROM_ELSEWHERE)
        assert problem(asked) == (403, "cross_origin_refused")
    for who in (portal.sam, portal.bea):
        assert who.post(path, json=NORTH).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/admin/leads", "/api/v1/session", "/api/v1/admin/overview"])
def test_nothing_that_a_session_opens_is_read_by_a_page_of_another_site(
    app: FastAPI, database: Database, path: str
) -> None:
    ann = an_admin(app, database)
    assert problem(ann.get(path, headers=FROM_ELSEWHERE)) == (403, "cross_origin_refused")
    assert ann.get(path).status_code == 200
    assert anonymous(app).get("/api/v1/openapi.json", headers=FROM_ELSEWHERE).status_code == 200


# Trials of webhook endpoints -----------------------------------------------------------------------------------------


def endpoint_of(who: TestClient, url: str) -> str:
    """The address at which the provider's new endpoint is tried."""
    made = who.post(f"{API}/webhook-endpoints", json={"url": url})
    assert made.status_code == 201, made.text
    return f"{API}/webhook-endpoints/{made.json()['endpoint_id']}/test"


def test_trials_are_limited_by_provider(database: Database) -> None:
    portal = open_portal(database)
    with receiver(says(204)) as crm:
        of_sam, of_bea = (endpoint_of(who, crm.url()) for who in (portal.sam, portal.bea))
        tried = [portal.sam.post(of_sam).status_code for _ in range(TRIALS_OF_PROVIDER.capacity)]
        assert tried == [200] * TRIALS_OF_PROVIDER.capacity
        refused = portal.sam.post(of_sam)
        assert problem(refused) == (429, "too_many_attempts")
        assert 1 <= int(refused.headers["retry-after"]) <= TRIALS_OF_PROVIDER.seconds_per_token
        assert portal.bea.post(of_bea).status_code == 200, "another provider is not held back"
    assert len(crm.requests) == TRIALS_OF_PROVIDER.capacity + 1


def test_a_receiver_that_hangs_keeps_one_place(database: Database) -> None:
    portal = open_portal(database)
    go_on, called = threading.Event(), threading.Event()

    def hangs(_: object) -> None:
        called.set()
        go_on.wait(20)

    with receiver(hangs) as slow, receiver(says(204)) as crm, ThreadPoolExecutor(1) as beside:
        of_sam, of_bea = endpoint_of(portal.sam, slow.url()), endpoint_of(portal.bea, crm.url())
        hanging = beside.submit(portal.sam.post, of_sam)
        try:
            assert called.wait(10), "the receiver is not asked"
            again = portal.sam.post(of_sam)
            assert (problem(again), again.headers["retry-after"]) == ((429, "too_many_attempts"), "5")
            assert portal.bea.post(of_bea).json()["is_delivered"]
            assert not hanging.done()
        finally:
            go_on.set()
        assert not hanging.result(20).json()["is_delivered"]
        assert portal.sam.post(of_sam).status_code == 200, "the place is given back"


@pytest.mark.parametrize(("set_to", "taken"), [(15, TRIAL_TIMEOUT_SECONDS), (2, 2)])
def test_a_trial_waits_for_seconds(
    database: Database, monkeypatch: pytest.MonkeyPatch, set_to: int, taken: int
) -> None:
    import fairlead.flows.notifications.endpoint_trial as trial

    asked: list[float] = []
    send: Callable[..., Any] = trial.send_webhook

    def sent(*words: Any, timeout_seconds: float, **more: Any) -> Any:
        asked.append(timeout_seconds)
        return send(*words, timeout_seconds=timeout_seconds, **more)

    monkeypatch.setattr(trial, "send_webhook", sent)
    portal: Portal = open_portal(database, webhook_timeout_seconds=set_to)
    with receiver(says(204)) as crm:
        assert portal.sam.post(endpoint_of(portal.sam, crm.url())).json()["is_delivered"]
    assert asked == [taken]
    assert Settings.model_fields["webhook_timeout_seconds"].default > TRIAL_TIMEOUT_SECONDS
