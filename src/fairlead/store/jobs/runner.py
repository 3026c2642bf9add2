"""Running jobs: one lane of workers per queue, in one process, until told to stop.

Procrastinate fetches, hears of new jobs and sends the heartbeats. What a job does, and what becomes of one that fails,
is its handler's business: a handler that returns is done, one that raises is run again.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg
from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision, exceptions, jobs, utils
from procrastinate.worker import Worker
from psycopg_pool import AsyncConnectionPool

from fairlead.core.errors import Unavailable
from fairlead.store.connection import Database
from fairlead.store.jobs.attention import AttentiveJobManager
from fairlead.store.jobs.queue import QUEUE_OF, JobRun, Queue, Task
from fairlead.telemetry.errors import error_kind
from fairlead.telemetry.logs import get_logger

Handler = Callable[[JobRun], object]

log = get_logger(__name__)

POLLING_SECONDS = 1.0
"""Jobs for later, and any that a lost signal left lying, are found this late at the most."""

RUN_AGAIN_SECONDS = (1, 2, 5, 10, 30, 60)
"""After each run whose handler raised: the handler could not even say what went wrong, so the database is away."""

RECONNECT_SECONDS = (0.2, 0.5, 1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Lane:
    """One queue's workers in this process: so many of its jobs run at once."""

    queue: Queue
    concurrency: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long a silent worker is believed in, and how long this one may take to stop."""

    heartbeat_timeout_seconds: float
    shutdown_timeout_seconds: float


def run_worker(
    database: Database,
    lanes: Sequence[Lane],
    handlers: Mapping[Task, Handler],
    bounds: Bounds,
    stop: threading.Event,
    on_running: Callable[[], None] = lambda: None,
) -> bool:
    """Jobs of these queues are done as they come, until `stop` is set; a lost database is waited for.

    Then no job is taken any more and those under way are finished. Returns whether they were, within
    `bounds.shutdown_timeout_seconds`; those that were not are released, for other workers to take over at once, and
    still run in threads of this process, which should end now. Raises `Refused` where a pooler hides the server.
    """
    _require_session(database)
    # Not asyncio.run: it would wait for what outlasts the drain, which is what the bound is for.
    loop = asyncio.new_event_loop()
    is_drained = loop.run_until_complete(_Runner(database, lanes, handlers, bounds, stop, on_running).run())
    if is_drained:
        loop.close()
    return is_drained


def _require_session(database: Database) -> None:
    """Workers hear of new jobs (LISTEN), which takes a session of one's own; a database that is away is waited for."""
    with suppress(Unavailable):
        database.connect_directly().close()


