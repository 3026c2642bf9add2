"""R14: what a level asks for a lead, by the first of its price rules that holds, and what follows from that."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core import gates
from fairlead.core.batch import BatchDecision, decide_batch
from fairlead.core.calendar import time_rules
from fairlead.core.canonical import canonical_json
from fairlead.core.configuration_entries import (
    level_from_payload,
    level_payload,
    subscription_from_payload,
    subscription_payload,
)
from fairlead.core.decide import decide
from fairlead.core.decision import Decision
from fairlead.core.decision_entries import decision_payload, read_decision
from fairlead.core.decision_queues import queues_of
from fairlead.core.explanation import standing_of
from fairlead.core.form import FormSchema, parse_form_schema
from fairlead.core.journal import Entry, JournalEntryKind, entry_hash
from fairlead.core.model import Balance, Level
from fairlead.core.price_rule_problems import MOST_PRICE_RULES, new_price_rules
from fairlead.core.prices import (
    PriceFacts,
    compile_price_rules,
    is_within,
    lowest_price_cents,
    price_rules_text,
    rule_that_holds,
)
from fairlead.core.replay import Replay
from fairlead.core.roster_state import RosterState
from tests.core.history import BEGINNING, FORM, History, id_of
from tests.core.limited import LimitedHistory, limited
from tests.core.markets import AGES, ATTRIBUTES, Market, ages, attributes, markets, opened, staged, wants
from tests.core.naive import naive_price

SCHEMA = parse_form_schema(FORM)
NURSES = {"name": "nurses", "price_cents": 900, "filter": wants(("job", "eq", "nurse"))}
OLD = {"name": "old", "price_cents": 200, "lead_age_minutes": {"from": 60}}
NIGHT = {"name": "night", "price_cents": 700, "hours": [{"days": ["sun"], "opens": "22:00", "closes": "06:00"}]}
OLD_NURSES = {**NURSES, "name": "old nurses", "price_cents": 600, "lead_age_minutes": {"from": 60, "below": 120}}


def document(*rules: dict[str, object], timezone: str = "Europe/Berlin") -> dict[str, object]:
    return {"version": 1, "timezone": timezone, "rules": list(rules)}


def held(
    rules: dict[str, object], lead: dict[str, object], age: timedelta = timedelta(0), moment: datetime = BEGINNING
) -> str | None:
    """The name of the rule that decides."""
    compiled = compile_price_rules(price_rules_text(rules), SCHEMA)
    facts = PriceFacts(lead, age, lambda hours, zone: is_within(hours, zone, moment))
    rule = rule_that_holds(compiled, facts)
    return None if rule is None else rule.name


@pytest.mark.parametrize(
    ("rules", "lead", "minutes", "expected"),
    [
        ([], {"job": "nurse"}, 0, None),
        ([NURSES], {"job": "nurse"}, 0, "nurses"),
        ([NURSES], {"job": "cook"}, 0, None),
        ([NURSES], {}, 0, None),
        ([NURSES, OLD], {"job": "nurse"}, 60, "nurses"),
        ([OLD, NURSES], {"job": "nurse"}, 60, "old"),
        ([OLD], {}, 59, None),
        ([OLD], {}, 60, "old"),
        ([OLD_NURSES], {"job": "nurse"}, 59, None),
        ([OLD_NURSES], {"job": "nurse"}, 119, "old nurses"),
        ([OLD_NURSES], {"job": "nurse"}, 120, None),
        ([OLD_NURSES, OLD], {"job": "cook"}, 90, "old"),
    ],
)
def test_the_first_rule_that_holds_decides(
    rules: list[dict[str, object]], lead: dict[str, object], minutes: int, expected: str | None
) -> None:
    assert held(document(*rules), lead, timedelta(minutes=minutes)) == expected


def test_an_age_is_counted_to_the_instant() -> None:
    for age, expected in ((timedelta(minutes=60) - timedelta(microseconds=1), None), (timedelta(minutes=60), "old")):
        assert held(document(OLD), {}, age) == expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        # Clocks go back in the night to 25 October 2026: three in the morning comes at 02:00 UTC.
        (datetime(2026, 10, 25, 20, 59, 59, tzinfo=UTC), None),
        (datetime(2026, 10, 25, 21, 0, tzinfo=UTC), "night"),
        (datetime(2026, 10, 26, 4, 59, 59, tzinfo=UTC), "night"),
        (datetime(2026, 10, 26, 5, 0, tzinfo=UTC), None),
        # In summer the same hours are one hour earlier.
        (datetime(2026, 6, 7, 20, 0, tzinfo=UTC), "night"),
        (datetime(2026, 6, 8, 4, 0, tzinfo=UTC), None),
    ],
)
def test_hours_are_those_of_the_zone(moment: datetime, expected: str | None) -> None:
    assert held(document(NIGHT), {}, moment=moment) == expected


@pytest.mark.parametrize(
    ("rule", "path", "code"),
    [
        ({"name": "", "price_cents": 5, "filter": NURSES["filter"]}, "rules[0].name", "not_a_name"),
        ({**NURSES, "name": " nurses"}, "rules[0].name", "not_a_name"),
        ({**NURSES, "name": "a\nb"}, "rules[0].name", "not_a_name"),
        ({**NURSES, "price_cents": 0}, "rules[0].price_cents", "price_out_of_range"),
        ({**NURSES, "price_cents": True}, "rules[0].price_cents", "price_out_of_range"),
        ({**NURSES, "price_cents": 10**12 + 1}, "rules[0].price_cents", "price_out_of_range"),
        ({"name": "all", "price_cents": 5}, "rules[0]", "no_condition"),
        ({**NURSES, "filter": wants()}, "rules[0].filter", "no_condition"),
        ({**NURSES, "filter": wants(("height", "gte", 3))}, "rules[0].filter.rules[0].field_key", "unknown_field"),
        ({**NURSES, "hours": []}, "rules[0].hours", "not_hours"),
        ({**NURSES, "hours": [{"days": ["sun"], "opens": "25:00", "closes": "06:00"}]}, "rules[0].hours", "not_hours"),
        ({**NURSES, "lead_age_minutes": {}}, "rules[0].lead_age_minutes", "not_an_age"),
        ({**NURSES, "lead_age_minutes": {"from": 0}}, "rules[0].lead_age_minutes.from", "age_out_of_range"),
        ({**NURSES, "lead_age_minutes": {"from": 5, "below": 5}}, "rules[0].lead_age_minutes", "age_out_of_range"),
        ({**NURSES, "lead_age_minutes": {"to": 5}}, "rules[0].lead_age_minutes.to", "unknown_key"),
        ({**NURSES, "weekday": 5}, "rules[0].weekday", "unknown_key"),
    ],
)
def test_what_is_wrong_with_a_rule_is_named(rule: dict[str, object], path: str, code: str) -> None:
    assert (path, code) in [(each.path, each.code) for each in new_price_rules(document(rule), SCHEMA)[1]]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (None, "not_an_object"),
        ([], "not_an_object"),
        ({"rules": []}, "missing_key"),
        ({"version": 2, "rules": []}, "unknown_version"),
        ({"version": 1}, "not_rules"),
        ({"version": 1, "rules": [1]}, "not_an_object"),
        ({"version": 1, "rules": [NIGHT]}, "missing_key"),
        ({"version": 1, "timezone": "Mars/Olympus", "rules": []}, "unknown_timezone"),
        (document(NURSES, NURSES), "name_repeated"),
        (document(*({**OLD, "name": str(n)} for n in range(MOST_PRICE_RULES + 1))), "not_rules"),
    ],
)
def test_what_is_wrong_with_price_rules_is_named(raw: object, code: str) -> None:
    assert code in [each.code for each in new_price_rules(raw, SCHEMA)[1]]


def prices_of(level: Level) -> tuple[int, int]:
    """The lowest and the highest price that the level can ask."""
    rules = compile_price_rules(level.price_rules_text, SCHEMA).rules
    prices = [level.price_cents, *(each.price_cents for each in rules)]
    return min(prices), max(prices)


def test_the_lowest_price_is_that_of_all_that_the_level_can_ask() -> None:
    level = Level("l", "L", 500, 1, 1, True, price_rules_text=price_rules_text(document(NURSES, OLD)))
    assert (lowest_price_cents(level), prices_of(level)) == (200, (200, 900))
    assert lowest_price_cents(replace(level, price_cents=100)) == 100
    assert prices_of(replace(level, price_rules_text=None)) == (500, 500)


@pytest.mark.parametrize("text", ['{"rules":7}', "[]", '{"rules":[{}]}', '{"rules":[{"price_cents":"x"}]}'])
def test_rules_that_cannot_be_read_are_none(text: str) -> None:
    assert compile_price_rules(text, SCHEMA).rules == ()


@given(markets(), attributes, ages)
def test_a_level_asks_its_own_price_or_that_of_the_first_rule_that_holds(
    market: Market, lead: dict[str, object], age: int
) -> None:
    history = staged(market)
    decision = decide(history.roster, history.lead(lead, age), market.balances, BEGINNING)
    by_id = {level.level_id: level for level in market.levels}
    for result in decision.levels:
        level = by_id[result.level.level_id]
        low, high = prices_of(level)
        assert result.level.price_cents == naive_price(level, SCHEMA, lead, age)
        assert low == lowest_price_cents(level) <= result.level.price_cents <= high
        for recipient in result.recipients:
            most = history.roster.subscriptions[recipient.subscription_id].max_price_cents
            assert recipient.price_cents == result.level.price_cents
            assert most is None or recipient.price_cents <= most


@given(markets(), st.lists(st.tuples(attributes, ages), max_size=5))
def test_what_is_recorded_of_prices_is_decided_again_and_read_back(
    market: Market, leads: list[tuple[dict[str, object], int]]
) -> None:
    history = opened(market)
    for lead, age in leads:
        decision = history.distribute(history.lead(lead, age))
        payload = decision_payload(decision)
        read = read_decision(history.roster.niche_id, decision.seq, payload, history.roster.levels)
        assert canonical_json(decision_payload(read)) == canonical_json(payload)
    assert history.replayed()[1] == []
    erased, differences = replayed_erased(history.entries)
    assert differences == []
    assert erased.roster.head == history.roster.head


def replayed_erased(entries: Sequence[Entry]) -> tuple[Replay, list[str]]:
    replay, differences = Replay(entries[0].niche_id), list[str]()
    for entry in entries:
        differences += replay.step(entry, None, None, is_erased=entry.kind is JournalEntryKind.DECISION)
    return replay, differences + replay.end()


@given(markets(), attributes, ages)
def test_explanations_and_queues_agree_with_the_decision_on_every_price_limit(
    market: Market, lead: dict[str, object], age: int
) -> None:
    history = opened(market)
    state = RosterState(history.roster.niche_id)
    for entry in history.entries:
        state.fold(entry)
    own = history.lead(lead, age)
    decision = decide(history.roster, own, market.balances, BEGINNING)
    queues = queues_of(state, lead, decision, history.roster.head.last_served_seq)
    for result, queue in zip(decision.levels, queues, strict=True):
        told = [
            standing
            for provider_id in market.statuses
            if (standing := standing_of(state, own, decision, result, provider_id)) is not None
        ]
        dear = [each for each in told if each.refusal and each.refusal.reason == "price_above_limit"]
        assert len(dear) == result.counts.get("price_above_limit", 0) == len(queue.outside.get("price_above_limit", ()))
    assert RosterState.from_document(json.loads(json.dumps(state.document()))).document() == state.document()


# What follows from it -------------------------------------------------------------------------------------------------


def priced(*rules: dict[str, object], providers: int = 2, **changed: Any) -> History:
    """One level of 500 cents with these rules, of one recipient, and providers with 2,000 cents each."""
    text = price_rules_text(document(*rules))
    level = Level(id_of("level", 1), "gold", 500, 1, 1, True, price_rules_text=text)
    names = [id_of("provider", n) for n in range(providers)]
    subscriptions = [subscription_of(n, name, **(changed if n == 0 else {})) for n, name in enumerate(names)]
    balances = dict.fromkeys(names, Balance(2000, 0, 1))
    return opened(Market((level,), dict.fromkeys(names, "active"), balances, tuple(subscriptions), {}, 1))


def subscription_of(number: int, provider_id: str, **changed: Any) -> Any:
    from fairlead.core.model import Subscription
    from fairlead.core.subscription import EVERY_LEAD

    subscription_id, level_id = id_of("subscription", number), id_of("level", 1)
    return replace(Subscription(subscription_id, provider_id, level_id, True, None, EVERY_LEAD, True), **changed)


def test_a_limit_below_the_price_is_counted_and_never_visited(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such subscriptions gather at the head of the queue: each lead would visit all of them."""
    asked: list[str] = []
    before = gates.decision_refusal

    def watched(*given: Any) -> Any:
        asked.append(given[1].subscription_id)
        return before(*given)

    monkeypatch.setattr(gates, "decision_refusal", watched)
    history = priced(NURSES, providers=1)
    for number in range(1, 300):
        name = id_of("provider", number)
        history.roster.set_provider(name, "active")
        history.balances[name] = Balance(2000, 0, 1)
        history.roster.set_subscription(subscription_of(number, name, max_price_cents=899), is_deleted=False)
    decision = decide(history.roster, history.lead({"job": "nurse"}), history.balances, BEGINNING)
    assert [each.price_cents for each in decision.recipients] == [900]
    assert decision.levels[0].counts == {"price_above_limit": 299}
    assert asked == [id_of("subscription", 0)]


