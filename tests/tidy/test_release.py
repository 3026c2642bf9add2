"""A release is made whole or not at all, and its notes are the changelog's."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "release.py"
CHANGELOG = """# Changelog

## [Unreleased]

### Added

- A thing.

## [0.2.0] - 2026-01-02

- The thing before.
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository on main whose code is 0.2.0, which was released."""
    (tmp_path / "src" / "fairlead").mkdir(parents=True)
    (tmp_path / "src" / "fairlead" / "__init__.py").write_text('"""Fairlead."""\n\n__version__ = "0.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    for words in (
        ["init", "--quiet", "--initial-branch", "main"],
        ["config", "user.name", "Fairlead"],
        ["config", "user.email", "fairlead@example.com"],
        ["add", "."],
        ["commit", "--quiet", "--message", "All"],
        ["tag", "v0.2.0"],
    ):
        git(tmp_path, *words)
    return tmp_path


def git(checkout: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=checkout, check=True, capture_output=True, text=True).stdout.strip()


def run(checkout: Path, *words: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, SCRIPT, *words], cwd=checkout, capture_output=True, text=True, check=False)
    return done.returncode, (done.stdout + done.stderr).strip()


def test_a_release_is_version_changelog_commit_and_tag(checkout: Path) -> None:
    code, said = run(checkout, "release", "0.10.0")
    assert code == 0
    assert said.endswith("git push origin main v0.10.0")
    assert '__version__ = "0.10.0"' in (checkout / "src/fairlead/__init__.py").read_text()
    assert git(checkout, "log", "-1", "--format=%s") == "Release 0.10.0"
    assert git(checkout, "rev-parse", "v0.10.0^{commit}") == git(checkout, "rev-parse", "HEAD")
    assert git(checkout, "status", "--porcelain") == ""
    assert run(checkout, "notes", "0.10.0") == (0, "### Added\n\n- A thing.")
    # What comes next has a place again, and nothing to release.
    assert run(checkout, "release", "0.11.0") == (1, "release: the changelog has nothing under [Unreleased]")


@pytest.mark.parametrize("version", ["0.2.0", "0.1.9", "v0.3.0", "0.3", "0.3.0rc1", "00.3.0", ""])
def test_a_version_that_is_none_or_not_higher_is_refused(checkout: Path, version: str) -> None:
    before = git(checkout, "rev-parse", "HEAD")
    assert run(checkout, "release", version)[0] == 1
    assert (git(checkout, "rev-parse", "HEAD"), git(checkout, "status", "--porcelain")) == (before, "")


def test_the_first_release_may_be_the_present_version(checkout: Path) -> None:
    git(checkout, "tag", "--delete", "v0.2.0")
    (checkout / "CHANGELOG.md").write_text(CHANGELOG.split("## [0.2.0]")[0])
    git(checkout, "commit", "--quiet", "--all", "--message", "Nothing was released")
    # The version stays; the changelog and the tag are what is new.
    assert run(checkout, "release", "0.2.0")[0] == 0
    assert run(checkout, "notes", "0.2.0") == (0, "### Added\n\n- A thing.")


def test_only_a_clean_main_is_released(checkout: Path) -> None:
    (checkout / "new").touch()
    assert run(checkout, "release", "0.3.0") == (1, "release: there are changes that are not committed")
    (checkout / "new").unlink()
    git(checkout, "switch", "--quiet", "--create", "other")
    assert run(checkout, "release", "0.3.0") == (1, "release: a release is made on main")


def test_notes_are_refused_for_another_version_than_the_code(checkout: Path) -> None:
    assert run(checkout, "notes", "0.3.0") == (1, "release: the tag says 0.3.0, the code 0.2.0")
    (checkout / "CHANGELOG.md").write_text("# Changelog\n\n## [Unreleased]\n")
    assert run(checkout, "notes", "0.2.0") == (1, "release: the changelog says nothing of 0.2.0")
