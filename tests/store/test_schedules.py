"""Tasks: one caller per interval does each, whichever asks, whatever the clock does."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.store.connection import Connection, Database
from fairlead.store.schedules import claim_task, due_tasks, end_task, schedule_states
from tests.waiting import wait_until


def claim(database: Database, name: str = "tidy", every_seconds: float = 60) -> bool:
    return database.run(lambda conn: claim_task(conn, name, every_seconds))


def end(database: Database, error: str | None = None) -> None:
    database.run(lambda conn: end_task(conn, "tidy", error))


def begun(database: Database, shift: str, ended: str | None = "0 seconds") -> None:
    """As if the task had been begun so long from now, and had ended so long after that."""
    with database.transaction() as conn:
        conn.execute(
            "update schedules set started_at = clock_timestamp() + %s::interval, "
            "ended_at = clock_timestamp() + %s::interval + %s::interval",
            (shift, shift, ended),
        )


def waiting(conn: Connection) -> int:
    row = conn.execute("select count(*) from pg_locks where not granted").fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize("is_new", [True, False])
def test_of_twenty_who_ask_at_once_one_does_it(database: Database, is_new: bool) -> None:
    if not is_new:
        assert claim(database)
        begun(database, "-61 seconds")
    with ThreadPoolExecutor(20) as pool:
        with database.transaction() as conn:
            conn.execute("lock table schedules in exclusive mode")
            claims = [pool.submit(claim, database) for _ in range(20)]
            # As many as there are connections beside this one, each of which would begin now if no other did.
            wait_until(lambda: waiting(conn) >= 11, "eleven of them waiting for the lock")
        assert [call.result() for call in claims].count(True) == 1
    assert not claim(database)


def test_a_duty_is_due_again_when_its_interval_has_passed(database: Database) -> None:
    assert claim(database)
    end(database)
    begun(database, "-59 seconds")
    assert not claim(database)
    begun(database, "-60 seconds")
    assert claim(database)


def test_each_duty_has_its_own_interval(database: Database) -> None:
    assert database.run(lambda conn: due_tasks(conn, {"tidy": 60, "sweep": 5})) == ["sweep", "tidy"]
    assert claim(database)
    assert database.run(lambda conn: due_tasks(conn, {"tidy": 60, "sweep": 5})) == ["sweep"]
    assert claim(database, "sweep", 5)
    end(database)
    begun(database, "-6 seconds")
    assert database.run(lambda conn: due_tasks(conn, {"tidy": 60, "sweep": 5})) == ["sweep"]


@pytest.mark.parametrize(("ahead", "is_due"), [("0.9 seconds", False), ("2 seconds", True), ("400 days", True)])
def test_a_clock_that_was_set_back_stops_nothing(database: Database, ahead: str, is_due: bool) -> None:
    assert claim(database, every_seconds=86_400)
    begun(database, ahead)
    assert bool(database.run(lambda conn: due_tasks(conn, {"tidy": 86_400}))) is is_due
    assert claim(database, every_seconds=86_400) is is_due
    assert not claim(database, every_seconds=86_400)


@pytest.mark.parametrize(("error", "ended"), [("Unavailable", "1 second"), (None, None), (None, "-1 second")])
def test_a_rare_duty_that_failed_or_never_ended_is_done_again_within_the_hour(
    database: Database, error: str | None, ended: str | None
) -> None:
    assert claim(database, every_seconds=86_400)
    end(database, error)
    begun(database, "-59 minutes", ended)
    assert not claim(database, every_seconds=86_400)
    begun(database, "-60 minutes", ended)
    assert claim(database, every_seconds=86_400)


def test_a_rare_duty_that_went_well_waits_for_its_whole_interval(database: Database) -> None:
    assert claim(database, every_seconds=86_400)
    end(database)
    begun(database, "-23 hours")
    assert not claim(database, every_seconds=86_400)


def test_what_became_of_a_duty_can_be_seen(database: Database) -> None:
    assert database.run(schedule_states) == []
    claim(database)
    [state] = database.run(schedule_states)
    assert (state.name, state.ended_at, state.error) == ("tidy", None, None)
    end(database, "Unavailable")
    [state] = database.run(schedule_states)
    assert state.ended_at is not None
    assert state.ended_at >= state.started_at
    assert state.error == "Unavailable"
