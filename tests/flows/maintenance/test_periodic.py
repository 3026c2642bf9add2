"""Tasks are done when they are due, by one process, and one that fails keeps no other from being done."""

from collections.abc import Callable, Mapping
from threading import Event

from fairlead.flows.chunks import ChunkDone, in_chunks
from fairlead.flows.maintenance.periodic import (
    GROUPS,
    PAYMENTS,
    PERIODIC_TASKS,
    PROOF,
    QUICK,
    SLOW,
    Maintenance,
    PeriodicTask,
    run_due_tasks,
)
from fairlead.settings import Settings
from fairlead.store.connection import Database
from fairlead.store.schedules import schedule_states
from tests.flows.maintenance.workers import maintenance_of


def doing(done: list[str], name: str) -> Callable[[Maintenance], Mapping[str, int]]:
    def do(_: Maintenance) -> Mapping[str, int]:
        done.append(name)
        return {"things": 2}

    return do


def fail(_: Maintenance) -> Mapping[str, int]:
    raise ZeroDivisionError("jane.doe@example.com")


def test_each_group_does_its_own_once_per_interval(database: Database) -> None:
    done: list[str] = []
    tasks = (
        PeriodicTask("first", QUICK, 60, doing(done, "first")),
        PeriodicTask("other", SLOW, 60, doing(done, "other")),
    )
    one, two = maintenance_of(database), maintenance_of(database)
    [run] = run_due_tasks(one, QUICK, tasks)
    assert (run.name, dict(run.counts), run.error, run.took_seconds >= 0) == ("first", {"things": 2}, None, True)
    assert run_due_tasks(two, QUICK, tasks) == []
    assert done == ["first"]
    run_due_tasks(two, SLOW, tasks)
    assert done == ["first", "other"]


def test_one_that_fails_is_on_record_and_stops_no_other(database: Database) -> None:
    done: list[str] = []
    tasks = (PeriodicTask("broken", QUICK, 60, fail), PeriodicTask("second", QUICK, 60, doing(done, "second")))
    maintenance = maintenance_of(database)
    assert [(run.name, run.error) for run in run_due_tasks(maintenance, QUICK, tasks)] == [
        ("broken", "ZeroDivisionError"),
        ("second", None),
    ]
    assert done == ["second"]
    states = database.run(schedule_states)
    assert [(state.name, state.error, state.ended_at is not None) for state in states] == [
        ("broken", "ZeroDivisionError", True),
        ("second", None, True),
    ]
    assert run_due_tasks(maintenance, QUICK, tasks) == []


def test_a_run_without_time_for_all_goes_on_within_minutes(database: Database) -> None:
    """What is done once a day does not leave its rest to the next one; in between the others have their turn."""
    stop, seen = Event(), list[int]()

    def step(after: int | None) -> ChunkDone[int]:
        stop.set()
        seen.append((after or 0) + 1)
        return ChunkDone(1, seen[-1])

    def go(maintenance: Maintenance) -> Mapping[str, int]:
        return {"rows": in_chunks(step, maintenance.run_time)}

    tasks = (PeriodicTask("long", SLOW, 86_400, go), PeriodicTask("short", SLOW, 86_400, lambda _: {}))
    ending = Maintenance(database, Settings(), stop=stop)
    assert [(run.name, dict(run.counts), run.is_cut_short) for run in run_due_tasks(ending, SLOW, tasks)] == [
        ("long", {"rows": 1}, True),
        ("short", {}, False),
    ]
    assert [(state.name, state.error, state.is_cut_short) for state in database.run(schedule_states)] == [
        ("long", None, True),
        ("short", None, False),
    ]
    other = maintenance_of(database)
    assert run_due_tasks(other, SLOW, tasks) == []
    with database.transaction() as conn:
        conn.execute("update schedules set started_at = started_at - interval '61 seconds', ended_at = started_at")
    long = PeriodicTask("long", SLOW, 86_400, lambda _: {"rows": 0})
    assert [(run.name, run.is_cut_short) for run in run_due_tasks(other, SLOW, (long, tasks[1]))] == [("long", False)]
    with database.transaction() as conn:
        conn.execute("update schedules set started_at = started_at - interval '61 seconds', ended_at = started_at")
    assert run_due_tasks(other, SLOW, tasks) == []


def test_a_process_that_starts_does_some_at_once(database: Database) -> None:
    done: list[str] = []
    tasks = (PeriodicTask("requeue", QUICK, 300, doing(done, "requeue"), at_start=True),)
    for process in (maintenance_of(database), maintenance_of(database)):
        run_due_tasks(process, QUICK, tasks)
        run_due_tasks(process, QUICK, tasks)
    assert done == ["requeue", "requeue"]


def test_the_periodic_tasks_of_a_marketplace(database: Database) -> None:
    """All of them run on an empty one, in their groups, and are on record."""
    maintenance = maintenance_of(database)
    runs = [run for group in GROUPS for run in run_due_tasks(maintenance, group)]
    assert [(run.name, run.error) for run in runs] == [(task.name, None) for task in PERIODIC_TASKS]
    assert {task.name: (task.group, task.every_seconds, task.at_start) for task in PERIODIC_TASKS} == {
        "rescue": (QUICK, 5, False),
        "requeue_orphans": (QUICK, 300, True),
        "forget_calls": (QUICK, 600, False),
        "funds": (SLOW, 300, False),
        "reoffer": (SLOW, 60, False),
        "reconcile": (SLOW, 86_400, False),
        "clean_up": (SLOW, 86_400, False),
        "reopen": (QUICK, 5, False),
        "expire_exports": (SLOW, 3_600, False),
        "unconfirmed": (SLOW, 3_600, False),
        "retain": (SLOW, 86_400, False),
        "fingerprint": (SLOW, 60, False),
        "compose_filters": (SLOW, 86_400, False),
        "snapshot_rosters": (SLOW, 60, False),
        "close_months": (SLOW, 600, False),
        "roll_up": (SLOW, 300, False),
        "count_entitlement": (SLOW, 60, False),
        "ask_gateways": (PAYMENTS, 2, False),
        "ask_about_methods": (PAYMENTS, 2, False),
        "charge_top_ups": (PAYMENTS, 2, False),
        "verify": (PROOF, 5, False),
    }
    assert not any(count for run in runs for count in run.counts.values())