def test_a_shut_subscription_that_pays_less_is_refused_by_its_price() -> None:
    history = priced(NURSES, schedule_text='{"paused_until":"2026-04-01T00:00:00Z"}', max_price_cents=800)
    shut = history.distribute(history.lead({"job": "cook"}))
    assert [each.refusal.reason for each in shut.levels[0].refused] == ["outside_schedule"]
    dear = history.distribute(history.lead({"job": "nurse"}))
    assert dear.levels[0].counts == {"price_above_limit": 1}
    cheap = history.distribute(history.lead({"job": "cook"}))
    assert cheap.levels[0].counts == {"outside_schedule": 1}
    assert history.replayed()[1] == []


def test_funds_are_held_against_the_lowest_price_and_a_charge_against_the_decided_one() -> None:
    history = priced(NURSES, OLD, providers=1)
    assert history.distribute(history.lead({"job": "nurse"})).recipients[0].price_cents == 900
    assert history.distribute(history.lead({"job": "nurse"})).recipients[0].price_cents == 900
    # 200 left, which is what an old lead costs.
    assert history.roster.subscriptions[id_of("subscription", 0)].is_active
    dear = history.distribute(history.lead({}))
    assert [each.refusal.recorded() for each in dear.levels[0].refused] == [{"available_cents": 200}]
    assert dear.outcome.value == "no_eligible"
    assert history.distribute(history.lead({}, age_minutes=60)).recipients[0].price_cents == 200
    assert history.roster.subscriptions[id_of("subscription", 0)].deactivation_reason == "insufficient_funds"
    assert history.replayed()[1] == []


