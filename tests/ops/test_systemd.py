"""The units are what systemd takes them for, they confine what they start, and give it time to finish."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fairlead.settings import Settings
from tests.ops.files import OPS
from tests.ops.test_container import VARIABLES

UNITS = OPS / "systemd"
PROGRAM = "/opt/fairlead/bin/fairlead"
NAMES = ("fairlead-migrate.service", "fairlead-web.service", "fairlead-worker@.service")

ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed (Debian: systemd)")


def values(name: str, key: str) -> list[str]:
    """Every value that the unit gives to this key."""
    lines = (UNITS / name).read_text(encoding="utf-8").splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{key}=")]


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as if Fairlead were installed: systemd asks whether the program is there."""
    for name in NAMES:
        text = (UNITS / name).read_text(encoding="utf-8").replace(PROGRAM, sys.executable)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def analyze(*words: str | Path) -> subprocess.CompletedProcess[str]:
    assert ANALYZE is not None
    environment = os.environ | {"SYSTEMD_COLORS": "0", "SYSTEMD_PAGER": ""}
    return subprocess.run([ANALYZE, *map(str, words)], capture_output=True, text=True, check=False, env=environment)


@needs_systemd
def test_systemd_has_nothing_to_say_against_them(installed: Path) -> None:
    instances = [installed / name.replace("@.", "@1.") for name in NAMES]
    done = analyze("verify", "--man=no", *instances)
    ours = [line for line in done.stderr.splitlines() if "fairlead" in line]
    assert (done.returncode, ours) == (0, [])


@needs_systemd
@pytest.mark.parametrize("name", NAMES)
def test_what_they_start_is_confined(installed: Path, name: str) -> None:
    done = analyze("security", "--offline=yes", "--threshold=20", installed / name.replace("@.", "@1."))
    assert done.returncode == 0, done.stdout[-300:]


def test_there_are_no_other_units() -> None:
    assert sorted(path.name for path in UNITS.iterdir()) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES[1:])
def test_they_are_always_started_again_and_stopped_gently(name: str) -> None:
    assert values(name, "Restart") == ["always"]
    assert values(name, "StartLimitIntervalSec") == ["0"]
    assert values(name, "KillSignal") == ["SIGTERM"]
    [stop_seconds] = values(name, "TimeoutStopSec")
    assert int(stop_seconds) > Settings.model_fields["shutdown_timeout_seconds"].default
    assert values(name, "Requires") == ["fairlead-migrate.service"]
    assert "fairlead-migrate.service" in values(name, "After")[0].split()


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_is_a_setting_and_every_secret_comes_as_a_file(name: str) -> None:
    assigned = {each.partition("=")[0] for line in values(name, "Environment") for each in line.split()}
    assert assigned == {"FAIRLEAD_SECRETS_DIR", "FAIRLEAD_DATA_DIR"}
    credentials = {each.partition(":")[0] for each in values(name, "LoadCredential")}
    assert {each.upper() for each in credentials} | assigned <= VARIABLES
    assert "fairlead_database_url" in credentials


@pytest.mark.parametrize("name", NAMES)
def test_they_start_verbs_that_exist(name: str) -> None:
    [command] = values(name, "ExecStart")
    program, verb, *_ = command.split()
    assert program == PROGRAM
    done = subprocess.run([sys.executable, "-m", "fairlead", verb, "--help"], capture_output=True, check=False)
    assert done.returncode == 0
