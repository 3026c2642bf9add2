"""The measurement of the API runs and says what it promises to say. What it measures is not judged here."""

import shutil
from pathlib import Path

import pytest

from bench.http_load import KINDS
from tests.bench.measuring import measured


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk makes the load")
def test_a_quick_run_of_the_api_writes_every_figure_without_an_error(tmp_path: Path) -> None:
    report, printed = measured(tmp_path, "http")
    assert report["rows"]["leads"] == 2_530
    assert [load["name"] for load in report["loads"]] == ["at a steady pace", "flat out"]
    for load in report["loads"]:
        assert load["figures"].keys() == {kind.name for kind in KINDS}
        assert load["decided_leads"] > 0, "what was approved was distributed behind"
        for found in load["figures"].values():
            assert found["requests"] > 0
            assert (found["status_errors"], found["connection_errors"]) == (0, 0)
            assert 0 < found["p50_ms"] <= found["p99_ms"] <= found["max_ms"]
    assert all(kind.words in printed for kind in KINDS)
