"""Odd characters over HTTP: each ends in one stored form, or in a refusal that names its place; never in a 500."""

import json
from typing import Any

import pytest
from fastapi import FastAPI

from fairlead.core.permissions import Permission
from fairlead.store.connection import Database
from tests.api.asking import an_admin, anonymous, application, machine
from tests.api.keys import operators_key
from tests.api.permitting import problem
from tests.flows.access.people import rows
from tests.flows.configuration.market import open_market
from tests.flows.intake.senders import open_niche

LEAD: dict[str, Any] = {"niche": "moving", "attributes": {"age": 41, "city": "Bonn"}}
UNSEEN = ("a\x00b", "\x00", "a\x9bb", "a\x85b", "a\u202eb", "\u200b", "\u00a0", "two\nlines", "\ud800")


@pytest.fixture
def app(database: Database) -> FastAPI:
    return application(database)


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ({"contact_email": " jo\u0308rg@Mu\u0308ller.example\u00a0"}, "j\u00f6rg@m\u00fcller.example"),
        ({"contact_email": "\ufeffann@XN--MLLER-KVA.example"}, "ann@m\u00fcller.example"),
        ({"contact_email": "ann@\uff45xample.com"}, "ann@example.com"),
        ({"contact_phone": "\uff0b\uff14\uff19 30\u00a05550102"}, "\uff0b\uff14\uff19 30\u00a05550102"),
        ({"contact_name": "\u5c71\u7530\u3000\u592a\u90ce\u00a0"}, "\u5c71\u7530\u3000\u592a\u90ce"),
        ({"contact_name": "Jo\u0308rg"}, "J\u00f6rg"),
        ({"utm_source": "spring\x9b sale"}, "spring sale"),
        # What only serves statistics never costs a lead.
        ({"utm_source": "a\x00b"}, "a b"),
        ({"utm_medium": "email\ud800"}, "email"),
        ({"utm_campaign": "\x00\u202e"}, None),
        ({"referrer": "https://blog.example.com/\x00"}, "https://blog.example.com/"),
        ({"referrer": "x" * 20_000}, "x" * 2_000),
        ({"attributes": {"age": 41, "city": "Ko\u0308ln"}}, "K\u00f6ln"),
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/leads", "/api/v1/admin/leads"])
def test_a_lead_is_stored_in_one_form(
    app: FastAPI, database: Database, path: str, sent: dict[str, Any], stored: str | None
) -> None:
    open_niche(database)
    sender = machine(app, operators_key(database, Permission.INTAKE_WRITE, Permission.LEADS_WRITE))
    answer = sender.post(path, content=json.dumps(LEAD | sent), headers={"content-type": "application/json"})
    assert answer.status_code == 201, answer.text
    [name] = sent
    column = "attributes ->> 'city'" if name == "attributes" else name
    assert rows(database, f"select {column} from leads") == [stored]


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({"attributes": {"age": "\uff14\uff11", "city": "Bonn"}}, "/attributes/age"),
        ({"attributes": {"age": 41, "city": "a\x00b"}}, "/attributes/city"),
        ({"contact_email": "ann\u0131@exa\x9bmple.com"}, "/contact_email"),
        ({"contact_email": "ann@example.com\x00"}, "/contact_email"),
        ({"contact_phone": "\u0661\u0662"}, "/contact_phone"),
        ({"contact_name": "a\u202eb"}, "/contact_name"),
        ({"contact_name": "a\x9bb"}, "/contact_name"),
        ({"consent": {"text": "a\x00b"}}, "/consent/text"),
        ({"consent": {"text": "yes", "user_agent": "a\x9bb"}}, "/consent/user_agent"),
    ],
)
def test_what_has_no_form_is_refused_at_its_place(
    app: FastAPI, database: Database, sent: dict[str, Any], pointer: str
) -> None:
    open_niche(database)
    partner = machine(app, operators_key(database, Permission.INTAKE_WRITE))
    answer = partner.post("/api/v1/leads", json={**LEAD, **sent})
    assert problem(answer) == (422, "input_invalid")
    assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]
    assert rows(database, "select count(*) from leads") == [0]


def test_odd_addresses_of_two_people_are_not_one(app: FastAPI, database: Database) -> None:
    open_market(database)
    ann = an_admin(app, database)
    made: list[str] = []
    for email in ("admin@example.com", "adm\u0131n@example.com", "ADM\u0130N@example.com", "ADMIN@example.com"):
        answer = ann.post("/api/v1/admin/providers", json={"email": email, "name": email.partition("@")[0]})
        made.append(f"{answer.status_code} {answer.json().get('code', '')}")
    # A dotless i is a letter of its own, a capital is not. Whether one with a dot is, PostgreSQL and Unicode disagree.
    assert made[2] in ("201 ", "409 email_taken")
    assert [made[0], made[1], made[3]] == ["201 ", "201 ", "409 email_taken"]


@pytest.mark.parametrize("odd", UNSEEN)
def test_odd_members_of_bodies_are_refused(app: FastAPI, database: Database, odd: str) -> None:
    open_market(database)
    ann = an_admin(app, database)
    [niche] = rows(database, "select id::text from niches")
    asked: dict[str, dict[str, Any]] = {
        "/api/v1/admin/providers": {"email": "new@example.com", "name": odd},
        "/api/v1/admin/niches": {"slug": "vps", "name": odd},
        f"/api/v1/admin/niches/{niche}/levels": {"name": odd, "price_cents": 5, "max_recipients": 1},
        "/api/v1/admin/lead-search": {"text": odd + "@"},
        "/api/v1/accounts/register": {"email": "x@example.com", "name": odd},
    }
    before = rows(database, "select count(*) from audit_log")
    for path, body in asked.items():
        # As JSON writes it: half of a surrogate pair can be written in no other way.
        answer = ann.post(path, content=json.dumps(body), headers={"content-type": "application/json"})
        if path.endswith("search") and answer.status_code == 200:
            assert answer.json()["items"] == []
        else:
            assert problem(answer) == (422, "input_invalid"), path
        assert answer.text.isprintable()
    assert rows(database, "select count(*) from audit_log") == before


@pytest.mark.parametrize(
    "address",
    [
        "/api/v1/admin/leads/%00",
        "/api/v1/admin/leads/%ED%A0%80",
        "/api/v1/admin/leads?niche=%00",
        "/api/v1/admin/leads?niche=a%C2%9B",
        "/api/v1/admin/leads?limit=%EF%BC%91%EF%BC%92",
        "/api/v1/admin/leads?cursor=%00",
        "/api/v1/admin/leads?id_prefix=%EF%BC%91",
        "/api/v1/admin/reports/fairness?niche=hosting&timezone=%00",
        "/api/v1/admin/audit-events?actor=%FF",
        "/api/v1/admin/templates/%00",
        "/api/v1/problems/%00",
        "/api/v1/admin/providers?q=%FF%00",
    ],
)
def test_odd_addresses_are_refused(app: FastAPI, database: Database, address: str) -> None:
    ann = an_admin(app, database)
    answer = ann.get(address)
    assert (answer.status_code, answer.json()["code"]) == (422, "input_invalid")
    assert anonymous(app).get(address).status_code in (401, 422)
