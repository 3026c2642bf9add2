"""What a key stands for: one request of one caller, whose answer is kept as long as it can be read."""

from typing import Annotated, Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.api.access import needs
from fairlead.api.bodies import Router
from fairlead.api.idempotency import REPLAYED
from fairlead.core.permissions import Permission
from fairlead.delivery.secret_box import new_secret_key
from fairlead.flows.access.principal import Principal
from fairlead.store.connection import Database
from tests.api.asking import SECRET_KEYS, an_admin, anonymous, application, logged_in, machine
from tests.api.keys import operators_key
from tests.api.permitting import problem
from tests.api.portal import API, open_portal
from tests.flows.access.people import BOX, enrolled_admin, rows, value
from tests.flows.intake.senders import link, open_niche, visit
from tests.flows.marketplaces import everything

KEY = {"Idempotency-Key": "k-1"}
NICHE = {"slug": "roofing", "name": "Roofing"}
NICHES, KEYS, ENDPOINTS = "/api/v1/admin/niches", "/api/v1/admin/keys", f"{API}/webhook-endpoints"
CONFIRM = "/api/v1/public/leads/confirm"


def wish(ann: TestClient) -> dict[str, Any]:
    """A key of Ann's."""
    return {"name": "it", "scopes": ["leads:read"], "user_id": ann.get("/api/v1/session").json()["user_id"]}


def kept(database: Database) -> str:
    """All that is stored of the answers."""
    return "\n".join(rows(database, "select k::text from idempotency_keys k"))


def test_a_key_of_another_provider_is_another_key(database: Database) -> None:
    portal = open_portal(database)
    made = [
        who.post(ENDPOINTS, json={"url": "https://127.0.0.1:9/leads"}, headers=KEY) for who in (portal.sam, portal.bea)
    ]
    assert [each.status_code for each in made] == [201, 201]
    assert len({each.json()["secret"] for each in made}) == 2
    for who, first in zip((portal.sam, portal.bea), made, strict=True):
        again = who.post(ENDPOINTS, json={"url": "https://127.0.0.1:9/leads"}, headers=KEY)
        assert (again.content, again.headers[REPLAYED]) == (first.content, "true")
    [theirs] = rows(database, "select id::text from webhook_endpoints where provider_id = %s", portal.sale.anchor_id)
    rotated = portal.sam.post(f"{ENDPOINTS}/{theirs}/rotate-secret", headers={"Idempotency-Key": "k-2"})
    assert rotated.status_code == 200
    foreign = portal.bea.post(f"{ENDPOINTS}/{theirs}/rotate-secret", headers={"Idempotency-Key": "k-2"})
    assert problem(foreign) == (404, "webhook_endpoint_unknown")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (NICHES, {**NICHE, "name": "Roofs"}),
        (NICHES, {**NICHE, "memo": "why"}),
        (KEYS, {"name": "it", "scopes": ["leads:read"], "user_id": "01990d8e-5b1e-7c3a-9a53-0c8f4d1b2e6f"}),
        ("/api/v1/admin/providers", {"email": "new@example.com", "name": "New"}),
    ],
)
def test_a_key_with_another_body_or_address_is_refused(path: str, body: dict[str, Any], database: Database) -> None:
    ann = an_admin(application(database), database)
    assert ann.post(NICHES, json=NICHE, headers=KEY).status_code == 201
    before = everything(database)
    assert problem(ann.post(path, json=body, headers=KEY)) == (422, "idempotency_key_reused")
    after = everything(database)
    assert {name for name in after if after[name] != before[name]} <= {"sessions"}


def test_who_sent_a_public_request_is_kept_by_nothing_that_tells_an_address(database: Database) -> None:
    """There are few addresses of IPv4: of a hash without a secret every one could be tried out."""
    open_niche(database, is_public=True)
    client = anonymous(application(database))
    tokens, actors = [link(database, visit(database).lead_id) for _ in range(2)], list[str]()
    for number, token in enumerate(tokens):
        headers = {"Idempotency-Key": f"k-{number}"}
        answers = [client.post(CONFIRM, json={"token": token}, headers=headers) for _ in range(2)]
        assert [(each.status_code, REPLAYED in each.headers) for each in answers] == [(200, False), (200, True)]
        actors += rows(database, "select actor from idempotency_keys where key = %s", f"k-{number}")
        value(database, "update intake_secret set secret = sha256(secret)")
    assert [actor.partition(":")[0] for actor in actors] == ["public"] * 2
    assert actors[0] != actors[1]


def test_a_refused_request_leaves_its_key_free(database: Database) -> None:
    ann = an_admin(application(database), database)
    assert ann.post(NICHES, json={**NICHE, "name": "Roofs"}).status_code == 201
    assert problem(ann.post(NICHES, json=NICHE, headers=KEY)) == (409, "niche_exists")
    assert kept(database) == ""
    made = ann.post(NICHES, json={**NICHE, "slug": "tiling"}, headers=KEY)
    assert (made.status_code, REPLAYED in made.headers) == (201, False)


def test_what_the_server_keeps_of_a_secret_is_sealed(database: Database) -> None:
    portal = open_portal(database)
    ann = an_admin(portal.app, database)
    secrets = [
        portal.sam.post(ENDPOINTS, json={"url": "https://127.0.0.1:9/leads"}, headers=KEY).json()["secret"],
        ann.post(KEYS, json=wish(ann), headers=KEY).json()["key"],
        portal.sam.post(f"{API}/keys", json={"name": "it", "scopes": ["own:read"]}, headers={"Idempotency-Key": "k-2"})
        .json()["key"],
    ]  # fmt: skip
    stored = kept(database)
    assert stored.count("sealed") == len(secrets)
    assert [each for each in secrets if each in stored] == []


