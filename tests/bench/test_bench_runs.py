"""The measurements run and say what they promise to say. What they measure is not judged here."""

from pathlib import Path

import pytest

from bench.rounds import ENGINES
from tests.bench.measuring import measured

SPAN = {"median", "min", "max"}


@pytest.mark.slow
def test_a_quick_run_writes_every_figure(tmp_path: Path) -> None:
    report, printed = measured(tmp_path, "engine", "--populations", "steady")
    [result] = report["results"]
    assert result["tables_that_differ"] == []
    assert 0 < result["assignments_per_lead"] <= 9
    assert {engine: set(span) for engine, span in result["leads_per_second"].items()} == dict.fromkeys(ENGINES, SPAN)
    assert all(span["min"] > 0 for span in result["leads_per_second"].values())
    assert set(result["ratios"]) == {
        "combined_of_its_floor",
        "single_of_its_floor",
        "combined_to_conventional",
        "single_to_conventional",
    }
    assert set(result["single_latency_ms"]) == {"p50", "p99"}
    [roster] = report["rosters"]
    assert roster["subscriptions"] == 60
    assert "| steady | 20 |" in printed


def test_a_row_that_differs_from_the_floor_is_noticed(database_url: str) -> None:
    from bench.floor import tables_that_differ
    from bench.population import POPULATIONS, create_niche
    from fairlead.store.connection import Database

    with Database(database_url, "fairlead") as database:
        create_niche(database, POPULATIONS[0], 2, 1, seed=1)
        assert tables_that_differ(database, database) == []
        with database.transaction() as conn:
            conn.execute("create schema other; create table other.leads as select * from leads")
            conn.execute("update other.leads set distribution_attempts = 7")
        with Database(database_url, "other,fairlead") as other:
            assert tables_that_differ(database, other) == ["leads"]
