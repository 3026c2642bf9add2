"""A provider's own verbs: they know nothing of what another has."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from fairlead.flows.configuration.reading import read_subscription, subscriptions_of
from fairlead.flows.configuration.subscription_history import subscription_history
from fairlead.flows.configuration.subscriptions import (
    pause_subscription,
    resume_subscription,
    set_filter,
    subscribe,
    unsubscribe,
)
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.configuration.market import PORTAL, UNKNOWN, changes_nothing, events, open_market, refusal
from tests.flows.marketplaces import activity, declare
from tests.flows.sales import query

NORTH = {"version": 1, "rules": [{"field_key": "region", "operator": "eq", "value": "north"}]}

VERBS: dict[str, Callable[[Database, str, str | None], Any]] = {
    "pause": lambda db, id, of: pause_subscription(db, id, PORTAL, of_provider_id=of),
    "resume": lambda db, id, of: resume_subscription(db, id, PORTAL, of_provider_id=of),
    "filter": lambda db, id, of: set_filter(db, id, NORTH, PORTAL, of_provider_id=of),
    "read": lambda db, id, of: read_subscription(db, id, of_provider_id=of),
    "history": lambda db, id, of: subscription_history(db, id, of_provider_id=of),
    "unsubscribe": lambda db, id, of: unsubscribe(db, id, PORTAL, of_provider_id=of),
}


@pytest.mark.parametrize("name", VERBS)
def test_what_is_anothers_is_unknown(database: Database, name: str) -> None:
    market = open_market(database)
    verb = VERBS[name]
    foreign = market.subscriptions["bowline silver"]
    attempt = changes_nothing(database, lambda: refusal(lambda: verb(database, foreign, market.anchor)))
    assert attempt == refusal(lambda: verb(database, UNKNOWN, market.anchor)) == "subscription_unknown"
    assert verb(database, foreign, market.bowline) is not None
    assert verb(database, market.subscriptions["anchor silver"], market.anchor) is not None


def test_a_provider_acts_in_its_own_name(database: Database) -> None:
    market = open_market(database)
    logged = len(events(database))
    pause_subscription(
        database, market.subscriptions["anchor silver"], PORTAL, of_provider_id=market.anchor, memo="on holiday"
    )
    who = query(database, "select actor, actor_role, action, memo from audit_log where seq > %s", logged)
    assert who == [("anchor", "provider", "subscription.paused", "on holiday")]
    assert activity(database)["bowline silver"] == "active"


def test_a_provider_lists_its_own(database: Database) -> None:
    market = open_market(database)
    unsubscribe(database, market.subscriptions["anchor gold"], PORTAL, of_provider_id=market.anchor)
    [living] = subscriptions_of(database, market.anchor)
    assert (living.row.subscription.subscription_id, living.filter_summary) == (
        market.subscriptions["anchor silver"],
        "every lead",
    )
    both = subscriptions_of(database, market.anchor, with_ended=True)
    assert {seen.row.subscription.provider_id for seen in both} == {market.anchor}
    assert sorted(seen.row.is_deleted for seen in both) == [False, True]


def test_a_history_tells_every_state_and_who_asked_for_it(database: Database) -> None:
    market = open_market(database)
    gold = market.subscriptions["bowline gold"]
    set_filter(database, gold, NORTH, PORTAL, of_provider_id=market.bowline, memo="only the north")
    pause_subscription(database, gold, OPERATOR, of_provider_id=None, memo="they owe us")
    declare(
        database,
        '[[provider]]\nemail = "bowline@example.com"\n'
        'subscription = [{ niche = "hosting", level = "gold", active = true }]',
    )
    unsubscribe(database, gold, OPERATOR, of_provider_id=None)
    subscribe(database, market.bowline, market.gold, PORTAL)
    pause_subscription(database, market.subscriptions["bowline silver"], OPERATOR, of_provider_id=None)

    told = subscription_history(database, gold, of_provider_id=None)
    assert [(state.action, state.actor, state.memo) for state in told] == [
        ("subscription.subscribed", "anchor", None),
        ("subscription.unsubscribed", "operator", None),
        (None, None, None),
        ("subscription.paused", "operator", "they owe us"),
        ("subscription.filter_changed", "anchor", "only the north"),
        (None, None, None),
    ]
    assert [state.is_deleted for state in told] == [False, True, False, False, False, False]
    assert [state.subscription.deactivation_reason for state in told][3:] == [
        "paused",
        "insufficient_funds",
        "insufficient_funds",
    ]
    assert [state.seq for state in told] == sorted({state.seq for state in told}, reverse=True)
    assert [len(state.subscription.filter_rules["rules"]) for state in told][-2:] == [1, 0]  # pyright: ignore
    assert all(older.recorded_at <= newer.recorded_at for newer, older in itertools.pairwise(told))

    own = subscription_history(database, gold, of_provider_id=market.bowline)
    assert [(state.action, state.actor, state.memo) for state in own][3:5] == [
        ("subscription.paused", None, None),
        ("subscription.filter_changed", "anchor", "only the north"),
    ]
    page = subscription_history(database, gold, of_provider_id=None, before_seq=told[1].seq, limit=2)
    assert page == told[2:4]
