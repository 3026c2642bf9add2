"""Subscriptions are made, paused, resumed, filtered and ended by verbs."""

from collections.abc import Callable
from typing import Any

import pytest

from fairlead.core.errors import BadInput
from fairlead.flows.configuration.form_schemas import change_form_schema
from fairlead.flows.configuration.levels import create_level, delete_level
from fairlead.flows.configuration.providers import create_provider
from fairlead.flows.configuration.reading import read_subscription
from fairlead.flows.configuration.subscriptions import (
    pause_subscription,
    resume_subscription,
    set_filter,
    subscribe,
    unsubscribe,
)
from fairlead.flows.configuration.versions import InvalidDocument
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.configuration.market import (
    UNKNOWN,
    changes_nothing,
    distribute,
    events,
    head,
    journal,
    open_market,
    refusal,
)
from tests.flows.marketplaces import activity, everything, notices
from tests.flows.sales import query

LEAD: dict[str, object] = {"cores": 8, "region": "north"}


def rules(*given: tuple[str, str, Any]) -> dict[str, object]:
    return {"version": 1, "rules": [{"field_key": key, "operator": how, "value": value} for key, how, value in given]}


SOUTH = rules(("region", "eq", "south"))


def test_a_provider_subscribes_once(database: Database) -> None:
    market = open_market(database)
    cleat = create_provider(database, "cleat@example.com", "Cleat", OPERATOR).row.provider_id
    adjust_balance(database, cleat, "credit", 10_000, "an opening credit", OPERATOR)
    at, logged = head(database), len(events(database))

    def subscribed() -> Any:
        return subscribe(database, cleat, market.silver, OPERATOR, filter_rules=SOUTH, memo="by phone")

    done = subscribed()
    assert (done.took_effect, done.filter_summary, done.journal_seq) == (True, "Region is south", at + 2)
    [(first, provider), (second, subscription)] = journal(database, at)
    assert (first, provider) == ("provider", {"provider_id": cleat, "status": "active"})
    assert (second, subscription["is_active"], subscription["filter_rules"]) == ("subscription", True, SOUTH)
    [(action, old, new, memo)] = events(database, logged)
    assert (action, old, memo) == ("subscription.subscribed", None, "by phone")
    assert (new["journal_seq"], new["rule_count"], new["level_id"]) == (at + 2, 1, market.silver)
    assert "south" not in str(everything(database)["audit_log"])
    assert changes_nothing(database, subscribed).row == done.row
    other = refusal(lambda: subscribe(database, cleat, market.silver, OPERATOR, filter_rules=rules()))
    assert other == "subscription_exists"

    at = head(database)
    create_level(database, market.niche, "bronze", 300, 5, OPERATOR)
    bronze = query(database, "select id::text from competition_levels where name = 'bronze'")[0][0]
    subscribe(database, cleat, bronze, OPERATOR)
    assert [kind for kind, _ in journal(database, at)] == ["level", "subscription"]


def test_without_funds_it_waits(database: Database) -> None:
    market = open_market(database)
    cleat = create_provider(database, "cleat@example.com", "Cleat", OPERATOR).row.provider_id
    done = subscribe(database, cleat, market.silver, OPERATOR)
    assert (done.row.subscription.is_active, done.row.subscription.deactivation_reason) == (False, "insufficient_funds")
    assert notices(database) == []


def test_who_leaves_and_returns_has_the_place_filter_and_pause_it_had(database: Database) -> None:
    market = open_market(database)
    silver = market.subscriptions["anchor silver"]
    set_filter(database, silver, rules(("cores", "gte", 2)), OPERATOR, of_provider_id=None)
    distribute(database, market, [LEAD, {"cores": 9, "region": "north"}])  # the second begins at silver
    served = query(database, "select served_seq from subscriptions where id = %s", silver)
    pause_subscription(database, silver, OPERATOR, of_provider_id=None)
    ended = unsubscribe(database, silver, OPERATOR, of_provider_id=None, memo="too many leads")
    assert ended.row.is_deleted
    assert activity(database)["anchor silver"] == "deleted"
    assert not changes_nothing(
        database, lambda: unsubscribe(database, silver, OPERATOR, of_provider_id=None)
    ).took_effect

    back = subscribe(database, market.anchor, market.silver, OPERATOR)
    assert back.row.subscription.subscription_id == silver
    assert (back.row.subscription.deactivation_reason, back.filter_summary) == ("paused", "Cores at least 2")
    assert query(database, "select served_seq from subscriptions where id = %s", silver) == served != [(None,)]