def test_without_keys_to_seal_with_a_secret_is_not_given_to_a_repetition(database: Database) -> None:
    token = enrolled_admin(database).token
    ann = logged_in(application(database, encryption_keys=None), token)
    before = rows(database, "select count(*) from api_keys")
    assert problem(ann.post(KEYS, json=wish(ann), headers=KEY)) == (503, "encryption_keys_missing")
    assert rows(database, "select count(*) from api_keys") == before
    assert ann.post(KEYS, json=wish(ann)).status_code == 201
    made, again = (ann.post(NICHES, json=NICHE, headers=KEY) for _ in range(2))
    assert (again.content, again.headers[REPLAYED]) == (made.content, "true")


def test_an_answer_that_cannot_be_read_any_more_is_said_to_be_lost(database: Database) -> None:
    token = enrolled_admin(database).token
    first = logged_in(application(database), token)
    made = first.post(NICHES, json=NICHE, headers=KEY)
    added = application(database, encryption_keys=f"{new_secret_key()},{SECRET_KEYS}")
    assert logged_in(added, token).post(NICHES, json=NICHE, headers=KEY).content == made.content
    others = application(database, encryption_keys=new_secret_key())
    before = rows(database, "select count(*) from niches")
    assert problem(logged_in(others, token).post(NICHES, json=NICHE, headers=KEY)) == (409, "idempotency_answer_lost")
    assert rows(database, "select count(*) from niches") == before


@pytest.mark.parametrize("body", ['{"answer": {"body": {"niche": 5}, "headers": {}}}', '{"lead_id": 5}'])
def test_an_answer_of_another_shape_is_said_to_be_lost(body: str, database: Database) -> None:
    open_niche(database)
    ann = an_admin(application(database), database)
    lead = {"niche": "moving", "attributes": {"age": 40}}
    path, sent = (NICHES, NICHE) if "answer" in body else ("/api/v1/admin/leads", lead)
    assert ann.post(path, json=sent, headers=KEY).status_code == 201
    value(database, "update idempotency_keys set body = %s::jsonb", body)
    assert problem(ann.post(path, json=sent, headers=KEY)) == (409, "idempotency_answer_lost")


def test_what_a_lead_says_of_a_consumer_is_not_kept(database: Database) -> None:
    portal = open_portal(database)
    value(
        database,
        "update leads set contact_name = 'Cora Canary' where id = %s",
        portal.sale.lead_id,
    )
    path = f"{API}/assignments/{portal.sale.anchor}/view"
    first, again = (portal.sam.post(path, headers=KEY) for _ in range(2))
    assert (again.content, again.headers[REPLAYED]) == (first.content, "true")
    assert "Cora Canary" in first.text
    assert rows(database, "select body from idempotency_keys") == [{}]


def test_wrong_links_count_whether_or_not_they_have_a_key(database: Database) -> None:
    open_niche(database, is_public=True)
    visitor = anonymous(application(database), "203.0.113.9")
    answers = [
        visitor.post(CONFIRM, json={"token": "x" * 40}, headers={"Idempotency-Key": f"k-{number}"})
        for number in range(21)
    ]
    assert [each.json()["code"] for each in answers] == ["token_refused"] * 20 + ["too_many_attempts"]


def test_a_confirmation_that_is_sent_again_uses_up_no_attempt(database: Database) -> None:
    open_niche(database, is_public=True)
    visitor = anonymous(application(database), "203.0.113.9")
    token = {"token": link(database, visit(database).lead_id)}
    answers = [visitor.post(CONFIRM, json=token, headers=KEY) for _ in range(30)]
    assert {(each.status_code, each.content) for each in answers} == {(200, answers[0].content)}


def test_a_machine_and_its_owner_have_keys_of_their_own(database: Database) -> None:
    app = application(database)
    ann = an_admin(app, database)
    robot = machine(app, operators_key(database, Permission.NICHES_WRITE))
    assert ann.post(NICHES, json=NICHE, headers=KEY).status_code == 201
    other = robot.post(NICHES, json={"slug": "tiling", "name": "Tiling"}, headers=KEY)
    assert (other.status_code, REPLAYED in other.headers) == (201, False)


def test_a_route_that_waits_beside_the_database_has_to_say_so() -> None:
    router = Router()
    with pytest.raises(TypeError, match="cannot be one transaction"):

        @router.post("/odd")
        async def odd() -> None:  # pyright: ignore[reportUnusedFunction]
            """Nothing."""


def test_a_route_that_could_do_something_beside_the_transaction_is_found(database: Database) -> None:
    app, router = application(database), Router()

    @router.post("/odd")
    def odd(_: Annotated[Principal, needs(Permission.LEADS_READ)]) -> None:  # pyright: ignore[reportUnusedFunction]
        """Nothing."""

    _included(app, router)
    ann = an_admin(app, database)
    assert ann.post("/odd").status_code == 200
    assert problem(ann.post("/odd", headers=KEY)) == (500, "internal_error")


def _included(app: FastAPI, router: Router) -> None:
    app.include_router(router)


def test_a_secret_that_is_read_again_is_the_one_in_use(database: Database) -> None:
    portal = open_portal(database)
    made = portal.sam.post(ENDPOINTS, json={"url": "https://127.0.0.1:9/leads"}).json()
    path = f"{ENDPOINTS}/{made['endpoint_id']}/rotate-secret"
    portal.sam.post(path, headers=KEY)
    again = portal.sam.post(path, headers=KEY).json()
    [sealed] = rows(database, "select secret from webhook_endpoints")
    assert BOX.open(bytes(sealed), made["endpoint_id"]) == again["secret"] != made["secret"]
