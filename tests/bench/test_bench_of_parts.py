"""The measurements of single parts run, and both ways give the same."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def _report(tmp_path: Path, name: str) -> dict[str, list[dict[str, float]]]:
    figures = tmp_path / "figures.json"
    command = [sys.executable, "-m", "bench", name, "--quick", "--json", str(figures)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(figures.read_text())


def test_pieces_of_text(tmp_path: Path) -> None:
    [row] = _report(tmp_path, "contains")["pieces"]
    assert row["pieces"] == 100
    assert row["scan_to_pass"] > 0


@pytest.mark.slow
def test_catching_up(tmp_path: Path) -> None:
    [row] = _report(tmp_path, "rosters")["sizes"]
    assert row["subscriptions"] == 60
    assert row["equal_at_entries"] > 0
