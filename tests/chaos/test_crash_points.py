"""Struck at every statement of a distribution, in four ways, a lead is untouched or completely distributed (R10).

The statements are not listed here but counted on the wire in an undisturbed run, and each test ends by asserting that
every one of them was struck.
"""

import os
import signal
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from fairlead.flows.distributor import Distributed, Distributor
from fairlead.store.connection import Database
from tests.chaos.proxy import Proxy, Session, Strike, cut_before, swallow_answer
from tests.chaos.stories import (
    Story,
    begin,
    ending,
    everything_happened,
    meanwhile,
    more_leads,
    picture,
)
from tests.race.processes import Report, Workers, opened, wait_until_gone
from tests.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.chaos, pytest.mark.slow]


def commit_point(points: list[str]) -> int:
    """The number of the one COMMIT."""
    commits = [number for number, point in enumerate(points) if point == "query: COMMIT"]
    assert len(commits) == 1, points
    return commits[0]


def decide_twice(url: str, niche_id: str, ready: Any, go: Any) -> Report:
    """What waits in the niche, in one transaction; and again when `go` is given."""
    with opened(url) as database:
        distributor = Distributor(database)
        assert len(distributor.distribute_waiting(niche_id)) == 3
        ready.set()
        assert go.wait(PATIENCE_SECONDS)
        distributor.distribute_waiting(niche_id)
    return Report()


def test_a_worker_killed_at_any_statement_leaves_all_or_nothing(
    database: Database, database_url: str, proxy: Proxy
) -> None:
    calm = begin(database, "calm")
    with opened(proxy.url(database_url)) as relayed:
        distributor = Distributor(relayed)
        assert len(distributor.distribute_waiting(calm.niche.niche_id)) == 3
        meanwhile(database, calm)
        points = proxy.watch()
        done = distributor.distribute_waiting(calm.niche.niche_id)
        proxy.ignore()
    everything_happened(done.decisions, points)
    expected, points = ending(database, calm), points[: commit_point(points) + 1]

    struck: list[str] = []
    for number in range(len(points) + 1):  # the last: killed after the commit was done, before hearing of it
        story = begin(database, f"killed-{number}")
        is_committed = number == len(points)
        before, met = _kill_at(proxy, database, database_url, story, min(number, len(points) - 1), is_committed)
        struck += met

        if is_committed:
            assert ending(database, story) == expected
        else:
            assert picture(database) == before, f"something was left of a worker killed before {points[number]}"
        again = Distributor(database).distribute_waiting(story.niche.niche_id)
        assert len(again) == (0 if is_committed else 3)
        assert ending(database, story) == expected
    assert struck == [*points, points[-1]]


def _kill_at(
    proxy: Proxy, database: Database, database_url: str, story: Story, number: int, is_committed: bool
) -> tuple[dict[str, str], list[str]]:
    """The picture before the distribution in which a worker was killed at that point, and the point."""
    workers = Workers()
    pids: list[int] = []

    def kill(session: Session, deliver: Callable[[], None]) -> None:
        if is_committed:
            swallow_answer(session, deliver)
        os.kill(pids[0], signal.SIGKILL)
        session.cut()

    ready, go = workers.context.Event(), workers.context.Event()
    worker = workers.start(decide_twice, proxy.url(database_url), story.niche.niche_id, ready, go)
    assert worker.pid is not None
    pids.append(worker.pid)
    assert ready.wait(PATIENCE_SECONDS)
    meanwhile(database, story)
    before = picture(database)
    points = proxy.watch(number, kill)
    go.set()
    worker.join(PATIENCE_SECONDS)
    assert worker.exitcode == -signal.SIGKILL
    wait_until_gone(database_url, [session.port for session in proxy.sessions])
    return before, points[number:]


def terminate(server_url: str) -> Strike:
    """An administrator, or a fail-over, ends the backend before it gets the message."""

    def strike(session: Session, deliver: Callable[[], None]) -> None:
        with psycopg.connect(server_url, autocommit=True) as conn:
            row = conn.execute(
                "select pg_terminate_backend(pid, 10000) from pg_stat_activity where client_port = %s",
                (session.port,),
            ).fetchone()
            assert row == (True,)

    return strike


@pytest.mark.parametrize("how", ["terminated", "cut", "answer lost"])
def test_a_process_whose_connection_breaks_at_any_statement_goes_on_by_itself(
    how: str, database: Database, database_url: str, server_url: str, proxy: Proxy
) -> None:
    """The same process tries again with the roster that it has in memory, which must not remember the lost attempt."""
    strike = {"terminated": terminate(server_url), "cut": cut_before, "answer lost": swallow_answer}[how]
    url = proxy.url(database_url)
    calm = begin(database, "calm")
    done, points, expected = _second_round(proxy, url, database, calm)
    everything_happened(done.decisions, points)
    commit = commit_point(points)
    points = points[: commit + 1]
    # Only a Query and a Sync are answered at once; within a pipeline an Execute is not.
    numbers = [n for n, point in enumerate(points) if how != "answer lost" or not point.startswith("execute")]

    struck: list[str] = []
    for number in numbers:
        story = begin(database, f"struck-{number}")
        done, met, end = _second_round(proxy, url, database, story, number, strike)
        struck += met[number:]
        assert len(done) == 3  # also when only the answer to the COMMIT was lost: the journal knows them
        assert end == expected, f"{how} at {points[number]}"
    assert struck == [points[number] for number in numbers]
    assert commit in numbers


def _second_round(
    proxy: Proxy, url: str, database: Database, story: Story, number: int | None = None, strike: Strike | None = None
) -> tuple[Distributed, list[str], dict[str, object]]:
    """What was decided with the proxy watching, the points that it met, and where it all ended.

    Afterwards the process decides once more, which shows what it kept in memory.
    """
    niche_id = story.niche.niche_id
    with opened(url) as relayed:
        distributor = Distributor(relayed)
        assert len(distributor.distribute_waiting(niche_id)) == 3
        meanwhile(database, story)
        points = proxy.watch(number, strike)
        done = distributor.distribute_waiting(niche_id)
        more_leads(database, story)
        proxy.ignore()
        assert len(distributor.distribute_waiting(niche_id)) == 3
    return done, points, ending(database, story)
