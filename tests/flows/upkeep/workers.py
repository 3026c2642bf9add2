"""Workers that died, and what they left in the queue: real rows, as the job library leaves them."""

from typing import Any

from fairlead.flows.upkeep.upkeep import Upkeep
from fairlead.settings import Settings
from fairlead.store.connection import Database


def upkeep_of(database: Database) -> Upkeep:
    """One process's upkeep with the settings that nobody changed: a worker is believed in for 30 s."""
    return Upkeep(database, Settings())


def worker(database: Database, silent_seconds: float = 31) -> int:
    """A worker is registered that gave its last sign of life so long ago; its id."""
    with database.transaction() as conn:
        row = conn.execute(
            """
            insert into procrastinate_workers (last_heartbeat) values (now() - make_interval(secs => %s)) returning id
            """,
            (silent_seconds,),
        ).fetchone()
    assert row is not None
    return row[0]


def begin_jobs(database: Database, worker_id: int) -> list[int]:
    """The worker has taken every job that was ready; their ids."""
    taken: list[int] = []
    with database.transaction() as conn:
        while True:
            row = conn.execute("select id from procrastinate_fetch_job_v2(null, %s)", (worker_id,)).fetchone()
            if row is None or row[0] is None:
                return taken
            taken.append(row[0])


def jobs(database: Database, columns: str = "task_name, status::text") -> list[Any]:
    """The jobs in the order of their ids; bare values where one column is asked for."""
    return rows(database, f"select {columns} from procrastinate_jobs order by id")


def rows(database: Database, query: str) -> list[Any]:
    """What the query gives; bare values where one column is asked for."""
    with database.snapshot() as conn:
        found = conn.execute(query.encode()).fetchall()
    return [row[0] if len(row) == 1 else row for row in found]
