"""The first steps of an empty marketplace: its list, its own name and logo, a niche from a template, links by hand."""

from base64 import b64encode
from typing import Any, cast, get_args

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.api.routes.admin.niches.niche_templates import TemplateLanguage
from fairlead.console.viewer import LANGUAGES
from fairlead.core.permissions import Role
from fairlead.flows.access.first_operator import make_setup_link
from fairlead.flows.access.invitations import invite_user
from fairlead.flows.access.log_in import log_in
from fairlead.flows.access.users import reset_second_factor
from fairlead.flows.configuration.templates_of_niches import (
    TEMPLATE_LANGUAGES,
    NicheTemplate,
    niche_template,
    niche_templates,
)
from fairlead.flows.intake.policy import change_intake_policy
from fairlead.flows.setup_checklist import read_setup_checklist
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.intake import IntakePolicy
from tests.api.asking import an_admin, anonymous
from tests.api.permitting import STALE, problem, seen
from tests.console.visiting import console
from tests.core.test_picture import png
from tests.flows.access.people import HOME, PASSWORD, add_provider, enrolled_admin, provider_user, rows
from tests.flows.sales import sell

ADMIN = "/api/v1/admin"
LOGO = f"{ADMIN}/marketplace/logo"


def encoded(content: bytes) -> str:
    return b64encode(content).decode()


def done(database: Database) -> set[str]:
    return {each.step for each in read_setup_checklist(database, sends_mail=False).steps if each.is_done}


def test_the_page_of_the_link_is_there_until_there_is_an_operator(app: FastAPI, database: Database) -> None:
    make_setup_link(database)
    page = anonymous(app).get("/setup")
    assert (page.status_code, "Set up the marketplace" in page.text) == (200, True)
    an_admin(app, database)
    over = anonymous(app).get("/setup")
    assert (over.status_code, "Set up already" in over.text) == (410, True)


def test_the_list_follows_the_data_and_goes_when_all_is_done(ann: TestClient, database: Database) -> None:
    assert done(database) == {"second_factor"}
    shown = ann.get("/overview").text
    assert "First steps" in shown
    assert "1 of 10 done" in shown
    assert "FAIRLEAD_MAIL_TRANSPORT=smtp" in shown
    sale = sell(database)
    provider_user(database, sale.anchor_id)
    ann.put(f"{ADMIN}/marketplace", json={"name": "Harbour"}, headers={"If-Match": "*"})
    ann.post(f"{ADMIN}/setup/keys-copied")
    missing = {each["step"] for each in ann.get(f"{ADMIN}/setup").json()["steps"] if not each["is_done"]}
    assert missing == {"mail", "public_form"}
    assert "9 of 10 done" in ann.get("/overview").text
    [slug] = rows(database, "select slug from niches")
    change_intake_policy(database, slug, IntakePolicy(is_public=True), OPERATOR)
    assert ann.get(f"{ADMIN}/setup").json()["is_complete"] is True
    assert "First steps" not in ann.get("/overview").text


def test_it_is_dismissed_for_all_operators_and_that_is_on_record(
    app: FastAPI, ann: TestClient, database: Database
) -> None:
    for _ in range(2):
        assert ann.post(f"{ADMIN}/setup/dismiss").json()["is_dismissed"] is True
        assert ann.post(f"{ADMIN}/setup/keys-copied").status_code == 200
    assert rows(database, "select action from audit_log where action like 'setup.%%' order by seq") == [
        "setup.dismissed",
        "setup.keys_copied",
    ]
    bob = an_admin(app, database, "bob@example.com")
    assert "First steps" not in bob.get("/overview").text


def test_the_name_is_on_every_page_and_escaped(app: FastAPI, ann: TestClient) -> None:
    assert "<title>Log in · Fairlead</title>" in anonymous(app).get("/login").text
    named = ann.put(f"{ADMIN}/marketplace", json={"name": "Tom & <b>Co"}, headers={"If-Match": "*"})
    assert named.json()["name"] == "Tom & <b>Co"
    for client, path in ((anonymous(app), "/login"), (ann, "/overview"), (ann, "/settings")):
        text = client.get(path).text
        assert "· Tom &amp; &lt;b&gt;Co</title>" in text
        assert "<b>Co" not in text


