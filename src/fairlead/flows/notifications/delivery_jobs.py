"""The jobs that deliver notifications."""

from collections.abc import Mapping

from fairlead.store.jobs.queue import Job, Task

TASK_OF: Mapping[str, Task] = {"email": "send_email", "webhook": "send_webhook"}


def delivery_job(notification_id: str, channel: str, correlation_id: str | None, delay_seconds: float = 0) -> Job:
    """The job that delivers the notification: whom and what it tells, the row says."""
    payload = {"notification_id": notification_id, "correlation_id": correlation_id}
    return Job(TASK_OF[channel], payload, delay_seconds)
