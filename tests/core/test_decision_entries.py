"""Decisions of both versions: the same decision, told whole, and what had to be named is not named at every level."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.canonical import JsonObject, canonical_json
from fairlead.core.decide import decide
from fairlead.core.decision import Decision
from fairlead.core.decision_entries import balances_consulted, decision_payload, read_decision, recorded_decision
from fairlead.core.explanation import Standing, standing_of
from fairlead.core.model import Balance, Lead, Level, Subscription, filter_text
from tests.core.frozen_journals import frozen_lines, replayed
from tests.core.history import BEGINNING, EVERY_LEAD, History, decided_again, id_of
from tests.core.markets import Market, attributes, markets, opened, staged


def stored(payload: JsonObject) -> dict[str, Any]:
    """The payload as the database gives it back."""
    return json.loads(canonical_json(payload))


def counted(payload: dict[str, Any]) -> dict[str, Any]:
    """A decision of version 1 as version 2 tells it, done by hand."""
    levels: list[dict[str, Any]] = []
    for level in payload["levels"]:
        follows = ("already_recipient", "conflict_group")
        kept = [each for each in level["refused"] if each["reason"] not in follows]
        more = Counter(each["reason"] for each in level["refused"] if each["reason"] in follows)
        counts = Counter(level["counts"]) + more
        levels.append({**level, "refused": kept, "counts": {reason: n for reason, n in counts.items() if n}})
    return {**payload, "version": 2, "levels": levels}


def standings(history: History, lead: Lead, decision: Decision, market: Market) -> list[Standing | None]:
    """What every provider is told at every level."""
    return [
        standing_of(history.roster, lead, decision, result, provider_id)
        for result in decision.levels
        for provider_id in market.statuses
    ]


@given(markets(), attributes)
def test_version_2_counts_whom_version_1_named_and_says_all_else_alike(market: Market, lead: dict[str, object]) -> None:
    history = staged(market)
    decision = decide(history.roster, history.lead(lead), market.balances, BEGINNING)
    first, second = (stored(decision_payload(decision, version)) for version in (1, 2))
    assert second == counted(first)
    assert all(each["reason"] == "insufficient_balance" for level in second["levels"] for each in level["refused"])
    assert recorded_decision(first) == recorded_decision(second)
    assert balances_consulted(first) == balances_consulted(second)


@given(markets(), attributes)
def test_both_versions_are_decided_again_and_explained_alike_to_every_provider(
    market: Market, lead: dict[str, object]
) -> None:
    history = staged(market)
    subject = history.lead(lead)
    decision = decide(history.roster, subject, market.balances, BEGINNING)
    first, second = (stored(decision_payload(decision, version)) for version in (1, 2))
    again = [decided_again(history.roster, recorded, lead) for recorded in (first, second)]
    assert again == [decision, decision]
    told = [standings(history, subject, each, market) for each in again]
    assert told[0] == told[1]
    for number, level in enumerate(second["levels"]):
        own = told[1][number * len(market.statuses) : (number + 1) * len(market.statuses)]
        reasons = Counter(each.refusal.reason for each in own if each is not None and each.refusal is not None)
        assert reasons == Counter(level["counts"]) + Counter(each["reason"] for each in level["refused"])


@given(markets(), st.lists(attributes, max_size=6), st.integers(0, 6))
def test_a_journal_that_began_with_version_1_replays_whole(
    market: Market, leads: list[dict[str, object]], change: int
) -> None:
    own = opened(market)
    own.version = 1
    for number, lead in enumerate(leads):
        if number == change:
            own.version = 2
        own.distribute(own.lead(lead))
    assert own.replayed()[1] == []


def crowd(levels: int, providers: int) -> Market:
    """Every provider is at every level, each level takes them all: the first that is visited does."""
    own = tuple(Level(id_of("level", n), f"L{n}", 100, providers, n + 1, True) for n in range(levels))
    names = [id_of("provider", n) for n in range(providers)]
    subscriptions = tuple(
        Subscription(id_of("subscription", number), name, level.level_id, True, None, filter_text(EVERY_LEAD), True)
        for number, (level, name) in enumerate((level, name) for level in own for name in names)
    )
    return Market(own, dict.fromkeys(names, "active"), dict.fromkeys(names, Balance(10**6, 0, 1)), subscriptions, {}, 1)


def size(levels: int, providers: int, version: int) -> int:
    market = crowd(levels, providers)
    history = staged(market)
    decision = decide(history.roster, history.lead({}), market.balances, BEGINNING)
    assert len(decision.recipients) == providers
    return len(canonical_json(decision_payload(decision, version)))


def test_a_decision_grows_with_levels_and_recipients_and_not_with_their_product() -> None:
    header, recipient = size(2, 1, 2) - size(1, 1, 2), size(1, 2, 2) - size(1, 1, 2)
    whole = size(200, 30, 2)
    assert whole < 200 * (header + 10) + 30 * (recipient + 10) + 1000
    assert whole < size(200, 30, 1) / 10


# What was written so far ------------------------------------------------------------------------------------------


def test_a_journal_of_version_1_replays_byte_for_byte() -> None:
    lines = frozen_lines("of_version_1")
    replay, differences = replayed(lines)
    assert differences == []
    assert replay.decision_count == sum(line["kind"] == "decision" for line in lines) == 12
    named = [each for line in lines for level in line["payload"].get("levels", []) for each in level["refused"]]
    assert Counter(each["reason"] for each in named)["already_recipient"] >= 5
    assert all("version" not in line["payload"] for line in lines if line["kind"] == "decision")


def test_a_journal_of_version_3_replays_byte_for_byte() -> None:
    lines = frozen_lines("of_version_3")
    replay, differences = replayed(lines)
    assert differences == []
    decisions = [line["payload"] for line in lines if line["kind"] == "decision"]
    assert replay.decision_count == len(decisions) == 18
    assert all(payload["version"] == 3 for payload in decisions)
    levels = {each["level_id"]: replay.roster.levels[each["level_id"]] for each in decisions[0]["levels"]}
    for line in lines:
        if line["kind"] == "decision":
            decision = read_decision(line["niche_id"], line["seq"], line["payload"], levels)
            assert decision_payload(decision, 3) == line["payload"]
            again = json.loads(json.dumps(decision_payload(decision)))
            assert read_decision(line["niche_id"], line["seq"], again, levels) == decision, "version 4 says the same"


@pytest.mark.parametrize("version", [1, 2, 3, None, "2", [2]], ids=lambda version: json.dumps(version))
def test_another_version_of_an_old_decision_is_found(version: object) -> None:
    lines = frozen_lines("of_version_1")
    line = next(line for line in lines if line["kind"] == "decision" and line["payload"]["levels"][0]["refused"])
    line["payload"]["version"] = version
    _, differences = replayed(lines)
    [found] = [each for each in differences if "its hash" not in each]
    assert "another decision" in found or "there is no version" in found


def test_the_time_of_the_next_decision_may_be_any() -> None:
    market = crowd(2, 2)
    history = staged(market)
    later = BEGINNING + timedelta(days=20_000)
    decision = decide(history.roster, history.lead({}), market.balances, later)
    assert decided_again(history.roster, stored(decision_payload(decision)), {}) == decision