def test_new_providers_begin_with_the_marketplaces_zone(app: FastAPI, ann: TestClient, database: Database) -> None:
    refused = ann.put(f"{ADMIN}/marketplace", json={"timezone": "Europe/Atlantis"}, headers={"If-Match": "*"})
    assert problem(refused) == (422, "input_invalid")
    ann.put(f"{ADMIN}/marketplace", json={"timezone": "Europe/Lisbon"}, headers={"If-Match": "*"})
    assert 'value="Europe/Lisbon"' in ann.get("/providers/new").text
    anonymous(app).post("/api/v1/accounts/register", json={"email": "new@anchor.example", "name": "Anchor"})
    assert rows(database, "select timezone from providers") == ["Europe/Lisbon"]


def test_what_was_seen_is_what_is_changed(ann: TestClient) -> None:
    before = ann.get(f"{ADMIN}/marketplace")
    assert before.json()["name"] is None
    first = ann.put(f"{ADMIN}/marketplace", json={"name": "Harbour"}, headers=seen(before))
    assert first.status_code == 200
    late = ann.put(f"{ADMIN}/marketplace", json={"name": "Pier"}, headers=seen(before))
    assert problem(late) == (412, "version_conflict")


def test_a_logo_is_a_picture_and_nothing_else(app: FastAPI, ann: TestClient, database: Database) -> None:
    before = ann.get(LOGO)
    assert before.json()["digest"] is None
    assert problem(ann.put(LOGO, json={"image": encoded(png())}, headers=STALE)) == (412, "version_conflict")
    for wrong in ("?", encoded(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), encoded(png(2_001, 1))):
        assert problem(ann.put(LOGO, json={"image": wrong}, headers={"If-Match": "*"})) == (422, "input_invalid")
    made = ann.put(LOGO, json={"image": encoded(png())}, headers=seen(before))
    digest = made.json()["digest"]
    served = anonymous(app).get(f"/logo/{digest}")
    assert (served.status_code, served.content) == (200, png())
    assert served.headers["content-type"] == "image/png"
    assert served.headers["x-content-type-options"] == "nosniff"
    assert served.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert f'src="/logo/{digest}"' in anonymous(app).get("/login").text
    assert anonymous(app).get(f"/logo/{'0' * 64}").status_code == 404
    assert ann.delete(LOGO, headers={"If-Match": "*"}).json()["digest"] is None
    assert anonymous(app).get(f"/logo/{digest}").status_code == 404
    assert rows(database, "select count(*) from audit_log where action = 'marketplace.logo_changed'") == [2]


@pytest.mark.parametrize("template", niche_templates())
def test_every_template_makes_a_niche_that_sells(ann: TestClient, database: Database, template: str) -> None:
    assert template in ann.get("/niches/new").text
    [item] = [each for each in ann.get(f"{ADMIN}/niche-templates").json()["items"] if each["template"] == template]
    page = ann.get(f"/niches/new?template={template}").text
    for level in item["levels"]:
        assert f'value="{level["name"]}"' in page
        assert f'value="{level["price_cents"] / 100:.2f}"' in page
    asked = {"template": template, "slug": "own", "name": "Own", "levels": item["levels"]}
    made = ann.post(f"{ADMIN}/niche-templates", json=asked)
    assert made.status_code == 201
    assert rows(
        database, "select name, price_cents, max_recipients from competition_levels order by order_position"
    ) == [(each["name"], each["price_cents"], each["max_recipients"]) for each in item["levels"]]
    assert rows(database, "select form_schema from niches") == [item["form_schema"]]
    assert problem(ann.post(f"{ADMIN}/niche-templates", json=asked | {"name": "Another"})) == (409, "niche_exists")


def test_a_template_writes_the_language_of_the_page_into_the_niche(ann: TestClient, database: Database) -> None:
    page = ann.get("/niches/new?template=moving", headers={"Accept-Language": "de"}).text
    for said in ('name="language" value="de"', 'value="Umzugsunternehmen"', "Was umzieht"):
        assert said in page
    items = ann.get(f"{ADMIN}/niche-templates", params={"language": "de"}).json()["items"]
    [item] = [each for each in items if each["template"] == "moving"]
    asked = {"template": "moving", "slug": "umzug", "name": "Umzug", "levels": item["levels"], "language": "de"}
    assert ann.post(f"{ADMIN}/niche-templates", json=asked).status_code == 201
    assert rows(database, "select form_schema from niches") == [item["form_schema"]]
    assert item["form_schema"]["fields"][0]["options"] == ["Eine Wohnung", "Ein Büro", "Einzelne Stücke"]
    assert problem(ann.post(f"{ADMIN}/niche-templates", json=asked | {"language": "fr"})) == (422, "input_invalid")


