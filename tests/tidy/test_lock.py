"""The lock, its export for pip and pyproject.toml say the same, and name public addresses only."""

import re
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PUBLIC = {"https://pypi.org", "https://files.pythonhosted.org"}
EXPORTS = ("requirements.txt", "docs/requirements.txt")
PIN = re.compile(r"^([a-z0-9-]+)(?:\[[^\]]*\])?==([^\s;]+)[^\\\n]*((?:\\\n[^\\\n]*)*)", re.MULTILINE)


def _toml(name: str) -> dict[str, Any]:
    with (ROOT / name).open("rb") as file:
        return tomllib.load(file)


def foreign_addresses(text: str) -> set[str]:
    """Everything in a lock that would make an installation ask another place than the public index."""
    hosts = set(re.findall(r"[a-z+]+://[^/\s\"]*", text, re.IGNORECASE))
    options = re.findall(r"(?:^|\s)(?:--(?:extra-)?index-url|--find-links|-f|-i)\b", text)
    paths = re.findall(r"(?:path|directory|registry) = \"(?!https://)[^\"]*\"", text)
    return (hosts - PUBLIC) | {option.strip() for option in options} | set(paths)


@pytest.mark.parametrize("name", ["uv.lock", *EXPORTS])
def test_only_public_addresses(name: str) -> None:
    assert foreign_addresses((ROOT / name).read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    "line",
    [
        'source = { registry = "https://mirror.example/simple" }',
        'source = { registry = "/srv/wheels" }',
        '{ path = "wheels/a-1-py3-none-any.whl" }',
        '{ url = "file:///srv/a-1-py3-none-any.whl" }',
        "--extra-index-url https://pypi.org/simple",
        "--find-links wheels",
    ],
)
def test_foreign_address_is_found(line: str) -> None:
    assert foreign_addresses(line) != set()


def test_export_holds_what_the_lock_holds() -> None:
    locked: dict[tuple[str, str], set[str]] = {}
    for package in _toml("uv.lock")["package"]:
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        if files:
            locked[package["name"], package["version"]] = {file["hash"] for file in files}
    text = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in EXPORTS)
    exported = {(name, version): set(re.findall(r"--hash=(\S+)", rest)) for name, version, rest in PIN.findall(text)}
    assert exported == locked, "run `python3 dev.py lock`"


def test_lock_is_made_from_pyproject() -> None:
    project = _toml("pyproject.toml")
    asked = _asked(project)
    (own,) = [package for package in _toml("uv.lock")["package"] if package["name"] == "fairlead"]
    metadata = own["metadata"]
    entries = chain(metadata["requires-dist"], *metadata["requires-dev"].values())
    locked = {(entry["name"], entry["specifier"]) for entry in entries}
    wanted: set[tuple[str, str]] = set()
    for requirement in asked:
        name, specifier = re.fullmatch(r"([\w-]+)(?:\[\w+\])?(.*)", requirement).groups()  # pyright: ignore
        wanted.add((name, specifier))
    assert locked == wanted, "run `python3 dev.py lock`"


def test_every_range_is_bounded() -> None:
    project = _toml("pyproject.toml")
    assert [words for words in _asked(project) if ">=" not in words or ",<" not in words] == []


def _asked(project: dict[str, Any]) -> list[str]:
    """Every requirement of the project: its own, its extras', its developers'."""
    extras = project["project"]["optional-dependencies"].values()
    return [
        *project["project"]["dependencies"],
        *(words for extra in extras for words in extra),
        *chain(*project["dependency-groups"].values()),
    ]
