"""A rate holds at every value that a setting takes, whichever processes ask, and whatever stops while it waits."""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from fairlead.store.connection import Database
from fairlead.store.rate_limits import take_turn

RATES = [0.000_001, 0.0001, 0.001, 0.5, 1.5]


def ask(database: Database, per_second: float) -> float:
    """One process asks for a turn."""
    return database.run(lambda conn: take_turn(conn, "test", per_second))


def let_pass(database: Database, seconds: float) -> None:
    """So many seconds are over, as the limit sees it."""
    with database.transaction() as conn:
        conn.execute("update rate_limits set next_at = next_at - make_interval(secs => %s)", (seconds,))


def ask_too_early(database: Database, per_second: float, since: datetime, seconds: float) -> float:
    """The answer within so many seconds since then; after them, which a busy machine may let pass, it may be a turn."""
    answer = ask(database, per_second)
    assert answer > 0 or clock_of(database) >= since + timedelta(seconds=seconds)
    return answer


def clock_of(database: Database) -> datetime:
    with database.transaction() as conn:
        [(moment,)] = conn.execute("select clock_timestamp()").fetchall()
    assert isinstance(moment, datetime)
    return moment


def ask_at_once(database: Database, per_second: float, askers: int) -> Sequence[float]:
    """So many ask at the same time, each on a connection of its own."""
    answers: list[float] = []
    start = threading.Barrier(askers)

    def one() -> None:
        start.wait(30)
        answers.append(ask(database, per_second))

    threads = [threading.Thread(target=one) for _ in range(askers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return answers


@pytest.mark.parametrize("per_second", RATES)
def test_of_many_that_ask_one_goes_and_waiting_takes_nothing(database: Database, per_second: float) -> None:
    interval_seconds = 1 / per_second
    for _ in range(3):
        since = clock_of(database)
        answers = ask_at_once(database, per_second, 6) if interval_seconds > 100 else [ask(database, per_second)] * 1
        assert [seconds for seconds in answers if seconds == 0] == [0]
        assert all(seconds <= interval_seconds for seconds in answers)
        # A fourth of the interval before its time it is still too early, for every caller.
        let_pass(database, interval_seconds * 0.75)
        assert ask_too_early(database, per_second, since, interval_seconds / 4) <= interval_seconds / 4
        let_pass(database, interval_seconds)


@pytest.mark.parametrize("per_second", RATES)
def test_turns_that_nothing_took_do_not_add_up(database: Database, per_second: float) -> None:
    assert ask(database, per_second) == 0
    let_pass(database, 50 / per_second)
    since = clock_of(database)
    assert ask(database, per_second) == 0
    ask_too_early(database, per_second, since, 1 / per_second)


def test_a_very_high_rate_lets_many_go_soon(database: Database) -> None:
    taken = 0
    while taken < 50:
        taken += ask(database, 10_000) == 0
    with database.transaction() as conn:
        ahead = conn.execute("select next_at - clock_timestamp() < interval '1 ms' from rate_limits").fetchone()
    assert ahead == (True,)


@pytest.mark.parametrize("per_second", RATES)
def test_after_the_clock_was_set_back_the_next_turn_is_one_interval_away(database: Database, per_second: float) -> None:
    ask(database, per_second)
    let_pass(database, -86_400 * 365 - 10 / per_second)
    assert ask(database, per_second) == pytest.approx(1 / per_second)
    let_pass(database, 1 / per_second)
    assert ask(database, per_second) == 0


def test_a_raised_rate_holds_from_the_next_turn_on(database: Database) -> None:
    assert ask(database, 0.0001) == 0
    assert 0 < ask(database, 0.01) <= 100
    let_pass(database, 100)
    assert ask(database, 0.01) == 0
