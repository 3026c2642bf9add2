"""Four leads, decided on paper: short enough that a person can check every line against the rules.

It is the one test here that no oracle and no replay of the code itself has a part in.
"""

import pytest

from fairlead.core.decision import Decision
from fairlead.flows.distributor import Distributor
from fairlead.store.connection import Database
from tests.race.marketplaces import (
    Niche,
    Provider,
    Terms,
    add_leads,
    add_providers,
    age_between,
    open_niche,
    subscribe,
)

TERMS = (Terms(3000, 1, 2), Terms(2000, 2, 5), Terms(1000, 2, 9))
UNREADABLE = {"version": 1, "rules": [{"field_key": "height", "operator": "gte", "value": 1}]}
# By id in this order. All are active; c cannot pay for position 5, which has not been noticed yet.
PROVIDERS = [
    Provider("a", 3_000, (2,)),
    Provider("b", 100_000, (2, 5, 9)),
    Provider("c", 1_500, (5, 9)),
    Provider("d", 100_000, (5,)),
    Provider("e", 100_000, (9,), age_between(60, 99)),
    Provider("f", 100_000, (9,), UNREADABLE),
    Provider("g", 100_000, (9,)),
    Provider("h", 100_000, (9,)),
    Provider("i", 100_000, (9,)),
]
AGES = (40, 70, 40, 40)
EXPECTED = [
    # a has exactly the price. c is refused at 5 and takes no slot there, and can pay at 9. f's filter is not read.
    (2, {2: "a", 5: "bd", 9: "cg"}),
    # Starts one further. At 9, b was never served but has the lead already; then e and h, never served either.
    (5, {5: "bd", 9: "eh", 2: ""}),
    # Now b and i are the ones who were never served at 9; at 2 none is left, at 5 only d.
    (9, {9: "bi", 2: "", 5: "d"}),
    # The rotation wraps. At 9 all were served: g in the first decision, h in the second, b and i in the third.
    (2, {2: "b", 5: "d", 9: "gh"}),
]
BALANCES = {
    "a": 3_000 - 3000,
    "b": 100_000 - 2000 - 2000 - 1000 - 3000,
    "c": 1_500 - 1000,
    "d": 100_000 - 2000 - 2000 - 2000 - 2000,
    "e": 100_000 - 1000,
    "f": 100_000,
    "g": 100_000 - 1000 - 1000,
    "h": 100_000 - 1000 - 1000,
    "i": 100_000 - 1000,
}
OUT_OF_FUNDS = [("a", 2), ("c", 5), ("c", 9)]


def story(database: Database) -> tuple[Niche, dict[str, str]]:
    """The niche with its four leads, and the providers' names by id."""
    with database.transaction() as conn:
        niche = open_niche(conn, "moving", TERMS)
        ids = add_providers(conn, PROVIDERS, "all")
        subscribe(conn, niche, PROVIDERS, ids)
        add_leads(conn, niche, AGES)
    return niche, {provider_id: name for name, provider_id in ids.items()}


def told(decision: Decision, names: dict[str, str]) -> tuple[int | None, dict[int, str]]:
    """Where the decision started, and who received the lead at each position, in order."""
    return decision.start_order_position, {
        result.level.order_position: "".join(names[recipient.provider_id] for recipient in result.recipients)
        for result in decision.levels
    }


@pytest.mark.parametrize("batch_limit", [1, 2, 4])
def test_four_leads_are_decided_as_they_are_on_paper(batch_limit: int, database: Database) -> None:
    """One by one, in twos and all at once, by two processes in turn: it is the same four decisions."""
    niche, names = story(database)
    processes = [Distributor(database, batch_limit), Distributor(database, batch_limit)]
    decisions: list[Decision] = []
    for turn in range(4 // batch_limit):
        done = processes[turn % 2].distribute_waiting(niche.niche_id)
        assert (done.failures, done.batch_error) == ((), None)
        decisions += done.decisions

    assert [told(decision, names) for decision in decisions] == EXPECTED
    assert [[*levels] for _, levels in EXPECTED] == [[2, 5, 9], [5, 9, 2], [9, 2, 5], [2, 5, 9]]
    assert {decision.outcome.value for decision in decisions} == {"success"}
    with database.transaction() as conn:
        balances = conn.execute("select name, balance_cents from providers").fetchall()
        pointer = conn.execute("select next_start_level_order_position from niches").fetchone()
        dry = conn.execute(
            """
            select p.name, l.order_position from subscriptions s
            join providers p on p.id = s.provider_id join competition_levels l on l.id = s.competition_level_id
            where s.deactivation_reason = 'insufficient_funds' order by 1, 2
            """
        ).fetchall()
    assert dict(balances) == BALANCES
    assert pointer == (5,)
    assert dry == OUT_OF_FUNDS
