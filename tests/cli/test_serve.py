"""`fairlead serve` on an empty machine: no setting, a key that stays, and a link that lets the first operator in."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from fairlead.store.embedded.cluster import Cluster
from tests.flows.access.people import PASSWORD
from tests.waiting import PATIENCE_SECONDS, wait_until

LINK = re.compile(r"http://127\.0\.0\.1:(\d+)/setup#(\S+)")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Served:
    """A process of `fairlead serve`, and all that it says."""

    def __init__(self, data_dir: Path, **more: str) -> None:
        bare = {name: value for name, value in os.environ.items() if not name.startswith("FAIRLEAD_")}
        ports = {"FAIRLEAD_WEB_PORT": str(free_port()), "FAIRLEAD_WORKER_PORT": "0"}  # other tests use the usual ones
        self._env = bare | ports | {"FAIRLEAD_DATA_DIR": str(data_dir)} | more
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fairlead", "serve"],
            env=self._env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.said = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said += line

    def link(self) -> str:
        """A set-up link, by the verb that it names: its own output is no terminal, and so there is none in it."""
        verb = "fairlead admin setup-link"
        wait_until(lambda: verb in self.said or self._process.poll() is not None, "how to get a link", 180)
        assert verb in self.said, self.said
        assert LINK.search(self.said) is None, "a log would keep it"
        command = [sys.executable, "-m", *verb.split()]
        said = subprocess.run(command, env=self._env, capture_output=True, text=True, check=True, timeout=180)
        found = LINK.search(said.stdout)
        assert found is not None, said
        return found[0]

    def stop(self) -> int:
        """It is told to stop; returns its exit status."""
        self._process.terminate()
        try:
            return self._process.wait(timeout=PATIENCE_SECONDS)
        finally:
            self._process.kill()
            self._reader.join(PATIENCE_SECONDS)
            assert self._process.stdout is not None
            self._process.stdout.close()


@contextmanager
def serving(data_dir: Path, **more: str) -> Generator[Served]:
    served = Served(data_dir, **more)
    try:
        yield served
    finally:
        served.stop()


@pytest.fixture
def data_dir() -> Generator[Path]:
    """A directory that the server's account can reach."""
    path = Path(tempfile.mkdtemp(prefix="fairlead-test-"))
    path.chmod(0o711 if os.geteuid() == 0 else 0o700)
    yield path
    Cluster(path / "postgres").stop()
    shutil.rmtree(path)


@pytest.mark.slow
def test_an_empty_machine_needs_no_setting_and_a_restart_remembers(data_dir: Path) -> None:
    with serving(data_dir) as first:
        former = first.link()
    key = (data_dir / "encryption_keys").read_text()
    assert key.strip() not in first.said
    with serving(data_dir) as served:
        link = served.link()
        site, _, token = link.partition("/setup#")
        assert token != former.partition("#")[2]
        asked = {"email": "ann@example.com", "name": "Ann Example", "password": PASSWORD}
        with httpx2.Client(base_url=site, timeout=PATIENCE_SECONDS, trust_env=False) as client:
            refused = client.post("/api/v1/setup/operator", json={"token": former.partition("#")[2]} | asked)
            assert (refused.status_code, refused.json()["code"]) == (403, "token_refused")
            assert client.get("/setup").status_code == 200
            done = client.post("/api/v1/setup/operator", json={"token": token} | asked)
            assert (done.status_code, done.json()["next_step"]) == (201, "enrolment")
            assert client.post("/api/v1/session/enrolment").status_code == 200  # its cookie came back over plain HTTP
            assert client.get("/setup").status_code == 410
    assert (data_dir / "encryption_keys").read_text() == key
    with serving(data_dir) as again:
        wait_until(lambda: "web started" in again.said, "the web process")
        wait_until(lambda: "serving the queues" in again.said, "the worker")
    assert LINK.search(again.said) is None


@pytest.mark.slow
def test_a_contradiction_ends_it_in_one_line(data_dir: Path) -> None:
    with serving(data_dir) as served:
        served.link()
    other = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    ended = subprocess.run(
        [sys.executable, "-m", "fairlead", "status", "--json"],
        env=os.environ | {"FAIRLEAD_DATA_DIR": str(data_dir), "FAIRLEAD_ENCRYPTION_KEYS": other},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "does not hold the key that is kept in" in json.loads(ended.stdout)["problem"]
    assert other not in ended.stdout
