"""Which workers live, as the sweep for stalled jobs judges it, and what they have in hand."""

from dataclasses import dataclass

from fairlead.store.connection import Connection, Database
from fairlead.store.watching.workers import LeftBehind, WatchedWorker, jobs_left_behind, watched_workers


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A worker, and whether it counts as alive: its jobs are taken over where it does not."""

    worker: WatchedWorker
    is_alive: bool


@dataclass(frozen=True, slots=True)
class WorkerStates:
    """All workers that are registered, and the jobs of those that are not any more."""

    workers: tuple[WorkerState, ...]
    left_behind: tuple[LeftBehind, ...]

    @property
    def alive_count(self) -> int:
        """How many are at work."""
        return sum(each.is_alive for each in self.workers)


def read_worker_states(database: Database, heartbeat_timeout_seconds: float) -> WorkerStates:
    """The workers of this moment. One that gave no heartbeat for so long does not count as alive."""

    def work(conn: Connection) -> WorkerStates:
        workers = tuple(
            WorkerState(each, each.silent_seconds <= heartbeat_timeout_seconds) for each in watched_workers(conn)
        )
        return WorkerStates(workers, tuple(jobs_left_behind(conn)))

    return database.read(work)