class _Runner:
    def __init__(
        self,
        database: Database,
        lanes: Sequence[Lane],
        handlers: Mapping[Task, Handler],
        bounds: Bounds,
        stop: threading.Event,
        on_running: Callable[[], None],
    ) -> None:
        self._database = database
        self._lanes = lanes
        self._handlers = handlers
        self._bounds = bounds
        self._stop = stop
        self._on_running = on_running
        # Registrations of earlier lives, whose jobs are no worker's.
        self._abandoned: set[int] = set()

    async def run(self) -> bool:
        loop = asyncio.get_running_loop()
        threads = ThreadPoolExecutor(sum(lane.concurrency for lane in self._lanes) + 2, "job")
        # Jobs run in the loop's own threads, of which it would have six on a machine with two cores.
        loop.set_default_executor(threads)
        stopping = asyncio.Event()
        threading.Thread(target=self._hand_on_stop, args=(loop, stopping), daemon=True).start()
        failures, is_drained = 0, True
        while not stopping.is_set():
            try:
                is_drained = await self._live(stopping)
                failures = 0
            except (exceptions.ConnectorException, psycopg.OperationalError, OSError) as error:
                log.warning("the database is away", error=error_kind(error))
            if not stopping.is_set():
                pause_seconds = RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)]
                failures += 1
                await utils.wait_any(stopping.wait(), asyncio.sleep(pause_seconds))
        threads.shutdown(wait=False, cancel_futures=True)
        return is_drained

    def _hand_on_stop(self, loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
        self._stop.wait()
        if not loop.is_closed():
            loop.call_soon_threadsafe(stopping.set)

    async def _live(self, stopping: asyncio.Event) -> bool:
        """One life of all lanes, over when `stopping` is set or the database is lost; whether no job was left over."""
        connector = PsycopgConnector(
            pool_factory=_pool,
            conninfo=self._database.direct_url,
            kwargs=self._database.connection_settings(),
            min_size=1,
            max_size=len(self._lanes) + 2,
            timeout=10,
        )
        await connector.open_async()
        try:
            await self._release(connector)
            workers = [self._worker(connector, lane) for lane in self._lanes]
            return await self._work(connector, workers, stopping)
        finally:
            await connector.close_async()

    async def _work(self, connector: PsycopgConnector, workers: Sequence[Worker], stopping: asyncio.Event) -> bool:
        lives = {asyncio.create_task(worker.run()) for worker in workers}
        ended = asyncio.create_task(stopping.wait())
        self._on_running()
        # A lane ends by itself only because it lost the database, and the others are about to.
        await asyncio.wait({*lives, ended}, return_when=asyncio.FIRST_COMPLETED)
        self._abandoned |= {worker.worker_id for worker in workers if worker.worker_id is not None}
        for worker in workers:
            worker.stop()
        ended.cancel()
        done, unfinished = await asyncio.wait(lives, timeout=self._bounds.shutdown_timeout_seconds)
        for life in done:
            if not life.cancelled() and (error := life.exception()) is not None:
                log.warning("a lane of workers ended", error=error_kind(error))
        if unfinished and stopping.is_set():
            await self._release(connector)
        return not unfinished

    async def _release(self, connector: PsycopgConnector) -> None:
        """Jobs that outlasted their worker are no worker's from now on: the next sweep takes them over."""
        if not self._abandoned:
            return
        try:
            await connector.execute_query_async(
                "delete from procrastinate_workers where id = any(%(ids)s::bigint[])", ids=[*self._abandoned]
            )
            self._abandoned.clear()
        except exceptions.ConnectorException:
            log.warning("jobs under way could not be released: others will miss this worker's heartbeat")

    def _worker(self, connector: PsycopgConnector, lane: Lane) -> Worker:
        app = App(connector=connector)
        app.job_manager = AttentiveJobManager(connector)
        for task, handler in self._handlers.items():
            if QUEUE_OF[task] == lane.queue:
                app.task(name=task, queue=lane.queue, retry=_RunAgain(), pass_context=True)(_job_of(task, handler))
        return Worker(
            app,
            queues=[lane.queue],
            name=lane.queue,
            concurrency=lane.concurrency,
            fetch_job_polling_interval=POLLING_SECONDS,
            abort_job_polling_interval=60,
            delete_jobs="always",
            install_signal_handlers=False,
            update_heartbeat_interval=min(10.0, self._bounds.heartbeat_timeout_seconds / 3),
            stalled_worker_timeout=self._bounds.heartbeat_timeout_seconds,
        )


def _pool(**settings: Any) -> AsyncConnectionPool:
    # The library asks for a check of every connection that it takes: two round trips and commits more per job. A dead
    # connection ends the lane instead, and the lane's next life begins with new ones.
    settings["check"] = None
    return AsyncConnectionPool(**settings)


def _job_of(task: Task, handler: Handler) -> Callable[..., None]:
    def run(context: JobContext, **payload: object) -> None:
        assert context.job.id is not None, "it was fetched"
        handler(JobRun(context.job.id, task, payload))

    return run


class _RunAgain(BaseRetryStrategy):
    def get_retry_decision(self, *, exception: BaseException, job: jobs.Job) -> RetryDecision | None:
        seconds = RUN_AGAIN_SECONDS[min(job.attempts, len(RUN_AGAIN_SECONDS) - 1)]
        return RetryDecision(retry_at=utils.utcnow() + timedelta(seconds=seconds))
