"""An entry that leaves a filter as it was names it by its digest, whichever verb wrote it; and all who read it know."""

import hashlib
import json
from typing import Any

import pytest

from fairlead.core.configuration_entries import subscription_payload
from fairlead.core.decision_entries import decision_payload
from fairlead.flows.configuration.form_schemas import change_form_schema
from fairlead.flows.configuration.subscription_history import subscription_history
from fairlead.flows.configuration.subscriptions import (
    pause_subscription,
    resume_subscription,
    set_filter,
    subscribe,
    unsubscribe,
)
from fairlead.flows.distributor import Distributor
from fairlead.flows.money.adjust_balance import adjust_balance
from fairlead.flows.proving.verify import verify
from fairlead.flows.submit_leads import submit_leads
from fairlead.store.audit.log import OPERATOR
from fairlead.store.connection import Database
from tests.flows.configuration.market import Market, distribute, head, journal, open_market
from tests.flows.sales import query

LEAD: dict[str, object] = {"cores": 8, "region": "north"}
MEMO = "to see what is written"
FOUR_CORES = {"version": 1, "rules": [{"field_key": "cores", "operator": "gte", "value": 4}]}
EIGHT_CORES = {"version": 1, "rules": [{"field_key": "cores", "operator": "gte", "value": 8}]}


def digest(filter_rules: object) -> str:
    return hashlib.sha256(json.dumps(filter_rules, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def written(database: Database, at: int, subscription_id: str) -> list[Any]:
    """What the entries after `at` say of the subscription's filter: the filter itself, or its digest."""
    own = [
        payload
        for kind, payload in journal(database, at)
        if kind == "subscription" and payload["subscription_id"] == subscription_id
    ]
    assert all(("filter_rules" in payload) != ("filter_sha256" in payload) for payload in own)
    return [payload.get("filter_rules") or payload["filter_sha256"] for payload in own]


def live_through(database: Database, market: Market) -> str:
    """Every way to change a subscription but its filter, twice its filter, and its return."""
    gold = market.subscriptions["anchor gold"]
    form = query(database, "select form_schema from niches where id = %s", market.niche)[0][0]
    pause_subscription(database, gold, OPERATOR, of_provider_id=None)
    resume_subscription(database, gold, OPERATOR, of_provider_id=None)
    adjust_balance(database, market.anchor, "debit", 4000, MEMO, OPERATOR)
    adjust_balance(database, market.anchor, "credit", 1100, MEMO, OPERATOR)
    distribute(database, market, [LEAD])  # which leaves too little for another
    adjust_balance(database, market.anchor, "credit", 4000, MEMO, OPERATOR)
    others = [field for field in form["fields"] if field["key"] != "cores"]
    change_form_schema(database, market.niche, {"version": 1, "fields": others}, OPERATOR)
    change_form_schema(database, market.niche, form, OPERATOR)
    set_filter(database, gold, EIGHT_CORES, OPERATOR, of_provider_id=None)
    unsubscribe(database, gold, OPERATOR, of_provider_id=None)
    subscribe(database, market.anchor, market.gold, OPERATOR)
    pause_subscription(database, gold, OPERATOR, of_provider_id=None)
    return gold


def test_every_verb_names_the_filter_that_it_leaves(database: Database) -> None:
    market = open_market(database)
    at = head(database)
    gold = live_through(database, market)
    four, eight = digest(FOUR_CORES), digest(EIGHT_CORES)
    # Paused, resumed, out of funds, back, sold out, back, unfit for the form, fit again; then another filter, gone,
    # back with that filter, which no table keeps of what is gone, and paused.
    assert written(database, at, gold) == [four] * 8 + [EIGHT_CORES, eight, EIGHT_CORES, eight]
    assert query(database, "select filter_rules from subscriptions where id = %s", gold) == [(EIGHT_CORES,)]
    assert verify(database).holds


def test_the_history_shows_each_state_with_its_filter(database: Database) -> None:
    market = open_market(database)
    gold = live_through(database, market)
    for limit in (4, 50):
        states = subscription_history(database, gold, of_provider_id=None, limit=limit)
        assert [state.subscription.filter_rules for state in states] == ([EIGHT_CORES] * 4 + [FOUR_CORES] * 9)[:limit]
    own = subscription_history(database, gold, of_provider_id=market.anchor)
    assert [state.seq for state in own] == list(range(13, 0, -1))
    assert own[-1].subscription.filter_rules == FOUR_CORES


def test_a_journal_of_an_earlier_release_goes_on(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries that repeat the filter, and decisions of version 1, then entries as they are written now."""
    market = open_market(database)
    at = head(database)

    def repeating(subscription: Any, *, is_deleted: bool, before: Any = None) -> Any:
        return subscription_payload(subscription, is_deleted=is_deleted)

    with monkeypatch.context() as earlier:
        earlier.setattr("fairlead.flows.funding.subscription_payload", repeating)
        earlier.setattr("fairlead.core.batch.subscription_payload", repeating)
        earlier.setattr("fairlead.core.batch.decision_payload", lambda decision, _: decision_payload(decision, 1))
        gold = live_through(database, market)
        assert written(database, at, gold) == [FOUR_CORES] * 8 + [EIGHT_CORES] * 4
        assert verify(database).holds
    at = head(database)
    resume_subscription(database, gold, OPERATOR, of_provider_id=None)
    distribute(database, market, [LEAD])
    assert written(database, at, gold)[0] == digest(EIGHT_CORES)
    versions = query(database, "select payload -> 'version' from niche_journal where kind = 'decision' order by seq")
    assert versions == [(None,), (2,)]
    assert verify(database).holds
    states = subscription_history(database, gold, of_provider_id=None, limit=4)
    assert [state.subscription.filter_rules for state in states] == [EIGHT_CORES] * 4


def test_a_process_that_meets_a_forged_digest_reads_the_tables(damaged_database: Database) -> None:
    market = open_market(damaged_database)
    distributor = Distributor(damaged_database)

    def sold() -> list[int]:
        submit_leads(damaged_database, "hosting", [LEAD], OPERATOR, approve=True)
        result = distributor.distribute_waiting(market.niche)
        assert not result.failures
        assert result.batch_error is None
        return [len(decision.recipients) for decision in result.decisions]

    assert sold() == [2]
    silver = market.subscriptions["anchor silver"]
    pause_subscription(damaged_database, silver, OPERATOR, of_provider_id=None)
    with damaged_database.transaction() as conn:
        conn.execute("alter table niche_journal disable trigger all")
        forged = "payload || '{\"filter_sha256\": \"00\"}' where payload ? 'filter_sha256'"
        conn.execute(f"update niche_journal set payload = {forged}".encode())
    assert sold() == [1]
    assert not verify(damaged_database).holds
