"""The measurements of single parts run, and both ways give the same."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.measuring import measured

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_pieces_of_text(tmp_path: Path) -> None:
    """As a program; the other measurements are tested without another process."""
    figures = tmp_path / "figures.json"
    command = [sys.executable, "-m", "bench", "contains", "--quick", "--json", str(figures)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    [row] = json.loads(figures.read_text())["pieces"]
    assert row["pieces"] == 100
    assert row["scan_to_pass"] > 0


@pytest.mark.slow
def test_catching_up(tmp_path: Path) -> None:
    [row] = measured(tmp_path, "rosters")[0]["sizes"]
    assert row["subscriptions"] == 60
    assert row["equal_at_entries"] > 0
