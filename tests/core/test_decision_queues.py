"""The queues that a past decision went through: each subscription has a place and a reason, and the counts agree."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.batch import BatchDecision
from fairlead.core.decision import Decision
from fairlead.core.decision_entries import read_decision
from fairlead.core.decision_queues import QueueDiffers, queue_recorded, queues_of
from fairlead.core.model import Balance, Lead, Level, Subscription, filter_text
from fairlead.core.refusals import AlreadyRecipient, ConflictGroup
from fairlead.core.replay import Replay, redecide
from fairlead.core.roster_state import RosterState
from tests.core.history import EVERY_LEAD, History, id_of
from tests.core.markets import Market, attributes, markets, opened
from tests.core.test_roster_state import state_at


def decided(
    market: Market, leads: list[dict[str, object]], version: int
) -> tuple[History, RosterState, Decision, Lead]:
    """The last of the leads decided: the journal, the niche right before, the decision as recorded."""
    history = opened(market)
    history.version = version
    for attributes_of_it in leads[:-1]:
        history.distribute(history.lead(attributes_of_it))
    before = len(history.entries)
    lead = history.lead(leads[-1])
    history.distribute(lead)
    state = state_at(history, before)
    entry = history.entries[before]
    return history, state, read_decision(state.niche_id, entry.seq, entry.payload, state.levels), lead


LEADS = st.lists(attributes, min_size=1, max_size=4)


@given(markets(), LEADS, st.sampled_from([1, 2]))
def test_every_subscription_has_its_place_and_the_reason_that_was_counted(
    market: Market, leads: list[dict[str, object]], version: int
) -> None:
    _, state, decision, lead = decided(market, leads, version)
    queues = queues_of(state, lead.attributes, decision, state.head.last_served_seq)
    roster = state.roster()
    for queue, result in zip(queues, decision.levels, strict=True):
        walked = [each.subscription_id for each in roster.matching(lead.attributes).at(result.level)[1]]
        assert [each.subscription_id for each in queue.reached] == walked[: len(queue.reached)]
        assert [each.rank for each in queue.reached] == [*range(1, len(queue.reached) + 1)]
        assert queue.queue_length == len(walked)
        assert tuple(each.recipient for each in queue.reached if each.recipient) == result.recipients
        reasons = Counter(each.refusal.reason for each in queue.reached if each.refusal)
        outside = Counter({reason: len(own) for reason, own in queue.outside.items()})
        recorded = Counter(result.counts) + Counter(each.refusal.reason for each in result.refused)
        behind = recorded - reasons - outside
        assert reasons + outside <= recorded
        assert behind.total() == queue.behind_count
        full = "level_full" if result.lead_full is None else "lead_full"
        assert {*behind} <= {full, AlreadyRecipient.reason, ConflictGroup.reason}
        if queue.behind_count and queue.reached:
            assert queue.reached[-1].recipient is not None, "a level is full when its last place is taken"
        for each in queue.reached:
            seq = state.served_seq(each.subscription_id)
            assert each.served_ago == (None if seq is None else state.head.last_served_seq - seq + 1)


@given(markets(), LEADS, st.sampled_from([1, 2]))
def test_the_roster_of_a_state_takes_the_decision_again(
    market: Market, leads: list[dict[str, object]], version: int
) -> None:
    history, state, decision, lead = decided(market, leads, version)
    recorded = history.entries[decision.seq - 1].payload
    again = redecide(state.roster(), recorded, lead.attributes)
    assert isinstance(again, BatchDecision)
    [(_, payload), *_] = again.contents(version)
    assert payload == recorded
    replay = Replay(state.niche_id, state.roster())
    replay.step(history.entries[decision.seq - 1], lead.attributes, None)
    assert replay.decision_count == 1


def test_a_decision_of_another_past_is_no_queue() -> None:
    market = Market((), {}, {}, (), {}, 1)
    _, state, decision, lead = decided(market, [{}], 2)
    assert queues_of(state, lead.attributes, decision, 0) == ()
    busy = busy_decision()
    with pytest.raises(QueueDiffers):
        queues_of(RosterState(busy.niche_id), {}, busy, 0)
    told = queue_recorded(busy.levels[0])
    assert [each.recipient for each in told.reached] == list(busy.levels[0].recipients)
    assert (told.behind_count, told.outside) == (0, {})


def busy_decision() -> Decision:
    """One that has a recipient."""
    level = Level(id_of("level", 1), "gold", 100, 1, 1, is_active=True)
    provider = id_of("provider", 1)
    own = Subscription(id_of("subscription", 1), provider, level.level_id, True, None, filter_text(EVERY_LEAD), True)
    market = Market((level,), {provider: "active"}, {provider: Balance(1000, 0, 1)}, (own,), {}, 1)
    _, _, decision, _ = decided(market, [{}], 2)
    assert decision.recipients
    return decision
