"""The measurement of `verify` runs and says what it promises to say. How fast it is does not matter here."""

from pathlib import Path

import pytest

from bench.proof import Proof, ProofEffort, proofs_as_json, proofs_as_markdown
from tests.bench.measuring import measured


@pytest.mark.slow
def test_a_quick_run_of_verify_writes_every_figure(tmp_path: Path) -> None:
    report, printed = measured(tmp_path, "verify")
    assert [proof["is_analysed"] for proof in report["proofs"]] == [False, True, False, True]
    sizes = [proof["assignments"] for proof in report["proofs"]]
    assert sizes[0] == sizes[1] >= 100
    assert sizes[2] == sizes[3] >= 300
    for proof in report["proofs"]:
        assert proof["decisions"] > 0
        assert proof["client_seconds"] > 0
        assert proof["server_seconds"] >= 0
        assert proof["peak_bytes"] > 10_000_000
        assert {"journals", "rows", "audit log"} <= proof["seconds_of"].keys()
        assert sum(proof["seconds_of"].values()) <= proof["seconds"]
    assert printed.count("| none |") == 2


def proof(assignments: int, seconds: float, *, is_analysed: bool) -> Proof:
    """A proof of which only this is of interest."""
    return Proof(assignments, assignments // 9, is_analysed, seconds, seconds, seconds, assignments, {"rows": seconds})


def test_growth_is_per_assignment_from_the_shortest_to_the_longest_past() -> None:
    proofs = [
        proof(100, 1.0, is_analysed=False),
        proof(100, 2.0, is_analysed=True),
        proof(400, 4.0, is_analysed=False),
        proof(400, 16.0, is_analysed=True),
    ]
    report = proofs_as_json(proofs, ProofEffort(), "18.1")
    assert report["growth_per_assignment"] == {"before_statistics": 1.0, "after_statistics": 2.0}
    assert report["growth_of_memory"] == 4.0
    assert "| 400 | 44 | yes | 16.0 | 16.0 | 40000 |" in proofs_as_markdown(report)
