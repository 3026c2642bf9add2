"""Every page says who may see it, shows it to those alone, and leads the others to the login."""

from pathlib import Path
from urllib.parse import quote

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fairlead.api.access import Access, Needs, NeedsOwn, NeedsSession, Public
from fairlead.api.openapi import access_of, api_routes
from fairlead.console.page import CONTENT_SECURITY_POLICY, PageRoute
from fairlead.console.routes.operator import live
from fairlead.core.permissions import Permission
from fairlead.flows.access.throttle import Throttled
from fairlead.store.connection import Database
from tests.api.asking import a_provider, an_admin, anonymous, machine
from tests.api.keys import operators_key
from tests.flows.access.people import add_provider

PERMISSIONS = Path(__file__).with_name("page_permissions.txt")


def pages(app: FastAPI) -> dict[str, Access]:
    """Who may see each of its pages, by address."""
    found = [each for each in api_routes(app) if isinstance(each.original_route, PageRoute)]
    assert all(each.methods == {"GET"} for each in found)
    return {str(each.path_format): access_of(each)[0] for each in found}


def _words(access: Access) -> str:
    match access:
        case Needs():
            return access.permission.value
        case NeedsOwn(is_shown_to_operators=True):
            return f"{access.permission.value} of the caller's provider, or of the one that an operator looks as"
        case NeedsOwn():
            return f"{access.permission.value} of the caller's provider"
        case NeedsSession():
            return "any session"
        case Public():
            return "public"


def test_the_permission_of_every_page_is_the_reviewed_one(app: FastAPI) -> None:
    written = "".join(f"{path}: {_words(access)}\n" for path, access in sorted(pages(app).items()))
    assert PERMISSIONS.read_text() == written, "review the difference, then write it there"


def _visit(client: TestClient, path: str) -> tuple[int, str | None]:
    answer = client.get(path, headers={"Accept": "text/html"}, follow_redirects=False)
    return answer.status_code, answer.headers.get("location")


def test_who_is_not_logged_in_is_led_to_the_login_and_back(app: FastAPI) -> None:
    visitor = anonymous(app)
    for path, access in pages(app).items():
        if not isinstance(access, Public) and "{" not in path:
            assert _visit(visitor, path) == (303, f"/login?next={quote(path, safe='')}")


def test_providers_see_no_page_of_operators_nor_operators_one_of_providers(app: FastAPI, database: Database) -> None:
    operator = an_admin(app, database)
    provider = a_provider(app, database, add_provider(database))
    for path, access in pages(app).items():
        if "{" in path or isinstance(access, NeedsSession | Public):
            continue
        is_portal = isinstance(access, NeedsOwn)
        assert _visit(provider if is_portal else operator, path)[0] in (200, 303), path
        assert _visit(operator if is_portal else provider, path)[0] == 403, path


def test_pages_are_guarded_by_the_policy_and_kept_nowhere(app: FastAPI) -> None:
    answer = anonymous(app).get("/login")
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["cache-control"] == "no-store"


def test_an_unknown_address_is_a_page_for_browsers_and_a_problem_for_programs(app: FastAPI) -> None:
    visitor = anonymous(app)
    page = visitor.get("/nowhere", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    for path, accepts in (("/nowhere", "application/json"), ("/api/v1/nowhere", "text/html")):
        assert visitor.get(path, headers={"Accept": accepts}).headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil.example",
        "/{x}/evil.example",
        "/{x}/evil.example/{user_id}",
    ],
)
def test_the_login_leads_to_no_other_site(app: FastAPI, address: str) -> None:
    text = anonymous(app).get("/login", params={"next": address}).text
    assert "evil" not in text
    assert "javascript:" not in text


def test_a_link_in_a_mail_or_of_another_site_is_followed_and_nothing_else_of_it(
    app: FastAPI, database: Database
) -> None:
    operator = an_admin(app, database)
    followed = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    once_more = operator.get("/design", headers=followed)
    assert (once_more.status_code, 'http-equiv="refresh"' in once_more.text) == (200, True)
    assert "Statuses" not in once_more.text, "the page itself is answered to a page of this server alone"
    assert operator.get("/design", headers={**followed, "sec-fetch-site": "same-origin"}).status_code == 200
    for other in ({"sec-fetch-mode": "no-cors"}, {"sec-fetch-dest": "iframe"}):
        assert operator.get("/design", headers=followed | other).status_code == 403


def test_a_key_sees_no_page(app: FastAPI, database: Database) -> None:
    key = operators_key(database, Permission.LEADS_READ, Permission.LEADS_APPROVE)
    assert _visit(machine(app, key), "/review") == (303, "/login?next=%2Freview")


def test_a_page_that_fails_is_a_page_that_tells_no_detail(
    app: FastAPI, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("the wrong kind of thing")

    monkeypatch.setattr(live, "niches_of", fail)
    answer = an_admin(app, database).get("/live")
    assert (answer.status_code, answer.headers["content-type"]) == (500, "text/html; charset=utf-8")
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert "The server failed." in answer.text
    assert answer.headers["x-request-id"] in answer.text
    assert "wrong kind" not in answer.text


def test_who_may_not_see_a_page_is_told_so_in_plain_words(app: FastAPI, database: Database) -> None:
    answer = a_provider(app, database, add_provider(database)).get("/overview")
    assert answer.status_code == 403
    assert "You may not see this page" in answer.text
    assert "reports:read" not in answer.text


def test_a_page_that_was_asked_for_too_often_says_when_to_ask_again(
    app: FastAPI, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise Throttled(6.2)

    monkeypatch.setattr(live, "niches_of", refuse)
    answer = an_admin(app, database).get("/live")
    assert (answer.status_code, answer.headers["content-type"]) == (429, "text/html; charset=utf-8")
    assert answer.headers["retry-after"] == "7"