def test_who_returns_to_another_form_has_a_filter_that_does_not_fit(database: Database) -> None:
    market = open_market(database)
    gold = market.subscriptions["anchor gold"]
    unsubscribe(database, gold, OPERATOR, of_provider_id=None)
    form = {"version": 1, "fields": [{"key": "region", "type": "text"}]}
    change_form_schema(database, market.niche, form, OPERATOR)
    back = subscribe(database, market.anchor, market.gold, OPERATOR)
    assert not back.row.subscription.filter_is_valid
    assert back.filter_summary.startswith("no lead, because the filter is not valid")
    assert "filter_invalidated anchor gold" in notices(database)
    fixed = set_filter(database, gold, rules(("region", "contains", "nor")), OPERATOR, of_provider_id=None)
    assert fixed.row.subscription.filter_is_valid


def test_a_pause_ends_when_it_is_resumed_and_not_with_money(database: Database) -> None:
    market = open_market(database)
    silver, at, logged = market.subscriptions["anchor silver"], head(database), len(events(database))

    def pause() -> Any:
        return pause_subscription(database, silver, OPERATOR, of_provider_id=None, memo="on holiday")

    def resume() -> Any:
        return resume_subscription(database, silver, OPERATOR, of_provider_id=None)

    assert pause().row.subscription.deactivation_reason == "paused"
    assert not changes_nothing(database, pause).took_effect
    adjust_balance(database, market.anchor, "credit", 100, "an opening credit", OPERATOR)
    assert activity(database)["anchor silver"] == "paused"
    assert resume().row.subscription.is_active
    assert not changes_nothing(database, resume).took_effect
    assert [payload["deactivation_reason"] for _, payload in journal(database, at)] == ["paused", None]
    told = [(event[0], event[2]["journal_seq"], event[3]) for event in events(database, logged) if "sub" in event[0]]
    assert told == [("subscription.paused", at + 1, "on holiday"), ("subscription.resumed", at + 2, None)]
    assert notices(database) == []


def test_a_resume_without_funds_waits_for_them(database: Database) -> None:
    market = open_market(database)
    gold = market.subscriptions["bowline gold"]
    pause_subscription(database, gold, OPERATOR, of_provider_id=None)
    done = resume_subscription(database, gold, OPERATOR, of_provider_id=None)
    assert done.row.subscription.deactivation_reason == "insufficient_funds"
    assert notices(database) == []


def test_a_filter_takes_effect_with_the_next_decision(database: Database) -> None:
    market = open_market(database)
    silver = market.subscriptions["anchor silver"]
    done = set_filter(database, silver, SOUTH, OPERATOR, of_provider_id=None, memo="only the south")
    assert done.filter_summary == "Region is south"
    assert not changes_nothing(
        database, lambda: set_filter(database, silver, SOUTH, OPERATOR, of_provider_id=None)
    ).took_effect
    # Cores are too few for Anchor's gold, and its silver wants the south.
    assert distribute(database, market, [{"cores": 1, "region": "north"}]) == [[market.bowline]]
    assert distribute(database, market, [{"cores": 1, "region": "south"}]) == [[market.anchor]]


def test_true_is_another_filter_than_one(database: Database) -> None:
    market = open_market(database)
    form = {"version": 1, "fields": [{"key": "a", "type": "number"}, {"key": "b", "type": "boolean"}]}
    change_form_schema(database, market.niche, form, OPERATOR)
    silver = market.subscriptions["anchor silver"]
    set_filter(database, silver, rules(("b", "eq", True)), OPERATOR, of_provider_id=None)
    with pytest.raises(InvalidDocument):
        set_filter(database, silver, rules(("b", "eq", 1)), OPERATOR, of_provider_id=None)