def spending(most_cents: int) -> LimitedHistory:
    own = limited((f'{{"spend_cents_per_day":{most_cents}}}', None), price_cents=500)
    [level] = own.history.roster.levels.values()
    dear = replace(level, price_rules_text=price_rules_text(document(NURSES, OLD)))
    own.history.write((JournalEntryKind.LEVEL, level_payload(dear, is_deleted=False)))
    return own


def test_a_cap_of_money_counts_the_decided_price_and_shuts_only_where_the_lowest_would_not_fit() -> None:
    own = spending(1000)

    def sold(lead: dict[str, object], age: int = 0) -> Decision:
        batch = own.decided([own.history.lead(lead, age)])
        own.take(batch)
        return batch.decisions[0]

    assert [each.price_cents for each in sold({}).recipients] == [500]
    dear = sold({"job": "nurse"})
    [refused] = dear.levels[0].refused
    assert refused.refusal.reason == "cap_reached"
    assert refused.refusal.shuts_until is None, "a cheaper lead has room"
    assert dear.reopens_at == BEGINNING.replace(hour=0) + timedelta(days=1)
    assert [each.price_cents for each in sold({}, 60).recipients] == [200]
    assert [each.price_cents for each in sold({}, 60).recipients] == [200]
    full = sold({}, 60)
    assert [each.refusal.shuts_until is None for each in full.levels[0].refused] == [False]
    assert own.decided([own.history.lead({"job": "nurse"})]).decisions[0].levels[0].refused == (), "it is counted now"
    assert own.history.replayed()[1] == []


