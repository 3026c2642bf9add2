"""The decision against a literal second reading of the rules, and its purity (R1-R8, R11)."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.core.canonical import JsonObject, canonical_json
from fairlead.core.decide import assignment_id, decide
from fairlead.core.decision import Decision
from fairlead.core.decision_entries import decision_payload
from fairlead.core.model import Balance
from fairlead.core.prices import lowest_price_cents
from fairlead.core.subscription import out_of_funds
from tests.core.history import BEGINNING, follow, id_of, state_of
from tests.core.markets import Market, ages, attributes, busy_history, markets, staged
from tests.core.naive import naive_decision

ROOT = Path(__file__).parents[2]


def plain(decision: Decision) -> dict[str, Any]:
    """What was decided, in the words of the naive reading."""
    return {
        "start": decision.start_order_position,
        "next": decision.next_start_order_position,
        "outcome": decision.outcome.value,
        "levels": [
            {
                "level": result.level.level_id,
                "recipients": [
                    (r.provider_id, r.subscription_id, r.price_cents, r.served_seq) for r in result.recipients
                ],
                "refused": [(r.provider_id, r.refusal.reason, *_values(r.refusal.recorded())) for r in result.refused],
                "counts": {reason: count for reason, count in result.counts.items() if count},
            }
            for result in decision.levels
        ],
    }


def _values(recorded: JsonObject) -> tuple[object, object]:
    return recorded.get("available_cents"), recorded.get("received_at_level_id", recorded.get("recipient_provider_id"))


@given(markets(), attributes, ages)
def test_a_decision_is_what_the_rules_say_read_literally(market: Market, lead: dict[str, object], age: int) -> None:
    history = staged(market)
    decision = decide(history.roster, history.lead(lead, age), market.balances, BEGINNING)
    assert plain(decision) == naive_decision(market, history.roster.schema, lead, age)


@given(markets(), attributes)
def test_every_subscription_at_a_level_is_accounted_for_once(market: Market, lead: dict[str, object]) -> None:
    history = staged(market)
    decision = decide(history.roster, history.lead(lead), market.balances, BEGINNING)
    for result in decision.levels:
        told = len(result.recipients) + len(result.refused) + sum(result.counts.values())
        assert told == sum(each.level_id == result.level.level_id for each in market.subscriptions)
        assert all(count >= 0 for count in result.counts.values())


@given(markets(), attributes)
def test_a_recipient_pays_from_its_own_balance_and_is_told_apart(market: Market, lead: dict[str, object]) -> None:
    history = staged(market)
    decision = decide(history.roster, history.lead(lead), market.balances, BEGINNING)
    for recipient in decision.recipients:
        balance = market.balances[recipient.provider_id]
        assert (recipient.balance_before_cents, recipient.credit_limit_cents, recipient.ledger_seq) == (
            balance.balance_cents,
            balance.credit_limit_cents,
            balance.ledger_seq + 1,
        )
        assert recipient.assignment_id == assignment_id(
            BEGINNING, decision.niche_id, decision.seq, recipient.subscription_id
        )


@given(markets(), attributes)
def test_deciding_changes_nothing_and_deciding_again_gives_the_same_bytes(
    market: Market, lead: dict[str, object]
) -> None:
    history = staged(market)
    subject = history.lead(lead)
    before = state_of(history.roster)
    first = canonical_json(decision_payload(decide(history.roster, subject, market.balances, BEGINNING)))
    assert state_of(history.roster) == before
    assert canonical_json(decision_payload(decide(history.roster, subject, market.balances, BEGINNING))) == first


@given(markets(), attributes)
def test_only_the_balances_that_it_says_it_consulted_can_change_a_decision(
    market: Market, lead: dict[str, object]
) -> None:
    history = staged(market)
    subject = history.lead(lead)
    decision = decide(history.roster, subject, market.balances, BEGINNING)
    known = {provider_id: market.balances[provider_id] for provider_id in decision.consulted_provider_ids}
    others = {provider_id: Balance(0, 0, 0) for provider_id in market.balances}
    assert decide(history.roster, subject, known, BEGINNING) == decision
    assert decide(history.roster, subject, others | known, BEGINNING) == decision


@given(markets(), attributes, st.randoms(use_true_random=False))
def test_other_names_in_the_same_order_change_nothing_but_the_names(
    market: Market, lead: dict[str, object], dice: Any
) -> None:
    history = staged(market)
    old = sorted(market.statuses)
    new = [id_of("renamed provider", number) for number in sorted(dice.sample(range(1 << 40), len(old)))]
    renamed = _with_other_providers(market, dict(zip(old, new, strict=True)))
    text = json.dumps(plain(decide(history.roster, history.lead(lead), market.balances, BEGINNING)))
    for before, after in zip(old, new, strict=True):
        text = text.replace(before, after)
    other = staged(renamed)
    again = decide(other.roster, other.lead(lead), renamed.balances, BEGINNING)
    assert json.loads(text) == json.loads(json.dumps(plain(again)))


def _with_other_providers(market: Market, names: dict[str, str]) -> Market:
    return replace(
        market,
        statuses={names[each]: status for each, status in market.statuses.items()},
        balances={names[each]: balance for each, balance in market.balances.items()},
        subscriptions=tuple(replace(each, provider_id=names[each.provider_id]) for each in market.subscriptions),
        groups={names[each]: group for each, group in market.groups.items()},
    )


@given(markets(), attributes)
def test_following_a_decision_moves_the_pointer_and_puts_recipients_last(
    market: Market, lead: dict[str, object]
) -> None:
    roster = staged(market).roster
    places = {each.subscription_id: roster.served_seq(each.subscription_id) for each in market.subscriptions}
    decision = decide(roster, staged(market).lead(lead), market.balances, BEGINNING)
    follow(roster, decision)
    for place, recipient in enumerate(decision.recipients, start=len(market.served) + 1):
        places[recipient.subscription_id] = place
    assert {each: roster.served_seq(each) for each in places} == places
    assert roster.head.next_start_order_position == decision.next_start_order_position
    assert roster.head.last_served_seq == len(market.served) + len(decision.recipients)
    assert roster.head.seq == decision.seq


@given(markets())
def test_out_of_funds_are_those_that_cannot_pay_their_level(market: Market) -> None:
    prices = {level.level_id: lowest_price_cents(level) for level in market.levels}
    expected = sorted(
        each.subscription_id
        for each in market.subscriptions
        if each.is_active and market.balances[each.provider_id].available_cents < prices[each.level_id]
    )
    levels = {level.level_id: level for level in market.levels}
    broke = out_of_funds(market.subscriptions, levels, market.balances)
    assert [each.subscription_id for each in broke] == expected


@pytest.fixture(scope="module")
def last_hash() -> str:
    return busy_history(11).entries[-1].hash.hex()


@pytest.mark.parametrize("seed", ["0", "1", "2", "3", "4"])
def test_a_history_is_the_same_bytes_in_every_process(seed: str, last_hash: str) -> None:
    program = (
        "import hashlib; from tests.core.markets import busy_history; print(busy_history(11).entries[-1].hash.hex())"
    )
    environment = {
        **os.environ,
        "PYTHONHASHSEED": seed,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
    }
    told = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert told.stdout.strip() == last_hash


def test_an_assignment_id_is_a_version_7_uuid_of_its_time_and_place() -> None:
    made = UUID(assignment_id(BEGINNING, "niche", 7, "subscription"))
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert made.int >> 80 == int(BEGINNING.timestamp() * 1000)
    others = [("niche", 8, "subscription"), ("niche", 7, "subscriptions"), ("niches", 7, "subscription")]
    assert len({assignment_id(BEGINNING, *place) for place in others} | {str(made)}) == 4
    digest = hashlib.sha256(b"niche/7/subscription").digest()
    assert made.int & ((1 << 62) - 1) == int.from_bytes(digest[:10], "big") & ((1 << 62) - 1)
