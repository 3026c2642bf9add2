"""Every verb of providers runs under row-level security, and reaches nothing of another provider's by any id.

The first guard is removed: a verb is told that the caller is the other provider, or, where it can be, an operator.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from fairlead.core.errors import Refused
from fairlead.delivery.outcome import Sent
from fairlead.flows.access.api_keys import create_api_key, list_api_keys, revoke_api_key
from fairlead.flows.assignment_actions import accept_assignment, reject_assignment, view_assignment
from fairlead.flows.configuration.levels import create_level
from fairlead.flows.configuration.own_provider import OwnProfileChange, change_own_profile, read_own_profile
from fairlead.flows.configuration.own_subscriptions import own_subscriptions
from fairlead.flows.configuration.reading import read_level, read_provider, read_subscription, subscriptions_of
from fairlead.flows.configuration.subscriptions import (
    pause_subscription,
    resume_subscription,
    set_filter,
    subscribe,
    unsubscribe,
)
from fairlead.flows.idempotency import idempotency_key_for
from fairlead.flows.money.bad_leads import report_bad_lead
from fairlead.flows.notifications.dispatch import dispatch_notifications
from fairlead.flows.notifications.endpoint_reading import deliveries_to, endpoints_of, read_webhook_endpoint
from fairlead.flows.notifications.endpoint_secrets import retire_previous_secret, rotate_webhook_secret
from fairlead.flows.notifications.endpoint_trial import try_webhook_endpoint
from fairlead.flows.notifications.endpoints import (
    EndpointAddress,
    change_webhook_endpoint,
    create_webhook_endpoint,
    pause_webhook_endpoint,
    remove_webhook_endpoint,
    resume_webhook_endpoint,
    set_webhook_endpoint,
)
from fairlead.flows.notifications.preferences import set_notification_preferences
from fairlead.store.audit.log import OPERATOR, Actor
from fairlead.store.connection import Connection, Database
from fairlead.store.money.ledger_pages import LedgerFilter, own_ledger_page
from fairlead.store.portal.inbox import InboxFilter, inbox_assignment, inbox_page, unviewed_count
from fairlead.store.portal.levels_on_offer import niches_on_offer
from tests.delivery.receiver import receiver, says
from tests.flows.marketplaces import everything
from tests.flows.notifications.hooks import job_of
from tests.flows.notifications.stage import (
    CANARY_EMAIL,
    box,
    notification,
    open_marketplace,
    row_of,
    sell_lead,
    set_endpoint,
    settings_for,
)
from tests.flows.sales import query
from tests.store.two_providers import Side, two_providers

PORTAL = Actor("user:of-the-portal", "provider")
NORTH = {"version": 1, "rules": [{"field_key": "region", "operator": "eq", "value": "north"}]}
EMAIL_ONLY = {"lead_assigned": {"webhook": False}}


@dataclass(frozen=True)
class Target:
    """What a verb is pointed at: a provider's own, or another's."""

    side: Side
    url: str = "https://elsewhere.example.com/leads"
    level: str = ""


Verb = Callable[[Database, Target], Any]

VERBS: dict[str, Verb] = {
    "view": lambda db, to: view_assignment(db, to.side.provider, to.side.assignment),
    "accept": lambda db, to: accept_assignment(db, to.side.provider, to.side.assignment, PORTAL),
    "reject": lambda db, to: reject_assignment(db, to.side.provider, to.side.assignment, "no budget", PORTAL),
    "report": lambda db, to: report_bad_lead(
        db,
        to.side.provider,
        to.side.assignment,
        "other",
        "a note",
        PORTAL,
        idempotency_key_for("key:crm", "k", "POST", None),
    ),
    "subscribe": lambda db, to: subscribe(db, to.side.provider, to.level, PORTAL, filter_rules=NORTH),
    "pause": lambda db, to: pause_subscription(db, to.side.subscription, PORTAL, of_provider_id=None),
    "resume": lambda db, to: resume_subscription(db, to.side.subscription, PORTAL, of_provider_id=None),
    "filter": lambda db, to: set_filter(db, to.side.subscription, NORTH, PORTAL, of_provider_id=None),
    "unsubscribe": lambda db, to: unsubscribe(db, to.side.subscription, PORTAL, of_provider_id=None),
    "set endpoint": lambda db, to: set_webhook_endpoint(
        db, box(), to.side.provider, to.url, None, PORTAL, allow_private=True
    ),
    "try endpoint": lambda db, to: try_webhook_endpoint(db, box(), to.side.endpoint, settings_for()),
    "change endpoint": lambda db, to: change_webhook_endpoint(
        db,
        to.side.endpoint,
        EndpointAddress(field_mapping={"reference": "lead_id"}),
        PORTAL,
        of_provider_id=None,
        allow_private=True,
    ),
    "look at endpoint": lambda db, to: read_webhook_endpoint(db, to.side.endpoint, of_provider_id=to.side.provider),
    "look at deliveries": lambda db, to: deliveries_to(db, to.side.endpoint, None, 50, of_provider_id=to.side.provider),
    "pause endpoint": lambda db, to: pause_webhook_endpoint(db, to.side.endpoint, "on holiday", PORTAL),
    "resume endpoint": lambda db, to: resume_webhook_endpoint(db, to.side.endpoint, "back", PORTAL),
    "rotate secret": lambda db, to: rotate_webhook_secret(db, box(), to.side.endpoint, PORTAL),
    "retire secret": lambda db, to: retire_previous_secret(db, to.side.endpoint, PORTAL),
    "remove endpoint": lambda db, to: remove_webhook_endpoint(db, to.side.endpoint, PORTAL),
    "make endpoint": lambda db, to: create_webhook_endpoint(
        db, box(), to.side.provider, to.url, None, PORTAL, allow_private=True
    ),
    "limit": lambda db, to: change_own_profile(db, to.side.provider, OwnProfileChange(1_000), PORTAL),
    "look at profile": lambda db, to: read_own_profile(db, to.side.provider),
    "prefer": lambda db, to: set_notification_preferences(db, to.side.provider, EMAIL_ONLY, PORTAL),
    "make key": lambda db, to: create_api_key(db, "ERP", ["own:read"], PORTAL, provider_id=to.side.provider),
    "revoke key": lambda db, to: revoke_api_key(db, to.side.key, PORTAL),
    "look at provider": lambda db, to: read_provider(db, to.side.provider),
    "look at subscription": lambda db, to: read_subscription(db, to.side.subscription, of_provider_id=None),
}


def test_every_verb_of_providers_runs_bound(database: Database) -> None:
    sides = two_providers(database)
    bound = database.bound_to(sides.anchor.provider)
    [(second,)] = query(
        database,
        "select id::text from assignments where provider_id = %s and id::text <> %s",
        sides.anchor.provider,
        sides.anchor.assignment,
    )
    bronze = create_level(database, sides.niche, "bronze", 100, 1, OPERATOR).row.level.level_id
    with receiver(says(200)) as crm:
        own = Target(sides.anchor, crm.url(), bronze)
        for name, verb in VERBS.items():
            target = replace(own, side=replace(own.side, assignment=second)) if name == "reject" else own
            before = everything(database)
            answer = verb(bound, target)
            assert (everything(database) == before) == (name.startswith(("look at", "try"))), name
            if name == "try endpoint":
                assert isinstance(answer, Sent)
    assert subscribe(bound, sides.anchor.provider, sides.gold, PORTAL).took_effect, "it had left, and comes back"
    assert len(subscriptions_of(bound, sides.anchor.provider)) == 3
    assert {key.provider_id for key in list_api_keys(bound, show_all=True)} == {sides.anchor.provider}
    assert read_level(bound, bronze).row.level.name == "bronze"
    told = query(database, "select actor, actor_role from audit_log where action like 'assignment.%%'")
    assert told == [(PORTAL.name, "provider")] * 2


def test_every_verb_of_providers_finds_nothing_of_anothers(database: Database) -> None:
    sides = two_providers(database)
    bound = database.bound_to(sides.anchor.provider)
    foreign = Target(sides.bowline, level=sides.gold)
    before = everything(database)
    for name, verb in VERBS.items():
        with pytest.raises(Refused, match=r"^there is no ") as refused:
            verb(bound, foreign)
        assert refused.value.code.endswith("_unknown"), name
        assert everything(database) == before, name
    assert subscriptions_of(bound, sides.bowline.provider) == []
    assert list_api_keys(bound, provider_id=sides.bowline.provider) == []
    assert endpoints_of(bound, sides.bowline.provider) == []


VIEWS: dict[str, Callable[[Connection, str], Any]] = {
    "inbox": lambda conn, of: inbox_page(conn, of, InboxFilter(), None, 50).items,
    "search": lambda conn, of: inbox_page(conn, of, InboxFilter(search="north"), None, 50).items,
    "search by email": lambda conn, of: inbox_page(conn, of, InboxFilter(search=CANARY_EMAIL), None, 50).items,
    "unviewed": unviewed_count,
    "ledger": lambda conn, of: own_ledger_page(conn, of, LedgerFilter(), None, 50).items,
    "offers": lambda conn, of: [
        level.own for niche in niches_on_offer(conn, of) for level in niche.levels if level.own
    ],
}


def test_what_a_provider_looks_at_is_its_own(database: Database) -> None:
    sides = two_providers(database)
    with database.transaction() as conn:
        conn.execute("update leads set contact_email = %s where status = 'distributed'", (CANARY_EMAIL,))
    bound = database.bound_to(sides.anchor.provider)
    own, foreign = sides.anchor.provider, sides.bowline.provider
    for name, view in VIEWS.items():
        seen = bound.read(lambda conn, view=view: view(conn, own))
        assert seen == database.read(lambda conn, view=view: view(conn, own)), name
        assert seen, name
        assert database.read(lambda conn, view=view: view(conn, foreign)), name
        assert not bound.read(lambda conn, view=view: view(conn, foreign)), name
    assert bound.read(lambda conn: inbox_assignment(conn, own, sides.anchor.assignment)).item.price_cents == 2000
    with pytest.raises(Refused, match="there is no assignment"):
        bound.read(lambda conn: inbox_assignment(conn, foreign, sides.bowline.assignment))
    assert len(own_subscriptions(bound, own)) == 2
    assert own_subscriptions(bound, foreign) == []


def test_an_endpoint_that_is_paused_bound_leaves_what_is_being_sent(database: Database) -> None:
    open_marketplace(database)
    endpoint = set_endpoint(database, "https://crm.example.com/leads")
    sell_lead(database)
    sell_lead(database)
    dispatch_notifications(database)
    sending = notification(database, channel="webhook")
    job_id = job_of(database, sending)
    with database.transaction() as conn:
        conn.execute("update notifications set claimed_by_job = %s where id = %s", (job_id, sending))
    pause_webhook_endpoint(database.bound_to(endpoint.provider_id), endpoint.endpoint_id, "on holiday", PORTAL)
    held = query(
        database,
        "select id::text from notifications n where channel = 'webhook' and enqueued_at is null and state = 'queued'",
    )
    assert (len(held), sending in {row[0] for row in held}) == (1, False)
    assert row_of(database, sending)["claimed_by_job"] == job_id
