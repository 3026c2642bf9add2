"""Hearing of every new job, also of one that comes while another is being looked for."""

from collections.abc import Iterable

from procrastinate.jobs import Job, Notification
from procrastinate.manager import JobManager, NotificationCallback


class AttentiveJobManager(JobManager):
    """The library's, which looks again when it found no job but was told of one while it was looking.

    The library's worker forgets what it was told in that time, and would find the job when it polls next: a lead that
    comes a millisecond after another would wait for a second. Only what the library documents is overridden.
    """

    _told_count = 0

    async def listen_for_jobs(
        self, *, on_notification: NotificationCallback, queues: Iterable[str] | None = None
    ) -> None:
        """As the library's, and what it hears is counted."""

        async def count(*, channel: str, notification: Notification) -> None:
            self._told_count += 1
            await on_notification(channel=channel, notification=notification)

        await super().listen_for_jobs(on_notification=count, queues=queues)

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """The next job, now this worker's; None when there is none and none was announced meanwhile."""
        while True:
            told_count = self._told_count
            job = await super().fetch_job(queues, worker_id)
            if job is not None or told_count == self._told_count:
                return job
