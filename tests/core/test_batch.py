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
from fairlead.core.roster import Roster
from fairlead.core.subscription import EVERY_LEAD
from tests.core.history import BEGINNING, id_of, state_of
from tests.core.limited import limited
from tests.core.markets import Market, attributes, markets, opened

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


@pytest.mark.parametrize(("last_at", "times"), [(-60, 1), (60, 2)])
def test_an_earlier_lead_that_was_not_expected_decides_nothing_anew(
    monkeypatch: pytest.MonkeyPatch, last_at: int, times: int
) -> None:
    """What is kept afterwards says this moment, as the lead's; a later one only a clock that was set back leaves."""
    history = limited(('{"leads_per_day":5}', None)).history
    decisions: list[Lead] = []

    def counting(roster: Roster, lead: Lead, *arguments: Any) -> Decision:
        decisions.append(lead)
        return decide(roster, lead, *arguments)

    monkeypatch.setattr(batches, "decide", counting)
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
