"""Struck at every statement of what is taken in and told: a lead is there once, and each message told or on record."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from fairlead.delivery.outcome import Delivery, NotSent, Sent
from fairlead.flows.access.principal import Client
from fairlead.flows.distributor import Distributor
from fairlead.flows.intake.confirmation import confirm_lead
from fairlead.flows.intake.lead import IntakeLead
from fairlead.flows.intake.take_in import public_sender, take_in_lead
from fairlead.flows.notifications.dispatch import dispatch_notifications
from fairlead.flows.notifications.endpoint_secrets import retire_previous_secret, rotate_webhook_secret
from fairlead.flows.notifications.endpoints import (
    EndpointAddress,
    change_webhook_endpoint,
    pause_webhook_endpoint,
    remove_webhook_endpoint,
    resume_webhook_endpoint,
    set_webhook_endpoint,
)
from fairlead.flows.notifications.hand_over import hand_over_emails
from fairlead.flows.notifications.preferences import set_notification_preferences
from fairlead.flows.notifications.replay import replay_endpoint, replay_notification
from fairlead.flows.notifications.send_email import EmailSender
from fairlead.flows.notifications.send_webhook import WebhookSender
from fairlead.flows.notifications.templates import restore_template, save_template, show_template
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from fairlead.store.leads.rows import clock
from tests.chaos.proxy import Proxy
from tests.chaos.struck import AT_COMMITS, Flow, Row, in_the_next_run, strike_at_every_statement
from tests.delivery.receiver import closed_port, receiver, says
from tests.flows.intake.senders import BY_EMAIL, CLIENT, DETAILS, LEAD, PARTNER, VISITOR, link, open_niche, send, visit
from tests.flows.notifications.mail import Recorder
from tests.flows.notifications.stage import box, settings_for
from tests.flows.sales import MEMO, query
from tests.race.marketplaces import Provider, Terms, add_leads, add_providers, subscribe
from tests.race.marketplaces import open_niche as open_plain_niche

pytestmark = [pytest.mark.chaos, pytest.mark.slow]

Act = Callable[[Database, Database, str], object]
Case = tuple[Callable[[Database, str], str], Act]
BOX = box()

# What is taken in ---------------------------------------------------------------------------------------------------

ADDRESSES = count()
TOKENS = dict[str, tuple[str, Client]]()
"""What confirms the lead of a target, and its consumer, each at an address of its own."""


def lead_for(slug: str) -> IntakeLead:
    return replace(LEAD, niche_slug=slug, details={**DETAILS, "contact_email": f"{slug}@example.net"})


def niche(database: Database, slug: str) -> str:
    open_niche(database, slug, is_public=True, approves=True, duplicate_rule=BY_EMAIL)
    each = next(ADDRESSES)
    TOKENS[slug] = "", replace(VISITOR, ip=f"198.51.{each // 250}.{each % 250}")
    return slug


def unconfirmed(database: Database, slug: str) -> str:
    """A consumer asked, and has the link that confirms it."""
    niche(database, slug)
    _, consumer = TOKENS[slug]
    lead_id = visit(database, lead_for(slug), consumer).lead_id
    TOKENS[slug] = link(database, lead_id), consumer
    return slug


def repeating(database: Database, slug: str) -> str:
    """And a lead with the same address came before it."""
    unconfirmed(database, slug)
    send(database, lead_for(slug))
    return slug


def ask(database: Database, _: Database, slug: str) -> None:
    consumer = TOKENS[slug][1]
    take_in_lead(database, lead_for(slug), "public", public_sender(consumer), consumer)


def ending_of_intake(database: Database, slug: str) -> Row:
    return query(
        database,
        """
        select l.status, l.awaits_decision, l.rejection_reason is not null, i.via, i.confirmed_at is not null,
               i.duplicate_of is not null,
               (select count(*) from lead_consents c where c.lead_id = l.id),
               (select count(*) from lead_fingerprints f where f.lead_id = l.id),
               (select count(*) from consumer_links c where c.lead_id = l.id),
               (select array_agg(n.kind order by n.created_at, n.kind) from notifications n where n.lead_id = l.id),
               (select count(*) from jobs j where j.payload ->> 'lead_id' = l.id::text),
               (select array_agg(a.action order by a.seq) from audit_log a where a.entity_id = l.id::text)
        from leads l join niches n on n.id = l.niche_id join lead_intakes i on i.lead_id = l.id
        where n.slug = %s order by l.created_at, l.id
        """,
        slug,
    )


INTAKE: dict[str, Case] = {
    "a partner's lead": (niche, lambda own, _, slug: take_in_lead(own, lead_for(slug), "key", PARTNER, CLIENT)),
    "a consumer's lead": (niche, ask),
    "confirm a lead": (unconfirmed, lambda own, _, slug: confirm_lead(own, *TOKENS[slug])),
    "confirm a repetition": (repeating, lambda own, _, slug: confirm_lead(own, *TOKENS[slug])),
}


@pytest.mark.parametrize("how", AT_COMMITS)
@pytest.mark.parametrize("name", INTAKE)
def test_what_breaks_at_any_statement_of_intake_is_taken_in_once(
    name: str, how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    strike_at_every_statement(Flow(*INTAKE[name], ending_of_intake), how, database, database_url, proxy)


# What waits to be told ----------------------------------------------------------------------------------------------

BUYERS = dict[str, str]()
"""By target, the provider that bought a lead."""
URL = "https://crm.example.com/leads"


def sold(database: Database, slug: str, url: str | None = None) -> str:
    """A lead that one provider bought, of which it waits to be told; nothing else waits."""
    dispatch_notifications(database)
    provider = Provider("buyer", 10_000, (1,))
    with database.transaction() as conn:
        opened = open_plain_niche(conn, slug, [Terms(1_000, 1, 1)])
        ids = add_providers(conn, [provider], slug)
        subscribe(conn, opened, [provider], ids)
    BUYERS[slug] = ids["buyer"]
    if url is not None:
        set_webhook_endpoint(database, BOX, BUYERS[slug], url, None, OPERATOR, allow_private=True)
    with database.transaction() as conn:
        add_leads(conn, opened, [40])
    Distributor(database).distribute_waiting(opened.niche_id)
    return slug


def message_of(database: Database, slug: str, channel: str = "email") -> str:
    [(found,)] = query(
        database,
        "select id::text from notifications where provider_id = %s and channel = %s and kind = 'lead_assigned'",
        BUYERS[slug],
        channel,
    )
    return str(found)


def handed_out(database: Database, slug: str, url: str | None = None) -> str:
    """Its message has a job."""
    sold(database, slug, url)
    dispatch_notifications(database)
    return slug


def told(database: Database, slug: str, url: str | None = None) -> str:
    """It was told."""
    handed_out(database, slug, url)
    with database.transaction() as conn:
        conn.execute("delete from jobs")
        conn.execute("update notifications set state = 'sent', sent_at = now(), attempts = 1 where state <> 'sent'")
    return slug


def job_of(database: Database, message_id: str) -> int:
    """Which a worker is at from now on."""
    [(job_id,)] = query(
        database,
        "update jobs set state = 'running' where payload ->> 'notification_id' = %s returning id",
        message_id,
    )
    return int(job_id)


def ending_of_messages(database: Database, slug: str) -> Row:
    """Of all that its provider is told, and of its endpoint."""
    return query(
        database,
        """
        select n.kind, n.channel, n.state, n.attempts, n.last_answer, n.last_error, n.enqueued_at is not null,
               n.replay_count, n.claimed_by_job is not null,
               (select count(*) from jobs j where j.payload ->> 'notification_id' = n.id::text),
               (select array_agg(t.outcome) from job_attempts t where t.notification_id = n.id),
               (select array_agg(d.resolution) from dead_letters d where d.notification_id = n.id),
               (select array_agg((e.state, e.failure_count, e.deleted_at is not null, e.previous_secret is not null,
                                  e.url, e.field_mapping)) from webhook_endpoints e
                where e.provider_id = p.id)::text,
               p.notification_preferences::text,
               (select array_agg(a.action order by a.seq) from audit_log a
                where a.entity_id in (n.id::text, p.id::text)
                   or a.entity_id in (select e.id::text from webhook_endpoints e where e.provider_id = p.id)
                   or a.new ->> 'notification_id' = n.id::text),
               (select count(*) from jobs j where j.task = 'dispatch_notifications') > 0
        from notifications n join providers p on p.id = n.provider_id where p.id = %s
        order by n.kind, n.channel
        """,
        BUYERS[slug],
    )


def endpoint_of(direct: Database, slug: str) -> str:
    [(found,)] = query(direct, "select id::text from webhook_endpoints where provider_id = %s", BUYERS[slug])
    return str(found)


def with_endpoint(database: Database, slug: str) -> str:
    return handed_out(database, slug, URL)


def paused(database: Database, slug: str) -> str:
    with_endpoint(database, slug)
    pause_webhook_endpoint(database, endpoint_of(database, slug), MEMO, OPERATOR)
    return slug


def rotated(database: Database, slug: str) -> str:
    with_endpoint(database, slug)
    rotate_webhook_secret(database, BOX, endpoint_of(database, slug), OPERATOR)
    return slug


def told_there(database: Database, slug: str) -> str:
    return told(database, slug, URL)


def of_endpoint(verb: Callable[[Database, str], object]) -> Act:
    return lambda database, direct, slug: verb(database, endpoint_of(direct, slug))


def rotate(database: Database, direct: Database, slug: str) -> None:
    """The secret that is answered is the one that is kept."""
    done = rotate_webhook_secret(database, BOX, endpoint_of(direct, slug), OPERATOR)
    [(sealed,)] = query(direct, "select secret from webhook_endpoints where id = %s", done.endpoint_id)
    assert BOX.open(bytes(sealed), done.endpoint_id) == done.secret


def replay_all(database: Database, direct: Database, slug: str) -> None:
    since = direct.read(clock) - timedelta(hours=1)
    assert replay_endpoint(database, endpoint_of(direct, slug), since, OPERATOR) == 1


UNWANTED = {"lead_assigned": {"email": False}}
MESSAGES: dict[str, Case] = {
    "hand out to jobs": (sold, in_the_next_run(dispatch_notifications, ending_of_messages)),
    "hand over to one who takes all": (
        sold,
        in_the_next_run(lambda own: hand_over_emails(own, "taken"), ending_of_messages),
    ),
    "set preferences": (
        handed_out,
        lambda own, _, slug: set_notification_preferences(own, BUYERS[slug], UNWANTED, OPERATOR),
    ),
    "set an endpoint": (
        handed_out,
        lambda own, _, slug: set_webhook_endpoint(own, BOX, BUYERS[slug], URL, None, OPERATOR, allow_private=False),
    ),
    "change an endpoint": (
        with_endpoint,
        of_endpoint(
            lambda own, each: change_webhook_endpoint(
                own,
                each,
                EndpointAddress(field_mapping={"id": "lead_id"}),
                OPERATOR,
                of_provider_id=None,
                allow_private=False,
            )
        ),
    ),
    "pause an endpoint": (
        with_endpoint,
        of_endpoint(lambda own, each: pause_webhook_endpoint(own, each, MEMO, OPERATOR)),
    ),
    "resume an endpoint": (paused, of_endpoint(lambda own, each: resume_webhook_endpoint(own, each, MEMO, OPERATOR))),
    "remove an endpoint": (with_endpoint, of_endpoint(lambda own, each: remove_webhook_endpoint(own, each, OPERATOR))),
    "rotate a secret": (with_endpoint, rotate),
    "retire a secret": (rotated, of_endpoint(lambda own, each: retire_previous_secret(own, each, OPERATOR))),
    "replay a message": (
        told,
        lambda own, direct, slug: replay_notification(own, message_of(direct, slug), OPERATOR),
    ),
    "replay to an endpoint": (told_there, replay_all),
}
UNAUDITED = {"hand out to jobs", "hand over to one who takes all"}


@pytest.mark.parametrize("how", AT_COMMITS)
@pytest.mark.parametrize("name", MESSAGES)
def test_what_breaks_at_any_statement_of_messages_is_done_once(
    name: str, how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    flow = Flow(*MESSAGES[name], ending_of_messages, name not in UNAUDITED)
    strike_at_every_statement(flow, how, database, database_url, proxy)


# Delivering ---------------------------------------------------------------------------------------------------------

TAKEN, REFUSED, LATER = Sent("250 ok"), NotSent("550 no", is_permanent=True), NotSent("451 later", is_permanent=False)


@pytest.mark.parametrize("how", AT_COMMITS)
@pytest.mark.parametrize("answer", [TAKEN, REFUSED, LATER], ids=["taken", "refused", "put off"])
def test_what_breaks_at_any_statement_of_an_email_leaves_it_sent_once_and_on_record(
    answer: Delivery, how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    def post(own: Database, direct: Database, slug: str) -> None:
        transport = Recorder(answer)
        message_id = message_of(direct, slug)
        EmailSender(own, transport, settings_for()).send(message_id, job_of(direct, message_id))
        assert len(transport.emails) == 1

    alone = "update notifications set state = 'sent'" if answer is TAKEN else "COMMIT"
    flow = Flow(handed_out, post, ending_of_messages, answer is REFUSED, alone)
    strike_at_every_statement(flow, how, database, database_url, proxy)


@pytest.mark.parametrize("how", AT_COMMITS)
@pytest.mark.parametrize("is_heard", [True, False], ids=["taken", "refused"])
def test_what_breaks_at_any_statement_of_a_webhook_leaves_it_sent_once_and_on_record(
    is_heard: bool, how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    """The first that fails pauses the endpoint."""

    def call(own: Database, direct: Database, slug: str) -> None:
        message_id = message_of(direct, slug, "webhook")
        WebhookSender(own, settings_for(webhook_pause_after_failures=1)).send(message_id, job_of(direct, message_id))

    def run(url: str) -> None:
        flow = Flow(lambda own, slug: handed_out(own, slug, url), call, ending_of_messages, not is_heard)
        strike_at_every_statement(flow, how, database, database_url, proxy)

    if is_heard:
        with receiver(says(200)) as hook:
            run(hook.url())
            assert len({each.headers["webhook-id"] for each in hook.requests}) == len(hook.requests)
    else:
        with closed_port() as port:
            run(f"http://127.0.0.1:{port}/leads")


# Templates ----------------------------------------------------------------------------------------------------------


def save_own(database: Database, direct: Database, slug: str) -> None:
    used = show_template(direct, "refund_issued").template
    save_template(database, replace(used, subject=f"Back on your balance, {slug}"), f"for {slug}", OPERATOR)


def saved(database: Database, slug: str) -> str:
    save_own(database, database, slug)
    return slug


def ending_of_template(database: Database, slug: str) -> Row:
    """The versions from the target's own on, and what was audited of them."""
    return query(
        database,
        """
        select v.subject is null, v.version - first.version,
               (select count(*) from audit_log a
                where a.action = 'template.saved' and a.new ->> 'version' = v.version::text)
        from notification_templates v, (select version from notification_templates where memo = 'for ' || %s) first
        where v.kind = 'refund_issued' and v.version >= first.version order by v.version
        """,
        slug,
    )


TEMPLATES: dict[str, Case] = {
    "save a template": (lambda _, slug: slug, save_own),
    "restore a template": (saved, lambda own, *_: restore_template(own, "refund_issued", None, OPERATOR)),
}


@pytest.mark.parametrize("how", AT_COMMITS)
@pytest.mark.parametrize("name", TEMPLATES)
def test_what_breaks_at_any_statement_of_a_template_makes_one_version(
    name: str, how: str, database: Database, database_url: str, proxy: Proxy
) -> None:
    strike_at_every_statement(Flow(*TEMPLATES[name], ending_of_template), how, database, database_url, proxy)
