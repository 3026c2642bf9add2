"""What is wrong with the server is not held against the leads."""

import time
from typing import Any

import pytest

from fairlead.core.errors import Unavailable
from fairlead.flows.distribute import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store import rosters
from fairlead.store.audit import OPERATOR
from fairlead.store.connection import Database, Timeouts
from tests.flows.marketplaces import HOSTING, declare

LEAD = {"cores": 4, "region": "north"}


@pytest.fixture
def niche_id(database: Database) -> str:
    """A niche in which three leads wait."""
    declare(database, HOSTING)
    submit_leads(database, "hosting", [LEAD] * 3, OPERATOR, approve=True)
    with database.snapshot() as conn:
        row = conn.execute("select id::text from niches").fetchone()
    assert row is not None
    return row[0]


def test_a_session_that_was_ended_for_its_slowness_is_tried_again(
    database: Database, niche_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    load, loads = rosters.load_roster, []

    def slow_at_first(*words: Any) -> Any:
        loads.append(load(*words))
        if len(loads) == 1:
            time.sleep(0.8)
        return loads[-1]

    monkeypatch.setattr(rosters, "load_roster", slow_at_first)
    with Database(database.url, "fairlead", Timeouts(idle_in_transaction_ms=300)) as impatient:
        decided = Distributor(impatient).distribute_waiting(niche_id)
    assert (len(decided.decisions), decided.failures, decided.batch_error) == (3, (), None)
    assert loads


def test_a_server_that_takes_no_writes_fails_no_lead(database: Database, niche_id: str) -> None:
    with read_only(database) as standby, pytest.raises(Unavailable, match="read-only"):
        Distributor(standby).distribute_waiting(niche_id)
    with database.snapshot() as conn:
        waiting = conn.execute("select count(*) from leads where awaits_decision").fetchone()
    assert waiting == (3,)


def test_a_mistake_of_ours_is_not_called_an_outage(database: Database) -> None:
    with pytest.raises(Exception, match="nonsense"):
        database.run(lambda conn: conn.execute("select nonsense"))
    with pytest.raises(Exception, match="nonsense"), database.snapshot() as conn:
        conn.execute("select nonsense")


def read_only(database: Database) -> Database:
    """The same database, as a standby would let it be used."""

    class Standby(Database):
        def connection_settings(self) -> dict[str, Any]:
            settings = super().connection_settings()
            settings["options"] += " -c default_transaction_read_only=on"
            return settings

    return Standby(database.url, "fairlead")
