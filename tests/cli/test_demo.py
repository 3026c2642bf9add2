"""`fairlead demo`: sets up, streams, ends by itself, proves itself, and can be run again."""

import pytest

from fairlead.store.connection import Database
from fairlead.store.lookups import count_of_leads
from tests.cli.program import Program
from tests.flows.marketplaces import HOSTING, declare


@pytest.fixture
def fairlead(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Program:
    """The program on an empty marketplace."""
    return Program(monkeypatch, capsys, database_url)


def test_the_demo_sells_its_leads_and_proves_it(fairlead: Program, database: Database) -> None:
    shown = fairlead("demo", "--leads", "60", "--fast")
    assert shown.status == 0, shown
    assert "60 leads, " in shown.out
    assert "Verified: 60 decisions taken again and equal byte for byte" in shown.out
    assert "explain" in shown.out
    with database.snapshot() as conn:
        assert count_of_leads(conn) == 60


def test_more_leads_come_in_when_it_is_run_again(fairlead: Program, database: Database) -> None:
    fairlead("demo", "--leads", "10", "--fast")
    again = fairlead("demo", "--leads", "10", "--fast")
    assert again.status == 0, again
    assert "Verified: 20 decisions" in again.out
    with database.snapshot() as conn:
        distinct = conn.execute("select count(distinct attributes) from leads").fetchone()
    assert distinct == (20,), "the second run streams the leads that follow, not the same ones"


def test_it_keeps_away_from_a_marketplace_of_somebody_else(fairlead: Program, database: Database) -> None:
    declare(database, HOSTING)
    refused = fairlead("demo")
    assert refused.status == 1
    assert "FAIRLEAD_SCHEMA" in refused.err


def test_it_keeps_away_from_real_providers_of_the_same_niches(fairlead: Program, database: Database) -> None:
    fairlead("demo", "--leads", "5", "--fast")
    declare(database, '[[provider]]\nemail = "real@example.com"\nname = "Real"')
    refused = fairlead("demo", "--leads", "5")
    assert (refused.status, "FAIRLEAD_SCHEMA" in refused.err) == (1, True)
    with database.snapshot() as conn:
        assert count_of_leads(conn) == 5
