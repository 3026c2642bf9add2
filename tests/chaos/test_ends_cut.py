"""A single connection breaks just where the end of a job is recorded: the job must not look as if it ran for ever."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.store.connection import Database
from fairlead.store.jobs.queue import Job, JobRun, enqueue, jobs_at_all
from fairlead.store.jobs.runner import Bounds, QueueConfig, run_worker
from tests.chaos.proxy import Proxy, Strike, cut_before, swallow_answer
from tests.race.processes import opened
from tests.waiting import wait_until

pytestmark = pytest.mark.chaos


def once(strike: Strike, words: str) -> tuple[Callable[[str], Strike | None], list[str]]:
    """Strikes at the first point with these words and nowhere else; the list then holds that point."""
    struck: list[str] = []

    def choose(point: str) -> Strike | None:
        if struck or words not in point or not point.startswith("sync"):
            return None
        struck.append(point)
        return strike

    return choose, struck


@pytest.mark.parametrize("strike", [cut_before, swallow_answer])
@pytest.mark.parametrize(
    ("fails_first", "words", "runs"), [(False, "delete from jobs", 1), (True, "set state = 'waiting'", 2)]
)
def test_the_end_of_a_job_is_recorded_although_its_connection_broke(
    fails_first: bool,
    words: str,
    runs: int,
    strike: Strike,
    database: Database,
    database_url: str,
    proxy: Proxy,
) -> None:
    seen: list[int] = []
    stop, serving = threading.Event(), threading.Event()

    def handle(runs: Sequence[JobRun]) -> None:
        seen.append(runs[0].job_id)
        if fails_first and len(seen) == 1:
            raise ConnectionError("no way to say what went wrong")

    choose, struck = once(strike, words)
    proxy.strike_where(choose)
    with opened(proxy.url(database_url)) as relayed, ThreadPoolExecutor(1) as pool:
        bounds = Bounds(heartbeat_timeout_seconds=600, shutdown_timeout_seconds=20)
        ended = pool.submit(
            run_worker, relayed, [QueueConfig("distribute", 1)], {"distribute_lead": handle}, bounds, stop, serving.set
        )
        try:
            assert serving.wait(30)
            database.run(lambda conn: enqueue(conn, [Job("distribute_lead", {"lead_id": "x"})]))
            wait_until(lambda: seen and database.run(jobs_at_all) == 0, "the job is gone", 20)
        finally:
            stop.set()
        assert ended.result(30)
    assert len(struck) == 1
    assert seen == [seen[0]] * runs
