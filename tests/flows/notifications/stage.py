"""A marketplace that has something to tell, and workers' jobs, run one by one or at once as a test wants it."""

from collections.abc import Sequence
from typing import Any

from fairlead.delivery.mail_transport import open_mail_transport
from fairlead.delivery.outcome import Delivery
from fairlead.delivery.secret_box import SecretBox, new_secret_key, secret_box
from fairlead.flows.distributor import Distributor
from fairlead.flows.notifications.dispatch import dispatch_notifications
from fairlead.flows.notifications.endpoint_changes import EndpointChange
from fairlead.flows.notifications.endpoints import set_webhook_endpoint
from fairlead.flows.notifications.send_email import EmailSender
from fairlead.flows.notifications.send_webhook import WebhookSender
from fairlead.flows.submit_leads import submit_leads
from fairlead.settings import Settings
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.marketplaces import HOSTING, declare, provider_id

ANCHOR, BOWLINE = "anchor@example.com", "bowline@example.com"
GOLD_OF_BOWLINE = '    { niche = "hosting", level = "gold" },\n'
OPERATORS = "ops@example.com, night@example.com"

# What must be found nowhere but in messages.
CANARY_NAME, CANARY_EMAIL, CANARY_PHONE = "Cora Canary", "cora.canary@example.org", "+49 30 1234567"
CANARIES = (CANARY_NAME, "canary", CANARY_PHONE, "30 1234567", ANCHOR, BOWLINE, "anchor@", "bowline@", "whsec_")

SECRET_KEYS = new_secret_key()


def settings_for(smtp_port: int = 1, **more: Any) -> Settings:
    """Settings of a worker whose mail server listens there, and whose retries come quickly."""
    given: dict[str, Any] = {
        "mail_transport": "smtp",
        "mail_from": "Fairlead <leads@example.net>",
        "smtp_host": "127.0.0.1",
        "smtp_port": smtp_port,
        "smtp_security": "none",
        "smtp_timeout_seconds": 5,
        "alert_emails": OPERATORS,
        "webhook_allow_private": True,
        "webhook_timeout_seconds": 5,
        "webhook_pause_after_failures": 3,
        "encryption_keys": SECRET_KEYS,
        "retry_delay_factor": 0.001,
    }
    return Settings(**(given | more))


def box() -> SecretBox:
    """The secret box of `settings_for`."""
    return secret_box(settings_for())


def open_marketplace(database: Database) -> None:
    """Anchor and Bowline subscribe to what they can pay for, so that there is nothing to tell of it; no job waits."""
    declare(database, HOSTING.replace(GOLD_OF_BOWLINE, ""))
    forget(database)


def sell_lead(database: Database) -> str:
    """A lead with contact data is sold: the first to Anchor for gold and to Bowline for silver. Returns its id."""
    [lead_id] = submit_leads(database, "hosting", [{"cores": 8, "region": "north"}], OPERATOR, approve=True)
    with database.transaction() as conn:
        conn.execute(
            """
            update leads set contact_name = %s, contact_email = %s, contact_phone = %s, correlation_id = 'request-1'
            where id = %s
            """,
            (CANARY_NAME, CANARY_EMAIL, CANARY_PHONE, lead_id),
        )
        niche_id = str(conn.execute("select id from niches").fetchall()[0][0])
    Distributor(database).distribute_waiting(niche_id)
    for job in jobs(database, "distribute_lead"):
        finish(database, job["id"])
    return lead_id


def set_endpoint(database: Database, url: str, email: str = ANCHOR, **more: Any) -> EndpointChange:
    """The provider has a webhook endpoint there."""
    given: dict[str, Any] = {"field_mapping": None, "actor": OPERATOR, "allow_private": True}
    return set_webhook_endpoint(database, box(), provider_id(database, email), url, **(given | more))


