"""Hearing of every new job, also of one that comes while another is looked for, and seeing each through to its end."""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Iterable
from contextlib import contextmanager
from datetime import datetime

import psycopg
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job, Notification, Status
from procrastinate.manager import JobManager, NotificationCallback

from fairlead.store.database_errors import is_transient
from fairlead.telemetry.errors import error_kind
from fairlead.telemetry.logs import get_logger

log = get_logger(__name__)

PAUSES_SECONDS = (0.1, 0.5, 1, 2, 5)
"""After each attempt to record a job's end that failed because its connection broke."""


class AttentiveJobManager(JobManager):
    """The library's, but for what it overlooks. Only what the library documents is overridden.

    Its worker forgets what it is told while it looks for a job, and would find that job when it polls next: a lead that
    comes a millisecond after another would wait for a second. So it looks again.

    Where the one connection breaks on which a job's end is to be recorded, its worker goes on, and the job would look
    as if it ran for as long as the worker lives: no other could take it over. So that is tried again.

    And it waits for what is under way before it says that it lost the database, which may take minutes. So it is said.
    """

    _told_count = 0

    async def listen_for_jobs(
        self, *, on_notification: NotificationCallback, queues: Iterable[str] | None = None
    ) -> None:
        """As the library's, and what it hears is counted."""

        async def count(*, channel: str, notification: Notification) -> None:
            self._told_count += 1
            await on_notification(channel=channel, notification=notification)

        with _saying_so():
            await super().listen_for_jobs(on_notification=count, queues=queues)

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """The next job, now this worker's; None when there is none and none was announced meanwhile."""
        with _saying_so():
            while True:
                told_count = self._told_count
                job = await super().fetch_job(queues, worker_id)
                if job is not None or told_count == self._told_count:
                    return job

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """The job has come to its end, also when a connection or two broke over it."""
        finish = super().finish_job
        await _insist(lambda: finish(job, status, delete_job))

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """The job waits to be run again, also when a connection or two broke over it."""
        retry = super().retry_job
        await _insist(lambda: retry(job, retry_at, priority, queue, lock))


async def _insist(record: Callable[[], Awaitable[None]]) -> None:
    for number, pause_seconds in enumerate((*PAUSES_SECONDS, None)):
        try:
            return await record()
        except ConnectorException as error:
            if number and isinstance(error.__cause__, psycopg.errors.RaiseException):
                return None  # an attempt before this one was done, and only its answer was lost
            if pause_seconds is None or not _is_lost_connection(error):
                raise
            await asyncio.sleep(pause_seconds)


def _is_lost_connection(error: ConnectorException) -> bool:
    return isinstance(error.__cause__, psycopg.Error) and is_transient(error.__cause__)


@contextmanager
def _saying_so() -> Generator[None]:
    try:
        yield
    except ConnectorException as error:
        log.warning("the database is away", error=error_kind(error))
        raise
