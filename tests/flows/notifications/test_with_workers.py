"""From the sale to the inbox and the CRM, by real workers on the real queue."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

from fairlead.flows.notifications.dispatch import dispatch_notifications
from fairlead.flows.notifications.send_webhook import WebhookSender
from fairlead.store.connection import Database
from fairlead.store.jobs.queue import Task
from fairlead.store.jobs.runner import Bounds, Handler, QueueConfig, run_worker
from tests.delivery.mail_servers import Inbox, mail_server
from tests.delivery.receiver import receiver, says
from tests.flows.notifications.stage import (
    assert_nothing_personal,
    emails,
    jobs,
    open_marketplace,
    query,
    sell_lead,
    set_endpoint,
    settings_for,
)
from tests.store.jobs.test_runner import each
from tests.waiting import wait_until

QUEUES = (QueueConfig("dispatch", 1), QueueConfig("email", 3, 5), QueueConfig("webhook", 3))


def test_leads_that_are_sold_arrive_once_although_each_receiver_fails_at_first(database: Database) -> None:
    open_marketplace(database)
    answers = [says(503), says(429)]

    def moody(connection: socket.socket) -> None:
        (answers.pop() if answers else says(200))(connection)

    inbox, stop = Inbox(answer_to_data="451 4.3.0 try later"), threading.Event()
    with receiver(moody) as crm, mail_server(inbox) as port:
        set_endpoint(database, crm.url())
        settings = settings_for(port)
        mail, webhooks = emails(database, settings), WebhookSender(database, settings)
        handlers: dict[Task, Handler] = {
            "dispatch_notifications": each(lambda _: dispatch_notifications(database)),
            "send_email": lambda runs: mail.send_all({str(run.payload["notification_id"]): run.job_id for run in runs})[
                1
            ],
            "send_webhook": each(lambda run: webhooks.send(str(run.payload["notification_id"]), run.job_id)),
        }
        with ThreadPoolExecutor(2) as pool:
            workers = [pool.submit(run_worker, database, QUEUES, handlers, Bounds(30, 20), stop) for _ in range(2)]
            try:
                for _ in range(3):
                    sell_lead(database)
                wait_until(
                    lambda: query(database, "select count(*) > 0 from job_attempts where task = 'send_email'")[0][0]
                )
                inbox.answer_to_data = "250 OK"
                unsent = "select count(*) from notifications where state <> 'sent'"
                wait_until(lambda: query(database, unsent) == [(0,)])
            finally:
                stop.set()
            assert [each.result(30) for each in workers] == [True, True]
    ids = [str(message["Message-ID"]) for message in inbox.messages]
    told = query(database, "select id::text from notifications where channel = 'email' order by id")
    assert sorted(ids) == [f"<{notification_id}@example.net>" for (notification_id,) in told]
    by_webhook = query(database, "select id::text from notifications where channel = 'webhook' order by id")
    taken = [request.headers["webhook-id"] for request in crm.requests]
    assert sorted(set(taken)) == [notification_id for (notification_id,) in by_webhook]
    assert len(taken) == len(by_webhook) + 2  # one attempt more for each refusal
    assert jobs(database) == []
    assert_nothing_personal(database)
