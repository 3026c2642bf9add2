"""What a job costs: enqueued with a change, fetched and ended, one by one and several at once; and what a signal costs.

`python -m bench queue`. On the queue's own functions, in transactions as workers make them. Where the package
procrastinate happens to be installed, which is no dependency, its functions have their turns between, for ADR 21.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from bench.server import SCHEMA, create_database, drop_databases
from fairlead.store.connection import Connection, Database
from fairlead.store.jobs.fetching import fetch, finish
from fairlead.store.jobs.queue import Job, enqueue
from fairlead.store.schema import migrate

CLIENTS = 8
BATCH_JOBS = 50


@dataclass(frozen=True, slots=True)
class QueueEffort:
    """How many jobs each way has a round, and how many rounds; every way has its turn in each."""

    jobs: int = 100
    rounds: int = 5


Way = Callable[[Database, int], None]


def measure_queue(server_url: str, effort: QueueEffort) -> dict[str, list[float]]:
    """By the name of each way: a second, round by round. The database is gone afterwards."""
    ways: dict[str, Way] = {**OWN_WAYS, **(LIBRARY_WAYS if find_spec("procrastinate") else {})}
    figures: dict[str, list[float]] = {name: [] for name in ways}
    with _database(server_url) as database:
        for _ in range(effort.rounds):
            for name, way in ways.items():
                started = time.perf_counter()
                way(database, effort.jobs)
                figures[name].append(effort.jobs / (time.perf_counter() - started))
    return figures


@contextmanager
def _database(server_url: str) -> Iterator[Database]:
    name = "bench_queue"
    try:
        with Database(create_database(server_url, name), SCHEMA, max_connections=CLIENTS) as database:
            migrate(database)
            database.run(_make_tables)
            yield database
    finally:
        drop_databases(server_url, [name])


def _make_tables(conn: Connection) -> None:
    conn.execute("create table changed (id integer primary key, times integer not null)")
    conn.execute("insert into changed select n, 0 from generate_series(0, 9999) n")
    spec = find_spec("procrastinate")
    if spec is not None and spec.origin is not None:
        conn.execute((Path(spec.origin).parent / "sql" / "schema.sql").read_bytes())


def _change(conn: Connection, number: int) -> None:
    conn.execute("update changed set times = times + 1 where id = %s", (number % 10_000,))


def _each_in_a_transaction(database: Database, count: int, work: Callable[[Connection, int], None]) -> None:
    for number in range(count):
        database.run(lambda conn, number=number: work(conn, number))


def _change_alone(database: Database, count: int) -> None:
    _each_in_a_transaction(database, count, _change)


def _change_and_enqueue(database: Database, count: int) -> None:
    def work(conn: Connection, number: int) -> None:
        _change(conn, number)
        enqueue(conn, [Job("send_email", {"notification_id": str(number)})])

    _each_in_a_transaction(database, count, work)


def _fetch_then_finish(database: Database, count: int) -> None:
    """Two commits a job. Needs that many jobs in the queue, as do the others that fetch."""
    for _ in range(count):
        ids = [run.job_id for run in database.run(lambda conn: fetch(conn, "email", 1, 1))]
        database.run(lambda conn, ids=ids: finish(conn, ids, 1))


def _finish_with_the_next_fetch(database: Database, count: int) -> None:
    """One commit a job, as `store/jobs/runner.py` does it."""
    _drain(database, count, 1)


def _by_fifty(database: Database, count: int) -> None:
    _drain(database, count, BATCH_JOBS)


def _drain(database: Database, count: int, at_once: int) -> None:
    ids: Sequence[int] = ()

    def work(conn: Connection) -> list[int]:
        if ids:
            finish(conn, ids, 1)
        return [run.job_id for run in fetch(conn, "email", 1, at_once)]

    done = 0
    while done < count:
        ids = database.run(work)
        done += len(ids)
    database.run(lambda conn: finish(conn, ids, 1))


def _prepared(way: Way) -> Way:
    """The way, with that many jobs in the queue at its start; to put them there is a part of it, and takes little."""

    def run(database: Database, count: int) -> None:
        database.run(lambda conn: enqueue(conn, [Job("send_email", {"notification_id": "1"})] * count))
        way(database, count)

    return run


def _commits(*, signalling: bool) -> Way:
    """Several clients commit at once, and each transaction signals or none does."""

    def run(database: Database, count: int) -> None:
        def work(conn: Connection, number: int) -> None:
            _change(conn, number)
            if signalling:
                conn.execute("notify bench")

        def one_client(first: int) -> None:
            for number in range(first, count, CLIENTS):
                database.run(lambda conn, number=number: work(conn, number))

        with ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(one_client, range(CLIENTS)))

    return run


def _library_enqueues(database: Database, count: int) -> None:
    def work(conn: Connection, number: int) -> None:
        _change(conn, number)
        row = "array[row('email', 'send_email', 0, null, null, %s::jsonb, null)::procrastinate_job_to_defer_v1]"
        conn.execute(f"select procrastinate_defer_jobs_v1({row})".encode(), (json.dumps({"n": number}),))

    _each_in_a_transaction(database, count, work)


def _library_fetches(database: Database, count: int) -> None:
    """What `_library_enqueues` left."""
    worker_id: int = database.run(
        lambda conn: conn.execute("insert into procrastinate_workers default values returning id").fetchall()[0][0]
    )
    fetched = "select id from procrastinate_fetch_job_v2(array['email']::varchar[], %s)"
    for _ in range(count):
        job_id: int = database.run(lambda conn: conn.execute(fetched, (worker_id,)).fetchall()[0][0])
        database.run(lambda conn, job_id=job_id: _library_finishes(conn, job_id))


def _library_finishes(conn: Connection, job_id: int) -> None:
    conn.execute("select procrastinate_finish_job_v1(%s, 'succeeded', true)", (job_id,))


def _emptied(way: Way) -> Way:
    def run(database: Database, count: int) -> None:
        way(database, count)
        database.run(lambda conn: conn.execute("delete from jobs").rowcount)

    return run


OWN_WAYS: Mapping[str, Way] = {
    "a row changed": _change_alone,
    "a row changed, a job enqueued": _emptied(_change_and_enqueue),
    "fetched, then finished: two commits": _prepared(_fetch_then_finish),
    "finished with the next fetch: one commit": _prepared(_finish_with_the_next_fetch),
    "the same, 50 at once": _prepared(_by_fifty),
    "8 clients commit": _commits(signalling=False),
    "8 clients commit and signal": _commits(signalling=True),
}
LIBRARY_WAYS: Mapping[str, Way] = {
    "library: a row changed, a job enqueued": _library_enqueues,
    "library: fetched, then finished": _library_fetches,
}


def queue_as_json(figures: Mapping[str, Sequence[float]], effort: QueueEffort, server_version: str) -> dict[str, Any]:
    """The report, as JSON."""
    return {"server": server_version, "effort": asdict(effort), "a_second": dict(figures)}


def queue_as_markdown(report: dict[str, Any]) -> str:
    """The table."""
    lines = ["| a second | median | least | most |", "|---|--:|--:|--:|"]
    for name, figures in report["a_second"].items():
        lines.append(f"| {name} | {median(figures):,.0f} | {min(figures):,.0f} | {max(figures):,.0f} |")
    return "\n".join(lines)
