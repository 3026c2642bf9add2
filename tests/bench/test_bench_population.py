"""What is measured in is a marketplace as the application would have left it: it can be proven."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bench.controls import Control
from bench.http_load import HttpEffort, fill
from bench.population import POPULATIONS, Population, create_niche, distribute_all
from fairlead.flows.approve_lead import approve_niche
from fairlead.flows.distributor import Distributor
from fairlead.flows.proving.verify import verify
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database


def broken(database: Database) -> Sequence[object]:
    """The checks that do not hold, of which there were some."""
    result = verify(database)
    assert result.decisions_replayed > 0
    return [check for check in result.checks if not check.holds]


@pytest.mark.parametrize("population", POPULATIONS, ids=[population.name for population in POPULATIONS])
@pytest.mark.parametrize("are_approved", [True, False], ids=["approved", "pending"])
def test_every_population_is_proven_before_and_after_its_leads_are_sold(
    population: Population, are_approved: bool, database: Database
) -> None:
    niche_ids = [
        create_niche(database, population, 20, 10, seed, slug=f"niche-{seed}", are_approved=are_approved)
        for seed in (1, 2)
    ]
    with database.snapshot() as conn:
        waiting = conn.execute(
            "select count(*), count(*) filter (where awaits_decision) from leads l where last_outcome is null"
        ).fetchall()[0]
        jobs = conn.execute("select count(*) from jobs").fetchall()[0][0]
    assert waiting == (20, 20 if are_approved else 0)
    assert jobs == 0
    if population.is_steady:
        assert not broken(database)
    for niche_id in niche_ids:
        approve_niche(database, niche_id, OPERATOR)
        assert distribute_all(database, niche_id) > 0
    assert not broken(database)


def test_what_is_on_every_subscription_changes_no_sale(database: Database) -> None:
    steady = next(each for each in POPULATIONS if each.name == "steady")
    controlled = replace(steady, name="controlled", controls=frozenset(Control))
    sold: list[list[list[int]]] = []
    for population in (steady, controlled):
        niche_id = create_niche(database, population, 20, 10, 1, slug=population.name)
        decisions = Distributor(database).distribute_waiting(niche_id).decisions
        numbers = {each: number for number, each in enumerate(_subscription_ids(database, niche_id))}
        sold.append([[numbers[recipient.subscription_id] for recipient in each.recipients] for each in decisions])
        assert all((decision.calendars is None) == (not population.controls) for decision in decisions)
    assert sold[0] == sold[1]
    assert not broken(database)


def _subscription_ids(database: Database, niche_id: str) -> list[str]:
    with database.snapshot() as conn:
        rows = conn.execute("select id::text from subscriptions where niche_id = %s order by id", (niche_id,))
        return [subscription_id for (subscription_id,) in rows.fetchall()]


def test_a_steady_niche_has_sold_as_much_as_every_active_subscription_twice(database: Database) -> None:
    create_niche(database, next(each for each in POPULATIONS if each.name == "broke"), 30, 5, 1)
    with database.snapshot() as conn:
        [(active, assignments, untold)] = conn.execute(
            """
            select (select count(*) from subscriptions where is_active), (select count(*) from assignments),
                   (select count(*) from notifications where state <> 'sent')
            """
        ).fetchall()
    assert 2 * active <= assignments <= 2 * active + 9
    assert untold == 0


def test_the_past_of_the_api_s_load_is_proven(database: Database) -> None:
    effort = HttpEffort(subscriptions_per_level=10, sold_leads=20, pending_leads=1_100, other_leads=2_300)
    fill(database, replace(effort, seed=3))
    assert not broken(database)
    with database.snapshot() as conn:
        by_status = dict(conn.execute("select status, count(*) from leads group by 1").fetchall())
    assert by_status["pending_approval"] == 1_100
    assert by_status["rejected"] == 2_300
