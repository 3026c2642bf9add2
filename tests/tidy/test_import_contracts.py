"""The walls between the rooms stand, and each falls over when an import walks through it."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RUN = "from importlinter.cli import lint_imports_command; lint_imports_command()"

# A new module with one import, and the contract that it breaks.
BREACHES = [
    ("core", "import fairlead.store", "layers"),
    ("core", "import fairlead.settings", "layers"),
    ("store", "import fairlead.flows", "layers"),
    ("flows", "import fairlead.cli", "layers"),
    ("store", "import fairlead.delivery", "layers"),
    ("delivery", "import fairlead.store", "layers"),
    ("telemetry", "import fairlead.core", "layers"),
    ("flows", "import fairlead.api", "layers"),
    ("api", "import fairlead.worker", "layers"),
    ("", "import fairlead.core", "layers"),  # a module that has not been given a place
    ("core", "import psycopg", "sql-in-store"),
    ("flows", "import psycopg.rows", "sql-in-store"),
    ("flows", "import psycopg_pool", "sql-in-store"),
    ("api", "import psycopg", "sql-in-store"),
    ("delivery", "import psycopg", "sql-in-store"),
    ("cli", "import sqlalchemy", "sql-in-store"),
    ("cli", "import alembic.command", "sql-in-store"),
    ("core", "import time", "pure-core"),
    ("core", "import os.path", "pure-core"),
    ("core", "from random import choice", "pure-core"),
    ("core", "import logging", "pure-core"),
    ("core", "from pathlib import Path", "pure-core"),
]


def _contracts() -> dict[str, dict[str, object]]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    return {contract["id"]: contract for contract in contracts}


def _lint(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", RUN, "--config", str(root / "pyproject.toml"), "--no-cache", "--no-logo"],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root / "src"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_walls_stand() -> None:
    result = _lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_contract_ignores_an_import() -> None:
    assert [id_ for id_, contract in _contracts().items() if contract.get("ignore_imports")] == []


def test_each_contract_is_proven_to_fail() -> None:
    assert {contract for _, _, contract in BREACHES} == set(_contracts())


@pytest.mark.parametrize("contract", sorted({contract for _, _, contract in BREACHES}))
def test_every_breach_is_found(contract: str, tmp_path: Path) -> None:
    """All that break a contract at once, since most of the time goes into reading the house: each is told by name."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    breaches: dict[str, str] = {}
    for number, (room, statement, _) in enumerate(each for each in BREACHES if each[2] == contract):
        (tmp_path / "src" / "fairlead" / room / f"breach_{number:02}.py").write_text(f"{statement}\n", encoding="utf-8")
        breaches[".".join(filter(None, ("fairlead", room, f"breach_{number:02}")))] = statement
    result = _lint(tmp_path)
    assert result.returncode == 1
    assert re.findall("^(.+) BROKEN", result.stdout, re.MULTILINE) == [_contracts()[contract]["name"]], (
        result.stdout + result.stderr
    )
    for name, statement in breaches.items():
        assert re.search(rf"-\s+{re.escape(name)}\b", result.stdout), f"{name}: {statement}\n{result.stdout}"
