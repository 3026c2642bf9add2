"""Requests made from the document, by Schemathesis, as each role: no 5xx, and no answer that is not in the document."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from fairlead.api.application import web_application
from fairlead.api.serve import serve_in_thread
from fairlead.settings import Settings
from fairlead.store.connection import Database
from tests.api.asking import SECRET_KEYS
from tests.flows.access.people import Person, enrolled_admin, provider_user
from tests.flows.sales import sell

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
CONFIGURATION = HERE / "schemathesis.toml"


@dataclass(frozen=True)
class Effort:
    """How much is made up, and of which kinds."""

    phases: str
    examples_per_operation: int
    is_brief: bool
    """Whether what many operations share is tried at a few of them (tests/api/generated/briefly.py)."""


OWN_GROUND = {
    "anonymous": "^/api/v1/(?!admin|provider)",
    "admin": "^/api/v1/(admin|session)",
    "provider": "^/api/v1/provider",
}
"""Where each is let in. Elsewhere all are turned away, which the matrix sees to and the long form asks, too."""

SHORT = Effort("examples,coverage", 5, is_brief=True)
LONG = Effort("examples,coverage,fuzzing,stateful", 60, is_brief=False)


def visitors(database: Database) -> dict[str, Person | None]:
    """A marketplace in which something was sold, and who comes to it."""
    sale = sell(database)
    return {
        "anonymous": None,
        "admin": enrolled_admin(database),
        "provider": provider_user(database, sale.anchor_id),
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["anonymous", "admin", "provider"])
def test_generated_requests_are_answered_as_documented(database: Database, tmp_path: Path, name: str) -> None:
    ask_everything(database, tmp_path, name, SHORT, OWN_GROUND[name])


@pytest.mark.chaos_long
@pytest.mark.parametrize("name", ["anonymous", "admin", "provider"])
def test_many_generated_requests_in_sequence_are_too(database: Database, tmp_path: Path, name: str) -> None:
    ask_everything(database, tmp_path, name, LONG)


def ask_everything(database: Database, directory: Path, name: str, effort: Effort, paths: str = "^/") -> None:
    """What the document says of these paths is asked of a real server, as the visitor."""
    visitor = visitors(database)[name]
    # The cookie that the document names, so that the generator can take it away again where it asks without a login.
    settings = Settings.model_validate({"encryption_keys": SECRET_KEYS, "cookie_over_http": False})
    with serve_in_thread(web_application(database, settings), "127.0.0.1", 0) as server:
        # Made when it is first asked for, which on a busy machine takes longer than the generator waits.
        assert httpx2.get(f"http://127.0.0.1:{server.port}/api/v1/openapi.json", timeout=120).status_code == 200
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION), "run"]
        command += [f"http://127.0.0.1:{server.port}/api/v1/openapi.json", "--phases", effort.phases]
        command += ["--max-examples", str(effort.examples_per_operation), "--seed", "4711", "--no-color"]
        command += ["--include-path-regex", paths]
        # No file of passwords is looked for with each request.
        environment = dict(os.environ) | {"PYTHONPATH": str(ROOT), "NETRC": str(directory / "none")}
        if effort.is_brief:
            environment["FAIRLEAD_VISITOR_IS_BRIEF"] = "1"
        if visitor is not None:
            environment |= {
                "FAIRLEAD_VISITOR_TOKEN": visitor.token,
                "FAIRLEAD_VISITOR_SESSION": visitor.session_id,
                "FAIRLEAD_VISITOR_DATABASE": database.url,
            }
        done = subprocess.run(command, env=environment, cwd=directory, capture_output=True, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    if visitor is not None and effort is SHORT:
        turned_away = re.search(r"Authentication failed: (\d+) operation", done.stdout)
        assert turned_away is None or int(turned_away[1]) < 10, "a visitor who is turned away has tried nothing"
