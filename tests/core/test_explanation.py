"""What is told about each provider one by one adds up to what the decision says of all of them."""

from collections import Counter

from hypothesis import given

from fairlead.core.decide import decide
from fairlead.core.explanation import standing_of
from fairlead.core.refusals import LevelFull
from tests.core.history import BEGINNING
from tests.core.markets import Market, attributes, markets, staged


@given(markets(), attributes)
def test_every_provider_is_told_the_reason_that_the_decision_counted(market: Market, lead: dict[str, object]) -> None:
    history = staged(market)
    subject = history.lead(lead)
    decision = decide(history.roster, subject, market.balances, BEGINNING)
    for result in decision.levels:
        standings = [
            standing
            for provider_id in market.statuses
            if (standing := standing_of(history.roster, subject, decision, result, provider_id)) is not None
        ]
        assert {each.recipient for each in standings} - {None} == {*result.recipients}
        told = Counter(each.refusal.reason for each in standings if each.refusal is not None)
        assert told == Counter({r: n for r, n in result.counts.items() if n}) + Counter(
            r.refusal.reason for r in result.refused
        )


@given(markets(), attributes)
def test_a_full_level_tells_how_many_stood_ahead(market: Market, lead: dict[str, object]) -> None:
    history = staged(market)
    subject = history.lead(lead)
    decision = decide(history.roster, subject, market.balances, BEGINNING)
    for result in decision.levels:
        queue = [each.subscription_id for each in history.roster.matching(lead).at(result.level)[1]]
        for provider_id in market.statuses:
            standing = standing_of(history.roster, subject, decision, result, provider_id)
            if standing is not None and isinstance(standing.refusal, LevelFull):
                ahead = queue.index(standing.subscription_id)
                assert standing.refusal == LevelFull(
                    ahead, result.level.max_recipients, by_shares=result.level.is_weighted
                )
                assert ahead >= result.level.max_recipients
