"""A batch is decided by certain balances alone; what is expected only helps to foresee whom it consults."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core import batch as batches
from fairlead.core.batch import BatchDecision, NeedsBalances, decide_batch, follow_batch
from fairlead.core.calendar.limits import counters_of
from fairlead.core.decide import decide
from fairlead.core.decision import Decision
from fairlead.core.model import Balance, Lead, Level, Subscription
from fairlead.core.prices import price_rules_text
from fairlead.core.roster import Roster
from fairlead.core.subscription import EVERY_LEAD
from tests.core.history import BEGINNING, id_of, state_of
from tests.core.limited import limited
from tests.core.markets import PRICE_RULES, Market, attributes, markets, opened

leads_of_a_batch = st.lists(attributes, min_size=1, max_size=4)
guesses = st.dictionaries(st.integers(0, 9), st.integers(0, 5000), max_size=6)


def decided(
    roster: Roster, leads: list[Lead], truth: Mapping[str, Balance], expected: Mapping[str, Balance]
) -> BatchDecision:
    """The batch as a transaction gets it: the providers that are asked for are looked up, until none is."""
    certain: dict[str, Balance] = {}
    asked = decide_batch(roster, leads, certain, BEGINNING, expected)
    while isinstance(asked, NeedsBalances):
        assert not asked.provider_ids & certain.keys(), "a provider is asked for once"
        certain |= {provider_id: truth[provider_id] for provider_id in asked.provider_ids}
        asked = asked.resume(roster, certain)
    return asked


def guessed(market: Market, guess: Mapping[int, int]) -> dict[str, Balance]:
    """Some of the market's balances, right or wrong."""
    ids = sorted(market.balances)
    return {ids[number % len(ids)]: Balance(cents, 0, number) for number, cents in guess.items()} if ids else {}


@given(markets(), leads_of_a_batch, guesses)
def test_what_was_expected_changes_nothing(
    market: Market, batch: list[dict[str, object]], guess: Mapping[int, int]
) -> None:
    history = opened(market)
    leads = [history.lead(each) for each in batch]
    before = state_of(history.roster)
    whole = decide_batch(history.roster, leads, market.balances, BEGINNING)
    assert isinstance(whole, BatchDecision)
    assert state_of(history.roster) == before
    for expected in ({}, guessed(market, guess), market.balances):
        found = decided(history.roster, leads, market.balances, expected)
        assert (found.steps, found.balances_after) == (whole.steps, whole.balances_after)
        assert state_of(history.roster) == before


@given(markets(), leads_of_a_batch)
def test_a_batch_is_its_leads_one_after_the_other(market: Market, batch: list[dict[str, object]]) -> None:
    together, singly = opened(market), opened(market)
    leads = [together.lead(each) for each in batch]
    whole = decided(together.roster, leads, market.balances, {})
    follow_batch(together.roster, whole, bytes(32))
    balances = dict(market.balances)
    steps: list[object] = []
    for lead in leads:
        one = decided(singly.roster, [lead], balances, {})
        follow_batch(singly.roster, one, bytes(32))
        balances |= one.balances_after
        steps += one.steps
    assert list(whole.steps) == steps
    assert state_of(together.roster) == state_of(singly.roster)


@given(markets(), attributes)
def test_nothing_is_final_while_a_balance_is_missing(market: Market, lead: dict[str, object]) -> None:
    history = opened(market)
    subject = history.lead(lead)
    whole = decide_batch(history.roster, [subject], market.balances, BEGINNING)
    assert isinstance(whole, BatchDecision)
    for withheld in whole.balances_after:
        certain = {provider_id: balance for provider_id, balance in market.balances.items() if provider_id != withheld}
        # Also where it is expected, and right.
        asked = decide_batch(history.roster, [subject], certain, BEGINNING, market.balances)
        assert isinstance(asked, NeedsBalances)
        assert asked.provider_ids == {withheld}


def counted_decisions(monkeypatch: pytest.MonkeyPatch) -> list[Lead]:
    """The leads that are decided from now on, each as often as it is."""
    decisions: list[Lead] = []

    def counting(roster: Roster, lead: Lead, *arguments: Any) -> Decision:
        decisions.append(lead)
        return decide(roster, lead, *arguments)

    monkeypatch.setattr(batches, "decide", counting)
    return decisions


SHORT, RICH = 499, 9_000


