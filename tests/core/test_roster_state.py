"""The state that a snapshot holds: written down anywhere and folded on, it is the fold from the first entry."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.configuration_entries import niche_payload, subscription_payload
from fairlead.core.decision_entries import read_decision
from fairlead.core.explanation import standing_of
from fairlead.core.fold import JournalGap
from fairlead.core.journal import JournalEntryKind
from fairlead.core.model import Balance, Lead, Level, Subscription
from fairlead.core.roster_state import RosterState
from fairlead.core.subscription import EVERY_LEAD
from tests.core.history import FORM, History, decided_again, id_of
from tests.core.markets import Market, attributes, busy_history, markets, opened
from tests.core.test_roster import EDITS, Tables


def written_down(state: RosterState) -> RosterState:
    """The state after a stay in the database."""
    return RosterState.from_document(json.loads(json.dumps(state.document())))


def state_at(history: History, seq: int, state: RosterState | None = None) -> RosterState:
    """The state with the journal folded into it up to the entry; by default from the first one on."""
    state = state or RosterState(history.roster.niche_id)
    for entry in history.entries[state.head.seq : seq]:
        state.fold(entry)
    return state


@given(st.data(), st.sampled_from([1, 2]))
def test_a_state_written_down_anywhere_and_folded_on_is_the_fold_from_the_start(
    data: st.DataObject, version: int
) -> None:
    history, tables = History(version), Tables()
    history.balances = {id_of("provider", number): Balance(10**9, 0, 0) for number in range(3)}
    history.write((JournalEntryKind.NICHE, niche_payload("loans", "Loans", True, FORM)))
    for _ in range(data.draw(st.sampled_from([12, 25, 5]))):
        data.draw(st.sampled_from(EDITS))(data.draw, history, tables)
    end = len(history.entries)
    whole = state_at(history, end)
    resumed = state_at(history, end, written_down(state_at(history, data.draw(st.integers(0, end)))))
    assert resumed.document() == whole.document()
    roster = history.roster
    assert (whole.head, whole.schema, whole.levels) == (roster.head, roster.schema, roster.levels)
    assert {each: whole.subscription(each) for each in roster.subscriptions} == roster.subscriptions
    assert len(whole) == len(roster)
    for number in range(3):
        provider = id_of("provider", number)
        assert whole.subscriptions_of(provider) == roster.subscriptions_of(provider)
        assert whole.provider_status(provider) == roster.provider_status(provider)


@given(markets(), st.lists(attributes, min_size=1, max_size=5), st.sampled_from([1, 2]))
def test_a_state_explains_the_record_as_a_roster_explains_the_decision(
    market: Market, leads: list[dict[str, object]], version: int
) -> None:
    """To every provider, at every level, from the entry alone; how many stood ahead, too."""
    history = opened(market)
    history.version = version
    for attributes_of_it in leads[:-1]:
        history.distribute(history.lead(attributes_of_it))
    before = len(history.entries)
    lead = history.lead(leads[-1])
    rosters_own = History(version)
    for entry in history.entries:
        rosters_own.roster.fold(entry)
    history.distribute(lead)
    entry = history.entries[before]
    decision = decided_again(rosters_own.roster, entry.payload, lead.attributes)
    state = written_down(state_at(history, before))
    recorded = read_decision(state.niche_id, entry.seq, entry.payload, state.levels)
    subject = Lead(recorded.lead_id, lead.attributes, recorded.lead_commitment, recorded.attempt)
    assert [each.level.level_id for each in recorded.levels] == [each.level.level_id for each in decision.levels]
    for told, result in zip(recorded.levels, decision.levels, strict=True):
        for provider_id in market.statuses:
            assert standing_of(state, subject, recorded, told, provider_id) == standing_of(
                rosters_own.roster, subject, decision, result, provider_id
            )


def test_a_paused_subscription_stays_and_one_that_left_comes_back_to_its_place() -> None:
    """R12, by one that was served: paused, gone, and subscribed anew."""
    level = Level(id_of("level", 1), "only", 500, 1, 1, is_active=True)
    own = Subscription(
        id_of("subscription", 1), id_of("provider", 1), level.level_id, True, None, EVERY_LEAD, filter_is_valid=True
    )
    history = opened(
        Market((level,), {own.provider_id: "active"}, {own.provider_id: Balance(900, 0, 1)}, (own,), {}, 1)
    )
    assert history.distribute(history.lead({})).recipients
    paused = replace(own, is_active=False, deactivation_reason="paused")
    told = [(paused, False), (paused, True), (own, False)]
    expected = [paused, None, own]
    for (subscription, is_deleted), stays in zip(told, expected, strict=True):
        payload = subscription_payload(subscription, is_deleted=is_deleted, before=None)
        history.write((JournalEntryKind.SUBSCRIPTION, payload))
        state = written_down(state_at(history, len(history.entries)))
        assert (state.subscription(own.subscription_id), len(state)) == (stays, stays is not None)
        assert state.document()["served"] == {own.subscription_id: 1}


def test_a_state_of_another_format_is_not_read() -> None:
    document = state_at(busy_history(1), 40).document()
    with pytest.raises(ValueError, match="another format"):
        RosterState.from_document({**document, "format": 3})


def test_an_entry_that_does_not_follow_is_refused() -> None:
    history = busy_history(1)
    with pytest.raises(JournalGap):
        state_at(history, 5).fold(history.entries[6])