def test_templates_are_translated_whole_into_every_language_of_the_pages() -> None:
    assert TEMPLATE_LANGUAGES == LANGUAGES == get_args(TemplateLanguage)
    for slug, english in niche_templates().items():
        german = _texts(niche_template(slug, "de"))
        same = {one for one, other in zip(_texts(english), german, strict=True) if one == other}
        assert same <= {"Debian", "Ubuntu", "Windows Server", "IPv6", "Premium", "Standard"}, slug


def _texts(template: NicheTemplate) -> list[str]:
    fields = cast("Any", template.form_schema)["fields"]
    said = [text for each in fields for text in (each["label"], *each.get("options", []))]
    return [template.name, template.text, *said, *(each.name for each in template.levels)]


def test_a_template_makes_all_of_a_niche_or_nothing(ann: TestClient, database: Database) -> None:
    level = {"name": "Open", "price_cents": 900, "max_recipients": 5}
    asked = {"template": "moving", "slug": "moving", "name": "Moving", "levels": [level, level | {"price_cents": 800}]}
    assert problem(ann.post(f"{ADMIN}/niche-templates", json=asked)) == (409, "level_exists")
    assert rows(database, "select count(*) from niches") == [0]
    assert problem(ann.post(f"{ADMIN}/niche-templates", json=asked | {"template": "x", "levels": [level]})) == (
        404,
        "niche_template_unknown",
    )
    assert ann.get("/niches/new?template=x").status_code == 404


def test_prices_of_templates_are_whole_units_of_the_currency(ann: TestClient) -> None:
    ann.put(f"{ADMIN}/marketplace", json={"currency": "JPY"}, headers={"If-Match": "*"})
    [moving] = [e for e in ann.get(f"{ADMIN}/niche-templates").json()["items"] if e["template"] == "moving"]
    assert [each["price_cents"] for each in moving["levels"]] == [45, 18, 9]
    assert 'value="45"' in ann.get("/niches/new?template=moving").text


def test_an_invitation_is_handed_over_where_no_mail_is_sent(app: FastAPI, ann: TestClient, database: Database) -> None:
    anchor = add_provider(database)
    user_id = invite_user(database, "sam@anchor.example", "Sam", Role.PROVIDER, OPERATOR, provider_id=anchor).user_id
    assert "Show the invitation link" in ann.get(f"/providers/{anchor}").text
    assert "Show the invitation link" in ann.get(f"/settings/people/{user_id}").text
    path = f"{ADMIN}/users/{user_id}/invitation-link"
    first, second = (ann.post(path).json()["path"].partition("#")[2] for _ in range(2))
    accept = "/api/v1/accounts/accept-invitation"
    sam = anonymous(app)
    assert problem(sam.post(accept, json={"token": first, "password": PASSWORD})) == (403, "token_refused")
    assert sam.post(accept, json={"token": second, "password": PASSWORD}).status_code == 204
    assert problem(ann.post(path)) == (409, "invitation_over")
    handed = "select count(*) from audit_log where action = 'user.invitation_handed_over'"
    assert rows(database, handed) == [2]


def test_an_account_that_was_used_is_not_handed_over(ann: TestClient, database: Database) -> None:
    bob = enrolled_admin(database, "bob@example.com")
    log_in(database, "bob@example.com", PASSWORD, HOME)
    reset_second_factor(database, bob.user_id, OPERATOR)
    path = f"{ADMIN}/users/{bob.user_id}/invitation-link"
    assert problem(ann.post(path)) == (409, "invitation_over")
    assert "Show the invitation link" not in ann.get(f"/settings/people/{bob.user_id}").text


def test_where_mail_is_sent_it_brings_the_link(database: Database) -> None:
    app = console(database, mail_transport="smtp")
    ann = an_admin(app, database)
    anchor = add_provider(database)
    user_id = invite_user(database, "sam@anchor.example", "Sam", Role.PROVIDER, OPERATOR, provider_id=anchor).user_id
    assert problem(ann.post(f"{ADMIN}/users/{user_id}/invitation-link")) == (409, "invitation_by_mail")
    assert "Show the invitation link" not in ann.get(f"/providers/{anchor}").text
    assert "FAIRLEAD_MAIL_TRANSPORT" not in ann.get("/overview").text
