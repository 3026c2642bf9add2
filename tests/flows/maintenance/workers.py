"""Workers that died, and what they left in the queue: real rows, as they leave them."""

from typing import Any

from fairlead.flows.maintenance.maintenance import Maintenance
from fairlead.settings import Settings
from fairlead.store.connection import Database
from fairlead.store.jobs.fetching import fetch
from fairlead.store.jobs.queue import ISOLATED, QUEUE_OF

QUEUES = (*sorted(set(QUEUE_OF.values())), ISOLATED)


def maintenance_of(database: Database) -> Maintenance:
    """One process's maintenance with the settings as they come: a worker is believed in for 30 s."""
    return Maintenance(database, Settings())


def worker(database: Database, silent_seconds: float = 31) -> int:
    """A worker is registered that gave its last sign of life so long ago; its id."""
    with database.transaction() as conn:
        row = conn.execute(
            """
            insert into workers (last_heartbeat) values (now() - make_interval(secs => %s)) returning id
            """,
            (silent_seconds,),
        ).fetchone()
    assert row is not None
    return row[0]


def begin_jobs(database: Database, worker_id: int) -> list[int]:
    """The worker has taken every job that was ready; their ids."""
    taken: list[int] = []
    with database.transaction() as conn:
        for queue in QUEUES:
            taken += [run.job_id for run in fetch(conn, queue, worker_id, 1_000)]
    return sorted(taken)


def jobs(database: Database, columns: str = "task, state") -> list[Any]:
    """The jobs in the order of their ids; bare values where one column is asked for."""
    return rows(database, f"select {columns} from jobs order by id")


def rows(database: Database, query: str) -> list[Any]:
    """What the query gives; bare values where one column is asked for."""
    with database.snapshot() as conn:
        found = conn.execute(query.encode()).fetchall()
    return [row[0] if len(row) == 1 else row for row in found]
