"""What the demo's tables say, where prices change between two sales."""

import pytest

from fairlead.cli.demo.screen import live_view, show_summary
from fairlead.cli.output import console
from fairlead.flows.distributor import Distributor
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.lookups import niches_with_waiting_leads
from fairlead.store.watching.dashboard import level_sales
from tests.flows.marketplaces import HOSTING, declare

DEARER = """
[[niche]]
slug = "hosting"
level = [{ name = "gold", price_cents = 2500 }]
"""


def sell_one(database: Database) -> None:
    submit_leads(database, "hosting", [{"cores": 8, "region": "south"}], OPERATOR, approve=True)
    with database.snapshot() as conn:
        [niche] = niches_with_waiting_leads(conn, "hosting")
    assert len(Distributor(database).distribute_waiting(niche.niche_id).decisions) == 1


def test_revenue_is_what_was_paid(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    declare(database, HOSTING)
    sell_one(database)
    declare(database, DEARER)
    sell_one(database)  # at silver, where the rotation starts now
    sell_one(database)

    with database.snapshot() as conn:
        gold, silver = level_sales(conn, ["hosting"])
    assert (gold.price_cents, gold.assignments, gold.revenue_cents) == (2500, 2, 2000 + 2500)
    assert (silver.assignments, silver.revenue_cents) == (1, 500)

    capsys.readouterr()
    show_summary(database, ["hosting"], "EUR")
    assert "45.00 EUR" in capsys.readouterr().out
    console.print(live_view(database, ["hosting"], "EUR", "now"))
    assert "45.00 EUR" in capsys.readouterr().out
