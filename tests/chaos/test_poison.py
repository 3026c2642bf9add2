"""A lead that raises, and one that kills whoever decides it, stop nobody else."""


import pytest

from fairlead.flows.distribute import Distributor
from fairlead.flows.distribute_lead import LeadDistribution
from fairlead.store.connection import Database
from fairlead.store.lead_runs import attempts_of
from tests.chaos.market import (
    approve,
    open_market,
    poison,
    rows,
    submit,
)

pytestmark = pytest.mark.chaos

DIES_AT = """
import os, sys
from fairlead.flows import distribute
lead_id, decide = sys.argv.pop(1), distribute.decide
def decide_or_die(roster, lead, *rest):
    if lead.lead_id == lead_id:
        os._exit(9)
    return decide(roster, lead, *rest)
distribute.decide = decide_or_die
from fairlead.cli import main
main()
"""
"""The program, in which one lead is deadly: any worker that begins to decide it is gone."""


def test_a_lead_that_cannot_even_be_read_stops_nobody(database: Database) -> None:
    market = open_market(database, niche_count=1)
    first, broken, last = submit(database, market, 3)
    poison(database, broken)
    approve(database, [broken, first, last])
    leads = LeadDistribution(Distributor(database))
    for lead_id in (first, broken, last):
        leads.run(lead_id)
    assert dict(rows(database, "select id::text, status from leads")) == {
        first: "distributed",
        broken: "approved",
        last: "distributed",
    }
    with database.snapshot() as conn:
        assert {attempt.outcome for attempt in attempts_of(conn, broken, None)} == {"failed"}
        assert attempts_of(conn, first, None) == []
