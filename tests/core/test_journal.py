"""What is written into a journal comes back as it was, and its hashes are over exactly that."""

import json
from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.canonical import chain_hash, timestamp_text
from fairlead.core.configuration_entries import (
    level_from_payload,
    level_payload,
    provider_payload,
    subscription_from_payload,
    subscription_payload,
)
from fairlead.core.decide import decide
from fairlead.core.decision_entries import balances_consulted, decision_payload, recorded_decision
from fairlead.core.journal import JournalEntryKind, seal
from fairlead.core.model import Balance, Level, Subscription
from tests.core.history import BEGINNING, id_of
from tests.core.markets import FILTERS, Market, attributes, markets, staged

LEVELS = st.builds(
    Level, st.text(), st.text(), st.integers(1, 10**12), st.integers(1, 100), st.integers(1, 10**6), st.booleans()
)
SUBSCRIPTIONS = st.builds(
    Subscription,
    st.text(),
    st.text(),
    st.text(),
    st.booleans(),
    st.none() | st.text(),
    st.sampled_from(FILTERS),
    st.booleans(),
)


def stored(payload: object) -> dict[str, object]:
    """The payload as the database gives it back."""
    return json.loads(json.dumps(payload))


@given(LEVELS, st.booleans())
def test_a_level_comes_back_as_it_was_written(level: Level, is_deleted: bool) -> None:
    assert level_from_payload(stored(level_payload(level, is_deleted=is_deleted))) == (level, is_deleted)


@given(SUBSCRIPTIONS, st.booleans())
def test_a_subscription_comes_back_as_it_was_written(subscription: Subscription, is_deleted: bool) -> None:
    payload = stored(subscription_payload(subscription, is_deleted=is_deleted))
    assert subscription_from_payload(payload) == (subscription, is_deleted)


@given(st.integers(0, 1000), st.binary(min_size=32, max_size=32), st.lists(st.text(max_size=5), max_size=6))
def test_sealed_entries_are_contiguous_and_chained_to_the_head(seq: int, head: bytes, names: list[str]) -> None:
    contents = [(JournalEntryKind.PROVIDER, provider_payload(name, "active")) for name in names]
    before = head
    for number, sealed in enumerate(seal("niche", seq, head, contents, BEGINNING), start=1):
        entry = sealed.entry
        whole = {
            "niche_id": "niche",
            "seq": seq + number,
            "kind": "provider",
            "payload": json.loads(sealed.payload_text),
            "recorded_at": timestamp_text(BEGINNING),
        }
        assert (entry.seq, entry.prev_hash) == (seq + number, before)
        assert entry.hash == chain_hash(before, whole)
        assert entry.payload == whole["payload"]
        before = entry.hash
    assert len(seal("niche", seq, head, contents, BEGINNING)) == len(names)


@given(markets(), attributes)
def test_a_recorded_decision_holds_all_that_deciding_again_needs(market: Market, lead: dict[str, object]) -> None:
    history = staged(market)
    subject = history.lead(lead)
    decision = decide(history.roster, subject, market.balances, BEGINNING)
    payload = stored(decision_payload(decision))
    balances = balances_consulted(payload)
    assert sorted(balances) == sorted(decision.consulted_provider_ids)
    assert decide(history.roster, subject, balances, BEGINNING) == decision
    effect = recorded_decision(payload)
    served = [each[:2] for served_at in effect.served for each in served_at.recipients]
    assert served == [(r.subscription_id, r.served_seq) for r in decision.recipients]
    assert (effect.lead_id, effect.attempt, effect.decided_at, effect.outcome, effect.next_start_order_position) == (
        decision.lead_id,
        decision.attempt,
        decision.decided_at,
        decision.outcome,
        decision.next_start_order_position,
    )


def test_a_balance_refused_at_a_dear_level_and_charged_at_a_cheap_one_is_known_whole() -> None:
    """Refused first for 300 cents, then charged 100: the balance of the charge is the one that counts."""
    dear = Level(id_of("level", 1), "Dear", 300, 1, 1, True)
    cheap = Level(id_of("level", 2), "Cheap", 100, 1, 2, True)
    provider_id = id_of("provider", 1)
    subscriptions = tuple(
        Subscription(id_of("subscription", number), provider_id, level.level_id, True, None, FILTERS[0], True)
        for number, level in enumerate([dear, cheap])
    )
    balances = {provider_id: Balance(-50, 200, 8)}
    history = staged(Market((dear, cheap), {provider_id: "active"}, balances, subscriptions, {}, 1))
    decision = decide(history.roster, history.lead({}), balances, BEGINNING)
    assert [each.refusal.reason for each in decision.levels[0].refused] == ["insufficient_balance"]
    assert balances_consulted(decision_payload(decision)) == balances


@given(markets(), attributes, st.integers(1, 10**6))
def test_every_value_of_a_decision_is_in_its_payload(market: Market, lead: dict[str, object], later: int) -> None:
    """What is told apart as a decision is told apart in the journal."""
    history = staged(market)
    decision = decide(history.roster, history.lead(lead), market.balances, BEGINNING)
    payload = decision_payload(decision)
    others = [
        replace(decision, lead_id="another"),
        replace(decision, lead_commitment="another"),
        replace(decision, attempt=decision.attempt + 1),
        replace(decision, decided_at=BEGINNING + timedelta(microseconds=later)),
        replace(decision, start_order_position=77),
        replace(decision, next_start_order_position=77),
        replace(decision, levels=(*decision.levels, *decision.levels, *decision.levels)[1:]),
    ]
    for other in others:
        assert other == decision or decision_payload(other) != payload