@pytest.mark.parametrize(
    ("expected_cents", "true_cents", "times"),
    [
        (RICH, RICH, 1),
        (RICH, RICH + 500, 1),
        (RICH, 2_000, 1),
        (None, 2_000, 1),
        (RICH, 1_999, 2),
        (RICH, SHORT, 2),
        (None, SHORT, 2),
        (SHORT, RICH, 2),
        (1_999, RICH, 2),
        (SHORT, SHORT - 1, 2),
    ],
    ids=str,
)
def test_a_balance_that_turned_nothing_decides_nothing_anew(
    monkeypatch: pytest.MonkeyPatch, expected_cents: int | None, true_cents: int, times: int
) -> None:
    """Two leads at 500 and a level that asks 1,000: 2,000 before them are enough to stay in everything afterwards.

    A provider refused or switched off for money is looked at again, whichever balance is the higher one.
    """
    silver, gold = (Level(id_of("level", n), f"level {n}", 500 * n, 1, n, is_active=n == 1) for n in (1, 2))
    first, second = id_of("provider", 1), id_of("provider", 2)
    own = tuple(
        Subscription(id_of("subscription", n), provider, level.level_id, True, None, EVERY_LEAD, filter_is_valid=True)
        for n, (provider, level) in enumerate([(first, silver), (first, gold)])
    )
    truth = {first: Balance(true_cents, 0, 7), second: Balance(RICH, 0, 1)}
    expected = {} if expected_cents is None else {first: Balance(expected_cents, 0, 4)}
    history = opened(Market((silver, gold), dict.fromkeys(truth, "active"), truth, own, {}, 1))
    leads = [history.lead({}), history.lead({})]
    whole = decide_batch(history.roster, leads, truth, BEGINNING)
    assert isinstance(whole, BatchDecision)
    decisions = counted_decisions(monkeypatch)
    found = decided(history.roster, leads, truth, expected)
    assert (found.steps, found.balances_after) == (whole.steps, whole.balances_after)
    assert len(decisions) == times * len(leads)


def test_a_provider_refused_for_the_price_of_a_rule_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It can pay for its level, so nothing switched it off; what was refused was this lead at this price."""
    rules = price_rules_text({"version": 1, "rules": [PRICE_RULES[3]]})
    level = Level(id_of("level", 1), "level", 100, 1, 1, is_active=True, price_rules_text=rules)
    provider = id_of("provider", 1)
    own = Subscription(id_of("subscription", 1), provider, level.level_id, True, None, EVERY_LEAD, filter_is_valid=True)
    truth = {provider: Balance(RICH, 0, 2)}
    history = opened(Market((level,), {provider: "active"}, truth, (own,), {}, 1))
    lead = history.lead({})
    decisions = counted_decisions(monkeypatch)
    [decision] = decided(history.roster, [lead], truth, {provider: Balance(249, 0, 1)}).decisions
    assert [recipient.price_cents for recipient in decision.recipients] == [250]
    assert len(decisions) == 2


@pytest.mark.parametrize(("last_at", "times"), [(-60, 1), (60, 2)])
def test_an_earlier_lead_that_was_not_expected_decides_nothing_anew(
    monkeypatch: pytest.MonkeyPatch, last_at: int, times: int
) -> None:
    """What is kept afterwards says this moment, as the lead's; a later one only a clock that was set back leaves."""
    history = limited(('{"leads_per_day":5}', None)).history
    decisions = counted_decisions(monkeypatch)
    asked = decide_batch(history.roster, [history.lead({})], {}, BEGINNING, history.balances)
    assert isinstance(asked, NeedsBalances)
    seconds = int(BEGINNING.timestamp()) + last_at
    counted = {
        each: counters_of(own.owner, own.owner_id, own.windows, own.used, seconds)
        for each, (_, own) in asked.windows.items()
    }
    assert isinstance(asked.resume(history.roster, history.balances, counted), BatchDecision)
    assert len(decisions) == times


def test_what_is_left_pays_for_the_cheaper_level_and_not_for_the_dearer() -> None:
    """R9: of a provider that is still good for something, each subscription is looked at by itself."""
    silver, gold = (Level(id_of("level", n), f"level {n}", 500 * n, 1, n, is_active=True) for n in (1, 2))
    provider = id_of("provider", 1)
    own = tuple(
        Subscription(id_of("subscription", n), provider, level.level_id, True, None, EVERY_LEAD, filter_is_valid=True)
        for n, level in enumerate((silver, gold))
    )
    history = opened(Market((silver, gold), {provider: "active"}, {provider: Balance(1499, 0, 1)}, own, {}, 1))
    batch = decided(history.roster, [history.lead({})], history.balances, {})
    [decision] = batch.decisions
    assert [recipient.price_cents for recipient in decision.recipients] == [500]
    assert [each.subscription_id for each in batch.deactivated] == [own[1].subscription_id]
