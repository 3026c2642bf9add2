"""The page that shows the document: it comes from this server alone, and works under a strict policy in a browser."""

import hashlib
import re
import shutil
import subprocess
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from fairlead.api.routes.documentation import CONTENT_SECURITY_POLICY
from fairlead.api.serve import serve_in_thread
from fairlead.store.connection import Database
from tests.api.asking import anonymous, application

PAGE = "/api/v1/docs"
FOLDER = files("fairlead.api") / "documentation"

# Swagger UI 5.35.0 as its makers published it, file by file.
VENDORED = {
    "swagger-ui-5.35.0.js": "e6a898692f2d768e807c3ba4626068a69a2c5dd960dd6c76f3e4d3a3de180af2",
    "swagger-ui-5.35.0.css": "5ed08757e53da3e026d6cbecc61fe5d43585c9560b302d534ad56692519a273d",
}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class References(HTMLParser):
    """What a page refers to, and what of it would need a weaker policy."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.inline: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.addresses += [given[name] or "" for name in ("src", "href") if name in given]
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """The application; nothing here asks its database anything."""
    return application(Database("postgresql://app@127.0.0.1:1/nothing", "fairlead"))


def test_the_page_refers_to_this_server_alone_and_everything_is_there(app: FastAPI) -> None:
    client = anonymous(app)
    page = client.get(PAGE)
    assert page.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert not re.search(r"unsafe|\*|https?:", CONTENT_SECURITY_POLICY)
    references = References()
    references.feed(page.text)
    assert references.inline == []
    assert {"docs/start.js", "openapi.json"} <= set(references.addresses)
    for address in references.addresses:
        if address == "data:,":
            continue
        assert not re.match(r"(?i)([a-z]+:|//)", address), "of another server"
        answer = client.get(f"/api/v1/{address}")
        assert answer.status_code == 200, address
        assert answer.headers["x-content-type-options"] == "nosniff"
        is_versioned = "swagger-ui" in address
        assert ("immutable" in answer.headers["cache-control"]) is is_versioned
    assert client.get(f"{PAGE}/index.html").status_code == 422
    assert client.get(f"{PAGE}/LICENSE").status_code == 422


def test_what_came_from_others_is_what_they_published_and_says_whose_it_is() -> None:
    found = {name: hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() for name in VENDORED}
    assert found == VENDORED
    assert "Apache License" in (FOLDER / "LICENSE").read_text()
    assert "SmartBear" in (FOLDER / "NOTICE").read_text()
    # The script's first line sends its reader to this file.
    named = (FOLDER / "swagger-ui-5.35.0.js").read_text().splitlines()[0]
    assert "swagger-ui-bundle.js.LICENSE.txt" in named
    assert "MIT" in (FOLDER / "swagger-ui-bundle.js.LICENSE.txt").read_text()
    assert "Swagger UI 5.35.0" in (Path(__file__).parents[2] / "NOTICE").read_text()


def browse(app: Any, folder: Path, fragment: str = "") -> tuple[str, list[str]]:
    """The page as a browser has drawn it, and what it wrote into its console."""
    assert CHROMIUM is not None
    with serve_in_thread(app, "127.0.0.1", 0) as served:
        done = subprocess.run(
            [
                CHROMIUM,
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                f"--user-data-dir={folder}",
                "--enable-logging=stderr",
                "--virtual-time-budget=10000",
                "--dump-dom",
                f"http://127.0.0.1:{served.port}{PAGE}{fragment}",
            ],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="there is no browser on this machine")
def test_a_browser_shows_the_operations_under_the_policy(
    app: FastAPI, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, console = browse(app, tmp_path, "#/session/begin_session")
    assert 'id="operations-session-begin_session"' in drawn
    assert "Log in with email and password" in drawn
    assert [line for line in console if "Content Security Policy" in line or "Uncaught" in line] == []

    # And the policy is one: without its leave for scripts nothing is drawn, and the browser says why.
    stricter = CONTENT_SECURITY_POLICY.replace("script-src 'self'; ", "")
    monkeypatch.setattr("fairlead.api.routes.documentation.CONTENT_SECURITY_POLICY", stricter)
    drawn, console = browse(app, tmp_path)
    assert "swagger-ui" not in drawn.partition("<body")[2].partition("<script")[0]
    assert [line for line in console if "Content Security Policy" in line]
