"""What a test of email looks at, and a transport that does as it is told."""

from contextlib import AbstractContextManager, nullcontext
from email.message import EmailMessage

from fairlead.delivery.email import Email
from fairlead.delivery.outcome import Delivery
from fairlead.store.connection import Database
from tests.delivery.mail_servers import Inbox
from tests.flows.notifications.stage import (
    jobs,
    take,
)


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def sent_to(inbox: Inbox, address: str) -> list[EmailMessage]:
    return [
        message for message, recipient in zip(inbox.messages, inbox.recipients, strict=True) if recipient == address
    ]


class Recorder:
    """A transport that keeps what it was given, and says or does what it is told."""

    def __init__(self, *answers: Delivery | Exception) -> None:
        self.answers = list(answers)
        self.emails: list[Email] = []

    def session(self) -> AbstractContextManager["Recorder"]:
        """Itself: it keeps no connection."""
        return nullcontext(self)

    def send(self, email: Email) -> Delivery:
        self.emails.append(email)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def first_job(database: Database, notification_id: str) -> int:
    """The notification's oldest job, which a worker is at from now on."""
    job_id = next(
        job["id"] for job in jobs(database, "send_email") if job["payload"]["notification_id"] == notification_id
    )
    take(database, job_id)
    return job_id