def test_a_filter_that_does_not_fit_is_refused_rule_by_rule(database: Database) -> None:
    market = open_market(database)
    bad = rules(("cores", "contains", 4), ("region", "eq", "west"), ("colour", "eq", "red"))

    def attempt() -> None:
        with pytest.raises(InvalidDocument) as caught:
            set_filter(database, market.subscriptions["anchor silver"], bad, OPERATOR, of_provider_id=None)
        assert [(each.path, each.code) for each in caught.value.details] == [
            ("rules[0].operator", "operator_not_allowed"),
            ("rules[1].value", "unknown_option"),
            ("rules[2].field_key", "unknown_field"),
        ]
        assert caught.value.problems[2] == "rules[2].field_key: the form has no field 'colour'"
        with pytest.raises(InvalidDocument):
            subscribe(database, market.anchor, market.silver, OPERATOR, filter_rules=[])

    changes_nothing(database, attempt)


def test_a_subscription_that_was_changed_meanwhile(database: Database) -> None:
    market = open_market(database)
    silver = market.subscriptions["anchor silver"]
    seen = read_subscription(database, silver, of_provider_id=None).version
    # Money that comes and goes is no change.
    adjust_balance(database, market.anchor, "debit", 4600, "a test of versions", OPERATOR)
    assert activity(database)["anchor silver"] == "insufficient_funds"
    set_filter(database, silver, SOUTH, OPERATOR, of_provider_id=None, expected_version=seen)
    verbs: list[Callable[..., Any]] = [pause_subscription, unsubscribe]
    for verb in verbs:
        conflict = refusal(lambda v=verb: v(database, silver, OPERATOR, of_provider_id=None, expected_version=seen))
        assert conflict == "version_conflict"
    repeated = set_filter(database, silver, SOUTH, OPERATOR, of_provider_id=None, expected_version=seen)
    assert not repeated.took_effect
    now = read_subscription(database, silver, of_provider_id=None).version
    assert now == repeated.version
    assert pause_subscription(database, silver, OPERATOR, of_provider_id=None, expected_version=now).took_effect


def test_what_has_ended_can_only_begin_again(database: Database) -> None:
    market = open_market(database)
    silver = market.subscriptions["anchor silver"]
    pause_subscription(database, silver, OPERATOR, of_provider_id=None)
    unsubscribe(database, silver, OPERATOR, of_provider_id=None)
    verbs: list[Callable[..., Any]] = [pause_subscription, resume_subscription]
    for verb in verbs:
        assert refusal(lambda v=verb: v(database, silver, OPERATOR, of_provider_id=None)) == "subscription_ended"
    assert refusal(lambda: set_filter(database, silver, SOUTH, OPERATOR, of_provider_id=None)) == "subscription_ended"


def test_what_is_not_there(database: Database) -> None:
    market = open_market(database)
    assert refusal(lambda: subscribe(database, UNKNOWN, market.gold, OPERATOR)) == "provider_unknown"
    assert refusal(lambda: subscribe(database, market.anchor, UNKNOWN, OPERATOR)) == "level_unknown"
    assert refusal(lambda: unsubscribe(database, UNKNOWN, OPERATOR, of_provider_id=None)) == "subscription_unknown"
    bronze = create_level(database, market.niche, "bronze", 300, 5, OPERATOR).row.level.level_id
    delete_level(database, bronze, OPERATOR)
    assert refusal(lambda: subscribe(database, market.anchor, bronze, OPERATOR)) == "level_deleted"
    with pytest.raises(BadInput, match=r"^memo: "):
        unsubscribe(database, UNKNOWN, OPERATOR, of_provider_id=None, memo="")
    with pytest.raises(BadInput, match="is no subscription id"):
        unsubscribe(database, "gold", OPERATOR, of_provider_id=None)
