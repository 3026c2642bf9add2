"""A roster that is not what the journal says is noticed, whatever made it so."""

from collections.abc import Generator

import psycopg
import pytest

from fairlead.flows.distribute import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.conftest import sweep
from tests.flows.marketplaces import HOSTING, declare

LEAD = {"cores": 4, "region": "north"}

PAUSED = """
[[provider]]
email = "anchor@example.com"
subscription = [{ niche = "hosting", level = "gold", active = false }]
"""


@pytest.fixture
def standby(database: Database, server_url: str) -> Generator[Database]:
    """What the database held before the test went on: a standby that did not hear of the rest."""
    with Database(database.url, "fairlead") as primary:  # closed again: a database in use cannot be copied
        declare(primary, HOSTING)
        submit_leads(primary, "hosting", [LEAD], OPERATOR, approve=True)
    name = database.url.rsplit("/", 1)[1]
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(f"create database {name}_standby template {name}".encode())
        with Database(database.url + "_standby", "fairlead") as copy:
            yield copy
            sweep(copy)
        conn.execute(f"drop database {name}_standby with (force)".encode())


def test_a_process_that_remembers_a_lost_commit_starts_anew(database: Database, standby: Database) -> None:
    """The entry that it remembers was lost in a fail-over, and others have taken its number since."""
    [niche_id] = _niche_ids(database)
    remembering = Distributor(database)
    assert len(remembering.distribute_waiting(niche_id)) == 1

    declare(standby, PAUSED)
    assert len(Distributor(standby).distribute_waiting(niche_id)) == 1
    submit_leads(standby, "hosting", [LEAD] * 4, OPERATOR, approve=True)
    remembering.database = standby
    decided = remembering.distribute_waiting(niche_id).decisions

    assert len(decided) == 4
    with standby.snapshot() as conn:
        sold = conn.execute(
            """
            select count(*) from assignments a join subscriptions s on s.id = a.subscription_id
            where s.deactivation_reason = 'paused'
            """
        ).fetchone()
    assert sold == (0,), "a paused subscription was sold to"


def _niche_ids(database: Database) -> list[str]:
    with database.snapshot() as conn:
        return [row[0] for row in conn.execute("select id::text from niches")]