def test_entries_and_snapshots_have_what_is_set_and_nothing_else() -> None:
    level = Level("l", "L", 500, 1, 1, True, price_rules_text=price_rules_text(document(OLD)))
    assert level_from_payload(level_payload(level, is_deleted=False)) == (level, False)
    assert "price_rules" not in level_payload(replace(level, price_rules_text=None), is_deleted=False)
    limit = subscription_of(1, "p", max_price_cents=700)
    assert subscription_from_payload(subscription_payload(limit, is_deleted=False)) == (limit, False)
    plain = subscription_payload(replace(limit, max_price_cents=None), is_deleted=False)
    assert "max_price_cents" not in plain
    history = priced()
    payload = decision_payload(history.distribute(history.lead({"job": "nurse"})))
    assert "price_rule" not in payload["levels"][0]  # type: ignore[index]
    assert "lead_created_at" not in payload
    assert payload["version"] == 2


# Tampering, erasure, other editions -----------------------------------------------------------------------------------


def changed(history: History, change: Callable[[dict[str, Any]], None]) -> list[Entry]:
    """The journal with its last entry changed, and that one's hash made anew."""
    *before, last = history.entries
    payload: dict[str, Any] = json.loads(canonical_json(last.payload))
    change(payload)
    own = entry_hash(
        last.prev_hash, last.niche_id, last.seq, last.kind.value, canonical_json(payload), last.recorded_at
    )
    return [*before, replace(last, payload=payload, hash=own)]


