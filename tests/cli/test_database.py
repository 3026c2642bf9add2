"""`fairlead db` starts, shows and stops the embedded database, with exit statuses for scripts."""

import json
import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fairlead.cli.database import app
from fairlead.core.errors import Refused
from fairlead.store.embedded.cluster import Cluster


@pytest.fixture
def data_dir(monkeypatch: pytest.MonkeyPatch) -> Generator[Path]:
    """FAIRLEAD_DATA_DIR, reachable for the server's account also when root runs the tests."""
    path = Path(tempfile.mkdtemp(prefix="fairlead-test-"))
    path.chmod(0o711 if os.geteuid() == 0 else 0o700)
    monkeypatch.setenv("FAIRLEAD_DATA_DIR", str(path))
    monkeypatch.delenv("FAIRLEAD_DATABASE_URL", raising=False)
    yield path
    Cluster(path / "postgres").stop()
    shutil.rmtree(path)


def _db(*words: str, expect: int = 0) -> str:
    result = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert result.exit_code == expect, result.output
    return result.output


def test_a_day_of_the_database(data_dir: Path) -> None:
    assert f"no embedded database yet; it will be made in {data_dir}" in _db("status", expect=3)
    assert not json.loads(_db("status", "--json", expect=3))["running"]

    assert "until: fairlead db stop" in _db("start")

    shown = json.loads(_db("status", "--json"))
    assert (shown["embedded"], shown["running"], shown["stays_up"]) == (True, True, True)
    assert f"127.0.0.1:{shown['port']} (process {shown['pid']})" in _db("status")
    url = _db("status", "--url").strip()
    assert url == Cluster(data_dir / "postgres").url
    assert url not in _db("status", "--json")
    assert json.loads(_db("start", "--json"))["pid"] == shown["pid"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FAIRLEAD_DATABASE_URL", url)
        assert "answers where FAIRLEAD_DATABASE_URL points" in _db("status")
        assert json.loads(_db("status", "--json")) == {
            "embedded": False,
            "running": True,
            "version": shown["version"],
        }
        with pytest.raises(Refused, match="FAIRLEAD_DATABASE_URL is set"):
            _db("stop")

    assert json.loads(_db("stop", "--json"))["was_running"] is True
    assert "was not running" in _db("stop")
    assert "is not running" in _db("status", expect=3)


def test_a_configured_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRLEAD_DATABASE_URL", "postgresql://nobody:hush@127.0.0.1:1/none")

    assert "does not answer" in _db("status", expect=3)
    assert json.loads(_db("status", "--json", expect=3)) == {
        "embedded": False,
        "running": False,
        "version": None,
    }


@pytest.mark.parametrize("verb", ["start", "stop", "status"])
def test_every_verb_explains_itself_with_an_example(verb: str) -> None:
    assert f"Example{'s' if verb != 'start' else ''}: " in _db(verb, "--help")
