"""Leads that are erased while messages about them are on their way: what arrives then left before, and nothing stays.

The other side has each message and answers only after the erasure has committed. Its answer repeats who the lead is of,
as servers do.
"""

import asyncio
import threading
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from socket import socket
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from fairlead.delivery.outcome import Delivery, Sent
from fairlead.flows.approve_lead import approve_leads
from fairlead.flows.erasure.erase import erase_lead
from fairlead.flows.notifications.dispatch import dispatch_notifications
from fairlead.flows.notifications.send_webhook import WebhookSender
from fairlead.settings import Settings
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.delivery.mail_servers import Inbox, mail_server
from tests.delivery.receiver import receiver, says
from tests.flows.erasure.canaries import CANARIES, distribute, found, open_market, sent
from tests.flows.intake.senders import send
from tests.flows.notifications.stage import (
    emails,
    finish,
    forget,
    jobs,
    query,
    set_endpoint,
    settings_for,
    take,
    work_off,
)
from tests.race.processes import deadlocks, opened
from tests.waiting import PATIENCE_SECONDS, wait_until

ECHO = f"{CANARIES['contact_name']} {CANARIES['contact_email']}"
LEADS = 3
EMAILS, WEBHOOKS = 2 * LEADS, LEADS


@dataclass
class Outside:
    """A mail server and a CRM that have what they were sent, and answer once they may; with a yes, or not.

    What they `repeat` of it is in the answer.
    """

    answer: str
    repeat: str = ECHO
    held: list[str] = field(default_factory=list[str])
    may_answer: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def listening(self) -> Generator[tuple[int, str]]:
        """The port of the one, and the address of the other."""
        status = {"yes": 200, "later": 503, "no": 410}[self.answer]

        def hold(connection: socket) -> None:
            self.held.append("webhook")
            assert self.may_answer.wait(PATIENCE_SECONDS)
            says(status, body=self.repeat.encode())(connection)

        inbox = HoldingInbox()
        inbox.outside = self
        with mail_server(inbox) as port, receiver(hold) as crm:
            yield port, crm.url()


class HoldingInbox(Inbox):
    """Takes what it is sent once `outside` may answer."""

    outside: Outside

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> Any:
        self.outside.held.append("email")
        while not self.outside.may_answer.is_set():
            await asyncio.sleep(0.01)
        code = {"yes": "250 2.0.0", "later": "451 4.3.0", "no": "554 5.7.1"}[self.outside.answer]
        self.answer_to_data = f"{code} {self.outside.repeat}"
        return await super().handle_DATA(server, session, envelope)


@pytest.mark.parametrize("answer", ["yes", "later", "no"])
def test_leads_are_erased_while_every_message_about_them_is_on_its_way(
    answer: str, database: Database, database_url: str
) -> None:
    open_market(database)
    outside = Outside(answer)
    with outside.listening() as (port, crm), opened(database_url, 12) as workers:
        settings = settings_for(
            port, smtp_timeout_seconds=60, webhook_timeout_seconds=60, webhook_pause_after_failures=100
        )
        set_endpoint(database, crm)
        forget(database)
        leads = [send(database, sent()).lead_id for _ in range(LEADS)]
        approve_leads(database, leads, OPERATOR)
        distribute(database)
        dispatch_notifications(database)
        with ThreadPoolExecutor(EMAILS + WEBHOOKS + LEADS) as pool:
            on_their_way = [
                pool.submit(carry, workers, settings, job)
                for job in jobs(database)
                if job["task"] in ("send_email", "send_webhook")
            ]
            wait_until(lambda: len(outside.held) == EMAILS + WEBHOOKS, "every message being held")
            assert Counter(outside.held) == {"email": EMAILS, "webhook": WEBHOOKS}
            erasures = [pool.submit(erase_lead, workers, each, "consumer_request", OPERATOR) for each in leads]
            for call in erasures:  # it waits for none of them
                assert not call.result(PATIENCE_SECONDS).was_already
            assert not any(call.done() for call in on_their_way)
            outside.may_answer.set()
            outcomes = [call.result(PATIENCE_SECONDS) for call in on_their_way]
        assert {isinstance(each, Sent) for each in outcomes} == {answer == "yes"}
        outside.repeat = "of what is sent now it knows nothing"
        work_off(database, settings, rounds=3)  # what failed is due again, and the notices of the erasures are new
    told = dict(query(database, "select kind || ' ' || state, count(*) from notifications group by 1"))
    left = {"yes": "sent", "later": "skipped", "no": "failed"}[answer]
    assert told.get(f"lead_assigned {left}", 0) == EMAILS + WEBHOOKS, told
    assert found(database) == []
    assert deadlocks(database_url) == 0


def carry(database: Database, settings: Settings, job: dict[str, Any]) -> Delivery | None:
    """A worker takes the job and ends it."""
    take(database, job["id"])
    sender = emails(database, settings) if job["task"] == "send_email" else WebhookSender(database, settings)
    outcome = sender.send(job["payload"]["notification_id"], job["id"])
    finish(database, job["id"])
    return outcome
