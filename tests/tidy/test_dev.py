"""dev.py installs once, falls back to pip, and says plainly what is missing."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import dev

ROOT = Path(__file__).parents[2]


@pytest.fixture
def empty_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """dev.py believes in a virtual environment that works and holds nothing yet."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    monkeypatch.setattr(dev, "BIN", tmp_path / "bin")
    monkeypatch.setattr(dev, "STAMP", tmp_path / "stamp")
    monkeypatch.setattr(dev, "venv_works", lambda: True)
    monkeypatch.delenv("FAIRLEAD_DEV_INSTALLER", raising=False)
    return tmp_path


def installers(monkeypatch: pytest.MonkeyPatch, *, uv: bool, pip: bool) -> list[str]:
    tried: list[str] = []
    monkeypatch.setattr(dev, "install_with_uv", lambda: tried.append("uv") or uv)
    monkeypatch.setattr(dev, "install_with_pip", lambda: tried.append("pip") or pip)
    return tried


def test_an_old_python_can_read_it_far_enough_to_say_what_is_missing() -> None:
    ast.parse((ROOT / "dev.py").read_text(encoding="utf-8"), feature_version=(3, 8))


def test_old_python_is_refused_with_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(dev.shutil, "which", lambda name: None)
    with pytest.raises(dev.CannotInstall, match=r"3\.11 or newer is needed, this is 3\.9\.2(?s:.*)apt install"):
        dev.find_python()


def test_old_python_makes_way_for_a_newer_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setattr(dev.shutil, "which", lambda name: "/opt/new" if name == "python3.12" else None)
    assert dev.find_python() == "/opt/new"


def test_missing_venv_module_is_named_with_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev, "run", lambda *command, quiet=False: False)
    with pytest.raises(dev.CannotInstall, match="apt install python3-venv"):
        dev.make_venv()


def test_installs_once(empty_checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = installers(monkeypatch, uv=True, pip=True)
    dev.ensure_installed()
    dev.ensure_installed()
    assert tried == ["uv"]


def test_installs_again_when_the_lock_has_changed(empty_checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = installers(monkeypatch, uv=True, pip=True)
    dev.ensure_installed()
    monkeypatch.setattr(dev, "fingerprint", lambda: "another lock")
    dev.ensure_installed()
    assert tried == ["uv", "uv"]


def test_falls_back_to_pip(empty_checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = installers(monkeypatch, uv=False, pip=True)
    dev.ensure_installed()
    assert tried == ["uv", "pip"]


def test_failure_is_one_message_and_leaves_no_stamp(
    empty_checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    installers(monkeypatch, uv=False, pip=False)
    assert dev.main(["setup"]) == 1
    assert "could not be installed" in capsys.readouterr().err
    assert not (empty_checkout / "stamp").exists()


def test_uv_is_pinned_with_its_hashes() -> None:
    pinned = dev.pinned_uv()
    assert "--hash=sha256:" in pinned
    assert pinned.count("==") == 1


def test_uv_trusts_the_certificates_that_pip_trusts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.touch()
    monkeypatch.setattr(dev, "BIN", Path(sys.executable).parent)
    monkeypatch.setenv("PIP_CERT", str(bundle))
    monkeypatch.setenv("SSL_CERT_FILE", "")
    dev.trust_certificates()
    assert os.environ["SSL_CERT_FILE"] == str(bundle)


EVERY = ["-m", "not alone and not chaos_long and not scale_long"]
QUICK = ["-m", f"not slow and {EVERY[1]}", "--hypothesis-profile", "quick"]


@pytest.mark.parametrize(
    ("words", "lane"),
    [
        ([], QUICK),
        (["-k", "ledger"], [*QUICK, "-k", "ledger"]),
        (["--all"], EVERY),
        (["--all", "-x"], [*EVERY, "-x"]),
        (["-m", "slow"], [*QUICK, "-m", "slow"]),
    ],
)
def test_tests_run_in_several_processes_and_without_the_slow_ones_unless_asked_for(
    words: list[str], lane: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(dev.os, "cpu_count", lambda: 2)
    assert dev.test_options(words) == [
        *["--numprocesses", "4", "--dist", "worksteal", "--durations", "10"],
        *lane,
    ]


@pytest.mark.parametrize("path", ["tests/core", "tests/tidy/test_dev.py::test_installs_once", "tests/conftest.py"])
def test_what_is_named_by_its_path_runs_whole(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert dev.test_options([path, "-q"]) == [path, "-q"]


def played(words: list[str], monkeypatch: pytest.MonkeyPatch, *, alone_pass: bool = True) -> tuple[int, list[str]]:
    """The exit code of `dev.py test` with these words, and which parts of the tests it ran, in their order."""
    ran: list[str] = []

    def run(*command: str | Path, quiet: bool = False) -> bool:
        ran.append(lane_of(command))
        return alone_pass or ran[-1] != "alone"

    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(dev, "run", run)
    monkeypatch.setattr(dev, "become", lambda *command: 0 if run(*command) else 1)
    return dev.test(words), ran


def lane_of(command: tuple[str | Path, ...]) -> str:
    return str(command[command.index("-m", 2) + 1])


def test_what_needs_a_quiet_machine_runs_before_the_others_and_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert played([], monkeypatch) == (0, [QUICK[1]])
    assert played(["--all"], monkeypatch) == (0, ["alone", EVERY[1]])
    assert played(["--all"], monkeypatch, alone_pass=False) == (1, ["alone", EVERY[1]])
    assert played(["--alone"], monkeypatch) == (0, ["alone"])
    assert played(["--alone"], monkeypatch, alone_pass=False) == (1, ["alone"])


def test_continuous_integration_leaves_no_lane_out() -> None:
    commands = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [line for line in commands if "dev.py test" in line] == ["python3 dev.py test --all || status=1"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {}),
        ({"PYTHONDONTWRITEBYTECODE": "1"}, {"PYTHONPYCACHEPREFIX": str(dev.VENV / "bytecode")}),
        ({"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": "/kept"}, {"PYTHONPYCACHEPREFIX": "/kept"}),
    ],
)
def test_no_process_compiles_what_another_has_compiled(
    before: dict[str, str], after: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = dict(before)
    monkeypatch.setattr(dev.os, "environ", environment)
    seen: list[dict[str, str]] = []
    monkeypatch.setattr(dev, "ensure_installed", lambda: None)
    monkeypatch.setitem(dev.COMMANDS, "setup", lambda _: seen.append(dict(environment)) or 0)
    assert dev.main(["setup"]) == 0
    assert seen == [after]


def test_unknown_command_is_refused() -> None:
    answer = subprocess.run([sys.executable, str(ROOT / "dev.py"), "tset"], capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "no command 'tset'" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_only_files_that_hold_a_test_which_runs_alone_are_collected_for_it() -> None:
    _, lane, *files = dev.alone()
    assert lane == "alone"
    assert "tests/api/test_hostile_bodies.py" in files
    assert all("pytest.mark.alone" in (ROOT / file).read_text(encoding="utf-8") for file in files)