def forget(database: Database) -> None:
    """All that waits counts as told, and no job waits."""
    with database.transaction() as conn:
        conn.execute("update notifications set state = 'sent', sent_at = now(), attempts = 1 where state <> 'sent'")
        conn.execute("delete from jobs")


def notification(database: Database, kind: str = "lead_assigned", channel: str = "email", email: str = ANCHOR) -> str:
    """The id of the provider's newest notification of this kind and channel."""
    with database.snapshot() as conn:
        rows = conn.execute(
            """
            select n.id::text from notifications n left join providers p on p.id = n.provider_id
            where kind = %s and channel = %s and (p.email = %s or kind = 'operator_alert') order by n.id desc
            """,
            (kind, channel, email),
        ).fetchall()
    return rows[0][0]


def states(database: Database, kind: str = "lead_assigned", channel: str = "email") -> list[str]:
    """The states of the notifications of this kind and channel, in the order of their ids."""
    with database.snapshot() as conn:
        rows = conn.execute(
            "select state from notifications where kind = %s and channel = %s order by id", (kind, channel)
        ).fetchall()
    return [row[0] for row in rows]


def row_of(database: Database, notification_id: str) -> dict[str, Any]:
    """The notification's row."""
    with database.snapshot() as conn:
        rows = conn.execute("select to_jsonb(n) from notifications n where id = %s", (notification_id,)).fetchall()
    return rows[0][0]


def query(database: Database, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """What the statement finds."""
    with database.snapshot() as conn:
        return conn.execute(statement.encode(), values).fetchall()


def jobs(database: Database, task: str | None = None) -> list[dict[str, Any]]:
    """The jobs that wait (for the task), in their order, with how many seconds there are until they are due."""
    rows = query(
        database,
        """
        select jsonb_build_object('id', id, 'task', task, 'payload', payload,
                                  'due_in', coalesce(extract(epoch from scheduled_at - clock_timestamp()), 0))
        from jobs where state = 'waiting' and (%s::text is null or task = %s) order by id
        """,
        task,
        task,
    )
    return [row[0] for row in rows]


def take(database: Database, job_id: int) -> None:
    """A worker is at the job, as far as the queue knows."""
    with database.transaction() as conn:
        conn.execute("update jobs set state = 'running' where id = %s", (job_id,))


def finish(database: Database, job_id: int) -> None:
    """The job is done and gone."""
    with database.transaction() as conn:
        conn.execute("delete from jobs where id = %s", (job_id,))


def emails(database: Database, settings: Settings) -> EmailSender:
    """A worker's way to send email."""
    return EmailSender(database, open_mail_transport(settings), settings)


def work_off(database: Database, settings: Settings, rounds: int = 1) -> list[Delivery | None]:
    """What waits is dispatched and every job that waits then is run, whenever it is due; so many times."""
    mail, webhooks = emails(database, settings), WebhookSender(database, settings)
    outcomes: list[Delivery | None] = []
    for _ in range(rounds):
        for job in jobs(database, "dispatch_notifications"):
            finish(database, job["id"])
        dispatch_notifications(database)
        for job in jobs(database):
            sender = {"send_email": mail, "send_webhook": webhooks}.get(job["task"])
            if sender is not None:
                take(database, job["id"])
                outcomes.append(sender.send(job["payload"]["notification_id"], job["id"]))
                finish(database, job["id"])
    return outcomes


def stored_text(database: Database, tables: Sequence[str]) -> str:
    """All that these tables hold, as text."""
    return "\n".join(row[0] for name in tables for row in query(database, f"select t::text from {name} t"))


NOT_FOR_PEOPLE = ("notifications", "job_attempts", "dead_letters", "audit_log", "jobs")


def assert_nothing_personal(database: Database) -> None:
    """No answer, error, audit entry, dead letter or job holds a canary."""
    text = stored_text(database, NOT_FOR_PEOPLE)
    assert text
    found = [canary for canary in CANARIES if canary.lower() in text.lower()]
    assert not found, found
