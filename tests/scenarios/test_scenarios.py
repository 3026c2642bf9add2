"""Every scenario, told once by the core alone and once by PostgreSQL."""

from collections import Counter

import pytest

from fairlead.store.connection import Database
from fairlead.store.simulated_clock import SimulatedClock
from tests.core.history import BEGINNING
from tests.scenarios.in_core import CoreWorld
from tests.scenarios.in_postgres import PostgresWorld
from tests.scenarios.story import Scenario, Step, Told, World, load, names


@pytest.mark.parametrize("name", names())
def test_through_the_core(name: str) -> None:
    scenario = load(name)
    world = CoreWorld(scenario.given)
    run(scenario, world)
    assert world.history.replayed()[1] == []


@pytest.mark.parametrize("name", names())
@pytest.mark.usefixtures("database")
def test_through_postgresql(name: str, database_url: str) -> None:
    scenario, clock = load(name), SimulatedClock(BEGINNING)
    with Database(database_url, "fairlead", simulated_clock=clock) as database:
        run(scenario, PostgresWorld(scenario.given, database, clock))


def run(scenario: Scenario, world: World) -> None:
    """What the scenario tells is so in this world, step by step."""
    for number, step in enumerate(scenario.step, start=1):
        where = f"step {number}: {step.model_dump(exclude_unset=True)}"
        if step.leads is not None:
            starts = Counter(world.distribute({}).start for _ in range(step.leads))
            assert sorted(starts.items()) == step.starts, where
        elif step.lead is not None:
            check_decision(step, world.distribute(step.lead), where)
        elif step.again is not None:
            told = world.distribute_again(step.again)
            assert (told is None) == step.nothing_happens, where
            if told is not None:
                check_decision(step, told, where)
        else:
            world.change(step)
        balances = world.balances()
        assert {name: balances[name] for name in step.balances} == step.balances, where
        if step.inactive is not None:
            assert sorted(world.inactive()) == sorted(step.inactive), where


def check_decision(step: Step, told: Told, where: str) -> None:
    assert told.received == step.received, where
    assert (told.start, told.next, told.outcome) == (step.start, step.next, step.outcome), where
    told_why = {(level, provider, reason) for (level, provider), reason in told.why.items()}
    assert told_why >= {*step.why}, f"{where}: {sorted(told_why)}"
    # Who could not pay must be spoken of: it is what makes a decision partial.
    assert {each for each in told_why if each[2] == "insufficient_balance"} <= {*step.why}, where
    for level, provider, sentence in step.says:
        assert told.says[level, provider] == sentence, where
