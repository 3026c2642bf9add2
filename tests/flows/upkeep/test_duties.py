"""Duties are done when they are due, by one process, and one that fails keeps nobody else from theirs."""

from collections.abc import Callable, Mapping

from fairlead.flows.upkeep.duties import DUTIES, QUICK, SLOW, Duty, Upkeep, run_due_duties
from fairlead.store.connection import Database
from fairlead.store.schedules import schedule_states
from tests.flows.upkeep.workers import upkeep_of


def doing(done: list[str], name: str) -> Callable[[Upkeep], Mapping[str, int]]:
    def do(_: Upkeep) -> Mapping[str, int]:
        done.append(name)
        return {"things": 2}

    return do


def fail(_: Upkeep) -> Mapping[str, int]:
    raise ZeroDivisionError("jane.doe@example.com")


def test_each_group_does_its_own_once_per_interval(database: Database) -> None:
    done: list[str] = []
    duties = (Duty("first", QUICK, 60, doing(done, "first")), Duty("other", SLOW, 60, doing(done, "other")))
    one, two = upkeep_of(database), upkeep_of(database)
    [run] = run_due_duties(one, QUICK, duties)
    assert (run.name, dict(run.counts), run.error, run.took_seconds >= 0) == ("first", {"things": 2}, None, True)
    assert run_due_duties(two, QUICK, duties) == []
    assert done == ["first"]
    run_due_duties(two, SLOW, duties)
    assert done == ["first", "other"]


def test_one_that_fails_is_on_record_and_stops_no_other(database: Database) -> None:
    done: list[str] = []
    duties = (Duty("broken", QUICK, 60, fail), Duty("second", QUICK, 60, doing(done, "second")))
    upkeep = upkeep_of(database)
    assert [(run.name, run.error) for run in run_due_duties(upkeep, QUICK, duties)] == [
        ("broken", "ZeroDivisionError"),
        ("second", None),
    ]
    assert done == ["second"]
    states = database.run(schedule_states)
    assert [(state.name, state.error, state.ended_at is not None) for state in states] == [
        ("broken", "ZeroDivisionError", True),
        ("second", None, True),
    ]
    assert run_due_duties(upkeep, QUICK, duties) == []


def test_a_process_that_starts_does_some_at_once(database: Database) -> None:
    done: list[str] = []
    duties = (Duty("remind", QUICK, 300, doing(done, "remind"), at_start=True),)
    for process in (upkeep_of(database), upkeep_of(database)):
        run_due_duties(process, QUICK, duties)
        run_due_duties(process, QUICK, duties)
    assert done == ["remind", "remind"]


def test_the_duties_of_a_marketplace(database: Database) -> None:
    """All of them run on an empty one, in their groups, and are on record."""
    upkeep = upkeep_of(database)
    runs = [*run_due_duties(upkeep, QUICK), *run_due_duties(upkeep, SLOW)]
    assert [(run.name, run.error) for run in runs] == [(duty.name, None) for duty in DUTIES]
    assert {duty.name: (duty.group, duty.every_seconds, duty.at_start) for duty in DUTIES} == {
        "take_over": (QUICK, 5, False),
        "remind": (QUICK, 300, True),
        "forget_calls": (QUICK, 600, False),
        "funds": (SLOW, 300, False),
        "reoffer": (SLOW, 60, False),
        "reconcile": (SLOW, 86_400, False),
        "clean_up": (SLOW, 86_400, False),
        "unconfirmed": (SLOW, 3_600, False),
        "fingerprint": (SLOW, 60, False),
        "compose_filters": (SLOW, 86_400, False),
        "snapshot_rosters": (SLOW, 60, False),
    }
    assert not any(count for run in runs for count in run.counts.values())
