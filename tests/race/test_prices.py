"""Prices that change under decisions: each lead is charged what its level asked at that entry of the journal."""

import threading

from fairlead.core.canonical import JsonObject
from fairlead.flows.configuration.price_rules import set_price_rules
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.sales import query
from tests.race.processes import Workers, deadlocks, decide_all
from tests.race.test_limits import open_market

LEADS = 60


def fresh(price_cents: int) -> JsonObject:
    """All leads of the test are fresh, so that this is their price."""
    rule = {"name": f"Fresh for {price_cents}", "price_cents": price_cents, "lead_age_minutes": {"below": 600}}
    return {"version": 1, "rules": [rule]}


def test_a_price_that_changes_is_that_of_the_journal(database: Database, database_url: str) -> None:
    """The sweep at the end compares each price with its level as of the decision, and decides it again."""
    [niche_id] = open_market(database, ("one",), "", ", max_price_cents = 104")
    [(level_id,)] = query(database, "select id::text from competition_levels")
    set_price_rules(database, level_id, fresh(101), OPERATOR)
    submit_leads(database, "one", [{}] * LEADS, OPERATOR, approve=True)
    is_over = threading.Event()

    def change() -> None:
        turn = 0
        while not is_over.is_set():
            turn += 1
            set_price_rules(database, level_id, fresh(101 + turn % 8), OPERATOR)

    changing = threading.Thread(target=change)
    changing.start()
    try:
        workers = Workers()
        for _ in range(3):
            workers.start(decide_all, database_url, [niche_id], 2)
        workers.results()
    finally:
        is_over.set()
        changing.join()
    sold = query(
        database,
        "select p.name, a.price_cents, a.price_rule from assignments a join providers p on p.id = a.provider_id",
    )
    assert all(rule == f"Fresh for {price_cents}" for _, price_cents, rule in sold)
    assert sum(name == "bowline" for name, *_ in sold) == LEADS
    assert max((price_cents for name, price_cents, _ in sold if name == "anchor"), default=0) <= 104
    assert deadlocks(database_url) == 0