def another_rule(payload: dict[str, Any]) -> None:
    payload["levels"][0]["price_rule"] = {"number": 2, "name": "old"}


def rule_and_price(payload: dict[str, Any]) -> None:
    another_rule(payload)
    payload["levels"][0]["price_cents"] = payload["levels"][0]["recipients"][0]["price_cents"] = 200


def no_rule(payload: dict[str, Any]) -> None:
    del payload["levels"][0]["price_rule"]


def only_price(payload: dict[str, Any]) -> None:
    payload["levels"][0]["price_cents"] = payload["levels"][0]["recipients"][0]["price_cents"] = 899


def another_name(payload: dict[str, Any]) -> None:
    payload["levels"][0]["price_rule"]["name"] = "doctors"


@pytest.mark.parametrize("change", [another_rule, rule_and_price, no_rule, only_price, another_name])
@pytest.mark.parametrize("is_erased", [False, True])
def test_a_changed_price_or_rule_is_found_with_the_answers_and_without_them(
    change: Callable[[dict[str, Any]], None], is_erased: bool
) -> None:
    """Of an erased lead that is 59 minutes old no rule by age can have held, whatever was answered."""
    history = priced(NURSES, OLD)
    history.distribute(history.lead({"job": "nurse"}, 59))
    replay, differences = Replay(history.roster.niche_id), list[str]()
    for entry in changed(history, change):
        lead, salt = history.leads.get(str(entry.payload.get("lead_id")), (None, None))
        erased = is_erased and entry.kind is JournalEntryKind.DECISION
        differences += replay.step(entry, lead, salt, is_erased=erased)
    assert differences


@pytest.mark.parametrize("zones", ["2026z", time_rules.ZONES_VERSION])
def test_hours_of_another_edition_of_the_zones_are_those_on_record(monkeypatch: pytest.MonkeyPatch, zones: str) -> None:
    moment = datetime(2026, 3, 1, 21, 30, tzinfo=UTC)
    history = priced(NIGHT)
    batch = decide_batch(history.roster, [history.lead({})], history.balances, moment)
    assert isinstance(batch, BatchDecision)
    history.seal_at(batch.contents(), moment)
    assert [each.price_cents for each in batch.decisions[0].recipients] == [700]
    monkeypatch.setattr(time_rules, "CALENDARS", {"time_zones": zones, "holidays": time_rules.HOLIDAYS_VERSION})
    monkeypatch.setattr(time_rules, "is_within", lambda *_: zones == time_rules.ZONES_VERSION)
    assert history.replayed()[1] == []


def test_every_age_and_lead_of_the_markets_is_asked() -> None:
    """The examples of the random markets reach each of their rules."""
    from tests.core.markets import PRICE_RULES

    reached = {
        str(rule["name"])
        for rule in PRICE_RULES
        for lead in ATTRIBUTES
        for age in AGES
        if held({"version": 1, "rules": [rule]}, dict(lead), timedelta(minutes=age))
    }
    assert reached == {str(rule["name"]) for rule in PRICE_RULES} - {"unfit"}
    assert FormSchema() != SCHEMA
