"""One registry says what refuses a subscription: what stands there is decided, counted, explained and replayed."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from fairlead.core import gates
from fairlead.core.decide import decide
from fairlead.core.decision import Outcome
from fairlead.core.decision_entries import decision_payload
from fairlead.core.explanation import standing_of
from fairlead.core.messages import Names
from fairlead.core.model import Balance, Level, Subscription
from tests.core.history import BEGINNING, History, id_of
from tests.core.markets import FILTERS, Market, attributes, markets, opened, staged
from tests.core.toy_gates import EVEN_DAYS_ONLY, OddDay, with_toy_gates

ROOT = Path(__file__).parents[2]
NAMES = Names({}, "EUR")


def test_precedence_is_that_of_the_rules() -> None:
    assert [refusal.reason for refusal in gates.REGISTRY.refusals] == [
        "provider_inactive",
        "subscription_inactive",
        "filter_invalid",
        "filter_mismatch",
        "price_above_limit",
        "outside_schedule",
        "cap_reached",
        "already_recipient",
        "conflict_group",
        "insufficient_balance",
        "lead_full",
        "level_full",
    ]


def test_the_guide_lists_the_gates_in_their_precedence() -> None:
    guide = (ROOT / "docs" / "guide" / "algorithm.md").read_text(encoding="utf-8")
    [listed] = re.findall(r"the first that refuses is the reason:\n\n(.*?)\n\n", guide, re.DOTALL)
    assert re.findall(r"`([a-z_]+)`", listed) == [refusal.reason for refusal in gates.REGISTRY.refusals]


@given(markets(), attributes)
def test_a_recorded_refusal_is_read_back_as_it_was(market: Market, lead: dict[str, object]) -> None:
    history = staged(market)
    decision = decide(history.roster, history.lead(lead), market.balances, BEGINNING)
    payload: Any = decision_payload(decision, version=1)
    for result, level in zip(decision.levels, payload["levels"], strict=True):
        read = [gates.REGISTRY.by_reason[each["reason"]].read(each, level) for each in level["refused"]]
        assert read == [each.refusal for each in result.refused]


@pytest.fixture
def with_toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two gates more, and nothing else: one that says the same for every lead, and one that depends on the decision."""
    monkeypatch.setattr(gates, "REGISTRY", with_toy_gates(gates.REGISTRY))


def toy_history() -> History:
    """One level for two of three providers: 1 keeps even days, 2 is as any other, and 7 is nameless."""
    level = Level(id_of("level", 1), "Only", 100, 2, 1, True)
    providers = [id_of("provider", number) for number in (1, 2, 7)]
    subscriptions = tuple(
        Subscription(id_of("subscription", number), provider_id, level.level_id, True, None, FILTERS[0], True)
        for number, provider_id in zip((1, 2, 7), providers, strict=True)
    )
    balances = dict.fromkeys(providers, Balance(1000, 0, 1))
    market = Market((level,), dict.fromkeys(providers, "active"), balances, subscriptions, {}, 1)
    return opened(market)


@pytest.mark.usefixtures("with_toys")
def test_a_gate_that_is_added_is_decided_counted_explained_and_replayed() -> None:
    history = toy_history()
    lead = history.lead({})
    assert history.now.day % 2 == 1
    decision = decide(history.roster, lead, history.balances, history.now)
    [result] = decision.levels
    assert [each.provider_id for each in result.recipients] == [id_of("provider", 2)]
    assert [(each.provider_id, each.refusal) for each in result.refused] == [(EVEN_DAYS_ONLY, OddDay(1))]
    assert Counter(result.counts)["nameless"] == 1
    # A slot stayed open for a reason that leaves the sale open.
    assert decision.outcome is Outcome.PARTIAL
    told = [standing_of(history.roster, lead, decision, result, id_of("provider", number)) for number in (1, 7)]
    sentences = [each and each.refusal and each.refusal.sentence(NAMES) for each in told]
    assert sentences == ["Day 1 is odd.", "The subscription has no name."]
    assert history.distribute(lead) == decision
    recorded: Any = history.entries[-1].payload
    assert recorded["levels"][0]["refused"] == [
        {
            "subscription_id": id_of("subscription", 1),
            "provider_id": EVEN_DAYS_ONLY,
            "reason": "odd_day",
            "day": 1,
        }
    ]
    assert recorded["levels"][0]["counts"] == {"nameless": 1}
    _, differences = history.replayed()
    assert differences == []


def test_a_journal_that_a_gate_of_another_release_decided_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(gates, "REGISTRY", with_toy_gates(gates.REGISTRY))
        history = toy_history()
        history.distribute(history.lead({}))
    _, differences = history.replayed()
    assert any("deciding it again gives another decision" in each for each in differences)
