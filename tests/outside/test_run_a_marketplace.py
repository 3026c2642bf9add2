"""A stranger with the documentation alone runs a marketplace, from nothing to refunds, and all of it can be proven."""

import base64
import json
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

STORY = Path(__file__).parents[2] / "examples" / "run_a_marketplace.py"
STARTS_WITHIN_SECONDS = 300
"""Long enough that only what never starts takes longer, on a machine as busy as it likes."""
OPERATOR = "ann@example.com"


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str]:
    """What the pages tell a developer to set, on free ports, and nothing that this machine may have set."""
    ours = {
        "FAIRLEAD_DATABASE_URL": database_url,
        "FAIRLEAD_ENCRYPTION_KEYS": base64.b64encode(secrets.token_bytes(32)).decode(),
        "FAIRLEAD_MAIL_TRANSPORT": "directory",
        "FAIRLEAD_MAIL_DIRECTORY": str(tmp_path),
        "FAIRLEAD_COOKIE_OVER_HTTP": "true",
        "FAIRLEAD_WEBHOOK_ALLOW_PRIVATE": "true",
        "FAIRLEAD_WEB_PORT": str(free_port()),
        "FAIRLEAD_WORKER_PORT": "0",
    }
    site = f"http://127.0.0.1:{ours['FAIRLEAD_WEB_PORT']}"
    others = {name: value for name, value in os.environ.items() if not name.startswith("FAIRLEAD_")}
    return others | ours | {"FAIRLEAD_PUBLIC_URL": site}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def fairlead(environment: dict[str, str], *words: str) -> str:
    """What a verb said, which ended well."""
    command = [sys.executable, "-m", "fairlead", *words]
    ran = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=STARTS_WITHIN_SECONDS, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@contextmanager
def served(environment: dict[str, str], log: Path) -> Generator[str]:
    """`fairlead serve` runs and is ready, and ends as it should."""
    site = environment["FAIRLEAD_PUBLIC_URL"]
    with log.open("wb") as output:
        command = [sys.executable, "-m", "fairlead", "serve"]
        server = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        until = time.monotonic() + STARTS_WITHIN_SECONDS
        while not is_ready(site):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.2)
        yield site
    finally:
        # Killed, it would leave its own processes behind.
        server.terminate()
        status = server.wait(timeout=STARTS_WITHIN_SECONDS)
    assert status == 0, log.read_text()


def is_ready(site: str) -> bool:
    try:
        return httpx2.get(f"{site}/readyz").status_code == 200
    except httpx2.TransportError:
        return False


@pytest.mark.slow
def test_a_marketplace_is_run_by_what_is_documented(environment: dict[str, str], tmp_path: Path) -> None:
    mail = environment["FAIRLEAD_MAIL_DIRECTORY"]
    with served(environment, tmp_path / "serve.log") as site:
        link = json.loads(fairlead(environment, "admin", "create", OPERATOR, "--json"))["invite"]["link"]
        command = [sys.executable, str(STORY), site, OPERATOR, link, mail]
        told = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert told.returncode == 0, told.stdout + told.stderr
    lines = told.stdout.splitlines()
    assert len(lines) == 18, lines
    assert lines[-1].endswith("and every user logged out.")
    checks = json.loads(fairlead(environment, "verify", "--json"))
    assert checks["holds"], checks
