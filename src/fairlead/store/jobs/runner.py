"""Running jobs: the threads of each queue, in one process, until told to stop.

What a job does, and what becomes of one that fails, is its handler's business: a handler that returns is done, one that
raises is run again. How jobs ended is recorded in the transaction that fetches the next: one commit for each.
"""

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import psycopg

from fairlead.core.errors import Refused, Unavailable
from fairlead.store.committed_calls import Call
from fairlead.store.connection import Connection, Database
from fairlead.store.jobs import fetching
from fairlead.store.jobs.heartbeats import Heartbeats, and_so_on
from fairlead.store.jobs.queue import JobRun, Task
from fairlead.store.jobs.workers import unregister
from fairlead.telemetry.errors import error_kind
from fairlead.telemetry.logs import get_logger

Handler = Callable[[Sequence[JobRun]], Collection[int] | None]
"""Does the jobs, and returns the ids of those that it left alone because the worker stops: they wait again."""

log = get_logger(__name__)

POLLING_SECONDS = 1.0
"""Jobs that a lost signal left lying are found this late at the most."""

RUN_AGAIN_SECONDS = (1, 2, 5, 10, 30, 60)
"""After each run whose handler raised: the handler could not even say what went wrong, so the database is away."""

RECORD_AGAIN_SECONDS = (0.1, 0.5, 1, 2, 5)
"""After each attempt to record how runs ended, or to fetch, that failed because the database was away."""


@dataclass(frozen=True, slots=True)
class QueueConfig:
    """One queue's workers in this process: so many threads, each of which takes up to so many of its jobs at once."""

    queue: str
    concurrency: int
    batch_jobs: int = 1


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long a silent worker is believed in, and how long this one may take to stop."""

    heartbeat_timeout_seconds: float
    shutdown_timeout_seconds: float


def run_worker(
    database: Database,
    queues: Sequence[QueueConfig],
    handlers: Mapping[Task, Handler],
    bounds: Bounds,
    stop: threading.Event,
    on_running: Callable[[], None] = lambda: None,
    on_due: Callable[[Collection[str]], None] = lambda _: None,
) -> bool:
    """Jobs of these queues are done as they come, until `stop` is set; a lost database is waited for.

    Then no job is taken any more and those under way are finished. Returns whether they were, within
    `bounds.shutdown_timeout_seconds`; those that were not are released, for other workers to rescue at once, and still
    run in threads of this process, which should end now. `on_due` is told at once of queues in which there is something
    new. Raises `Refused` where a pooler hides the server.
    """
    return _Runner(database, queues, handlers, bounds, stop, on_due).run(on_running)


@dataclass(frozen=True, slots=True)
class _Ended:
    """Runs that ended and are not on record yet: jobs that are done, and those that wait again, after a delay."""

    done_ids: Sequence[int] = ()
    again_ids: Sequence[int] = ()
    delay_seconds: float = 0


_NOTHING = _Ended()


@dataclass(frozen=True, slots=True)
class _Look:
    """What the threads of one queue share: one at a time waits for jobs, and is woken when there may be some."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    wake: threading.Event = field(default_factory=threading.Event)


@dataclass(slots=True)
class _Runner:
    database: Database
    queues: Sequence[QueueConfig]
    handlers: Mapping[Task, Handler]
    bounds: Bounds
    stop: threading.Event
    on_due: Callable[[Collection[str]], None]
    looks: Mapping[str, _Look] = field(init=False)
    worker_id: int = field(init=False)

    def __post_init__(self) -> None:
        self.looks = {config.queue: _Look() for config in self.queues}

    def run(self, on_running: Callable[[], None]) -> bool:
        heartbeats = Heartbeats(self.database, self.bounds.heartbeat_timeout_seconds, self._wake, on_running)
        worker_id = heartbeats.begin(self.stop)
        if worker_id is None:
            return True  # told to stop before the database could be reached
        self.worker_id = worker_id
        self.database.on_enqueued = self._wake
        # They end with the process: one that outlasts the drain keeps nothing from ending.
        threads = [
            threading.Thread(target=self._serve, args=(config,), name=config.queue, daemon=True)
            for config in self.queues
            for _ in range(config.concurrency)
        ]
        for thread in threads:
            thread.start()
        on_running()
        self.stop.wait()
        deadline = time.monotonic() + self.bounds.shutdown_timeout_seconds
        self._wake(self.looks)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self.database.on_enqueued = None
        heartbeats.end()
        self._release(worker_id)
        return not any(thread.is_alive() for thread in threads)

    def _wake(self, queues: Collection[str]) -> None:
        self.on_due(queues)
        for queue in queues:
            if queue in self.looks:
                self.looks[queue].wake.set()

    def _serve(self, config: QueueConfig) -> None:
        """One thread's work: it does jobs as long as there are some, and waits in its turn where there are none."""
        look, ended = self.looks[config.queue], _NOTHING
        while not self.stop.is_set() or ended is not _NOTHING:
            runs = self._record_and_fetch(config, ended)
            ended = _NOTHING
            if not runs:
                with look.turn:
                    runs = self._wait_for_jobs(config, look)
            if runs:
                ended = self._done(runs)

    def _wait_for_jobs(self, config: QueueConfig, look: _Look) -> list[JobRun]:
        while not self.stop.is_set():
            look.wake.clear()  # before it looks: what comes meanwhile is looked for again
            runs = self._record_and_fetch(config, _NOTHING)
            if runs:
                return runs
            look.wake.wait(POLLING_SECONDS)
        return []

    def _record_and_fetch(self, config: QueueConfig, ended: _Ended) -> list[JobRun]:
        """How runs ended is on record, and the queue's next jobs are this worker's, but none once it stops.

        It is tried until it is done: a job without its end on record would look as if it ran for ever.
        """

        def work(conn: Connection) -> list[JobRun]:
            if ended.done_ids:
                fetching.finish(conn, ended.done_ids, self.worker_id)
            if ended.again_ids:
                fetching.run_again(conn, ended.again_ids, self.worker_id, ended.delay_seconds)
            if self.stop.is_set():
                return []
            return fetching.fetch(conn, config.queue, self.worker_id, config.batch_jobs)

        # One call for all attempts: jobs that were fetched in a commit whose answer was lost must not be forgotten.
        call = Call(work)
        for pause_seconds in and_so_on(RECORD_AGAIN_SECONDS):
            if ended is _NOTHING and self.stop.is_set():
                break
            try:
                return self.database.run_call(call)
            except (Unavailable, psycopg.Error) as error:
                log.warning("the database is away", error=error_kind(error))
                time.sleep(pause_seconds)
        return []

    def _done(self, runs: Sequence[JobRun]) -> _Ended:
        """The jobs are run, all of one task; returns how that ended."""
        job_ids = [run.job_id for run in runs]
        try:
            left = self.handlers[runs[0].task](runs) or ()
        except Exception:  # the handler has said so; and whatever it was, the job must not be lost
            delay = RUN_AGAIN_SECONDS[min(max(run.attempt for run in runs), len(RUN_AGAIN_SECONDS)) - 1]
            return _Ended(again_ids=job_ids, delay_seconds=delay)
        return _Ended([job_id for job_id in job_ids if job_id not in left], [*left])

    def _release(self, worker_id: int) -> None:
        """Jobs that outlast this worker are no worker's from now on: the next sweep rescues them."""
        try:
            self.database.run(lambda conn: unregister(conn, worker_id))
        except (Unavailable, Refused, psycopg.Error):
            log.warning("this worker could not be unregistered: others will miss its heartbeat")
