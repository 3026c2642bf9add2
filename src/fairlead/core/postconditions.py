"""What must be true of every decision and every batch, asked in production too: a wrong one never reaches the money.

Each promise is asserted once more of what is written, whichever flow writes. A constraint or a row count
(`store.row_counts`) refuses the transaction; an invariant, and the replay of `fairlead verify`, tell of what came past
them. No constraint can hold `max_recipients`: it is a number of rows of one table beside a number of another, and a
place of their own for a lead's recipients at a level would cost assignments a column and a key (ADR 0018).

- a decision is the niche's next entry: row count `niches_head_follows`
- one provider, one lead (R7): constraint `assignments_lead_reaches_a_provider_once`
- each recipient takes the next place (R5): constraint `assignments_served_seq_has_no_ties`
- no more than max_recipients (R6): invariant `a lead reaches a provider once, and a level no more than its
  max_recipients`
- a level with an open slot is not full (R4): replay `decided again, byte for byte`
- no more recipients than the niche allows (R16): invariant `no lead has more recipients than it may have, nor two of a
  conflict group`
- an exclusive level sells alone (R16): invariant `no lead has more recipients than it may have, nor two of a conflict
  group`
- no two of a conflict group (R16): invariant `no lead has more recipients than it may have, nor two of a conflict
  group`
- no subscription is counted twice: replay `decided again, byte for byte`
- every living subscription has its one reason: replay `decided again, byte for byte`
- recipients are chosen in the order of their level (R5, R15): replay `decided again, byte for byte`
- candidates are asked in the order of their level (R5, R15): replay `decided again, byte for byte`
- a recipient of a weighted level is charged at its weight (R15): replay `decided again, byte for byte`
- a recipient has a living subscription: constraint `assignments_are_subscribed_to`
- a recipient passes every standing gate (R4): row count `subscriptions_served_can_be`
- what is asked is the level's price, or its rule's (R14): replay `decided again, byte for byte`
- no recipient pays more than its limit (R14): replay `decided again, byte for byte`
- the level's price is charged (R8): invariant `every assignment has one purchase of its price, every purchase its
  assignment`
- no cap is overshot (R13): invariant `no window of a limit holds more than its limit, and each holds what was counted`
- no balance below its floor (R8): constraint `providers_balance_is_above_its_floor`
- entries follow one another without a gap: row count `niches_head_follows`
- each charge follows the last (R8): constraint `assignments_one_payment_each`
- only who was consulted is switched off (R9): row count `subscriptions_switched_off_were_on`
- what is gone is what was charged (R8): row count `providers_balance_follows_its_entries`
"""

from collections.abc import Mapping, Sequence

from fairlead.core.decision import Decision, LevelResult, Recipient, RefusedCandidate
from fairlead.core.gates import price_refusal, standing_refusal
from fairlead.core.model import PLAIN_TERMS, Balance, Level, Subscription
from fairlead.core.refusals import LevelFull
from fairlead.core.roster import Roster


def assert_decision(roster: Roster, decision: Decision) -> None:
    """The decision gives each slot, charge, place and reason as it must. Raises `AssertionError`.

    `roster` stands before the decision.
    """
    recipients = decision.recipients
    assert decision.seq == roster.head.seq + 1, "a decision is the niche's next entry"
    assert len({recipient.provider_id for recipient in recipients}) == len(recipients), "one provider, one lead (R7)"
    served = [recipient.served_seq for recipient in recipients]
    first = roster.head.last_served_seq + 1
    assert served == [*range(first, first + len(served))], "each recipient takes the next place (R5)"
    _assert_together(roster, decision)
    for result in decision.levels:
        _assert_price(roster, result)
        _assert_slots(roster, result)
        assert _is_in_order(roster, result.recipients, result.level), (
            "recipients are chosen in the order of their level (R5, R15)"
        )
        assert _is_in_order(roster, result.refused, result.level), (
            "candidates are asked in the order of their level (R5, R15)"
        )
        for recipient in result.recipients:
            _assert_recipient(roster, result, recipient)


def assert_batch(
    first_seq: int,
    steps: Sequence[tuple[Decision, Sequence[Subscription]]],
    before: Mapping[str, Balance],
    after: Mapping[str, Balance],
) -> None:
    """The decisions, each with what it switched off, follow one another, and so do their charges.

    `before` and `after` have every provider that was consulted. Raises `AssertionError`.
    """
    seq, balances = first_seq, dict(before)
    for decision, deactivated in steps:
        assert decision.seq == seq, "entries follow one another without a gap"
        seq += 1 + len(deactivated)
        for recipient in decision.recipients:
            balance = balances[recipient.provider_id]
            charged = (recipient.balance_before_cents, recipient.ledger_seq)
            assert charged == (balance.balance_cents, balance.ledger_seq + 1), "each charge follows the last (R8)"
            balances[recipient.provider_id] = balance.charged(recipient.price_cents)
        for subscription in deactivated:
            assert subscription.provider_id in balances, "only who was consulted is switched off (R9)"
    assert balances == after, "what is gone is what was charged (R8)"


def _assert_price(roster: Roster, result: LevelResult) -> None:
    level, rule = roster.levels[result.level.level_id], result.price_rule
    price_cents = level.price_cents
    if rule is not None:
        price_cents = roster.priced_level(level.level_id).rules.rules[rule.number - 1].price_cents
    assert result.level.price_cents == price_cents, "what is asked is the level's price, or its rule's (R14)"


def _assert_slots(roster: Roster, result: LevelResult) -> None:
    assert len(result.recipients) <= result.level.max_recipients, "no more than max_recipients (R6)"
    is_full = len(result.recipients) == result.level.max_recipients and result.lead_full is None
    assert is_full or LevelFull.reason not in result.counts, "a level with an open slot is not full (R4)"
    assert all(count >= 0 for count in result.counts.values()), "no subscription is counted twice"
    told = len(result.recipients) + len(result.refused) + sum(result.counts.values())
    assert told == roster.living_count(result.level.level_id), "every living subscription has its one reason"


def _assert_together(roster: Roster, decision: Decision) -> None:
    recipients, limit = decision.recipients, roster.max_recipients_per_lead
    assert limit is None or len(recipients) <= limit, "no more recipients than the niche allows (R16)"
    is_exclusive = any(result.recipients and result.level.is_exclusive for result in decision.levels)
    assert not is_exclusive or len(recipients) == 1, "an exclusive level sells alone (R16)"
    of_recipients = (roster.terms.get(each.provider_id, PLAIN_TERMS).conflict_group_id for each in recipients)
    groups = [group_id for group_id in of_recipients if group_id is not None]
    assert len({*groups}) == len(groups), "no two of a conflict group (R16)"


def _assert_recipient(roster: Roster, result: LevelResult, recipient: Recipient) -> None:
    subscription = roster.subscription(recipient.subscription_id)
    assert subscription is not None, "a recipient has a living subscription"
    status = roster.provider_status(recipient.provider_id) or "unknown"
    assert standing_refusal(subscription, status) is None, "a recipient passes every standing gate (R4)"
    assert recipient.price_cents == result.level.price_cents, "the level's price is charged (R8)"
    assert price_refusal(subscription, recipient.price_cents) is None, "no recipient pays more than its limit (R14)"
    weight = subscription.weight if roster.levels[result.level.level_id].is_weighted else None
    assert recipient.weight == weight, "a recipient of a weighted level is charged at its weight (R15)"
    balance_after_cents = recipient.balance_before_cents - recipient.price_cents
    assert balance_after_cents >= -recipient.credit_limit_cents, "no balance below its floor (R8)"


def assert_room(roster: Roster, decisions: Sequence[Decision]) -> None:
    """No lead of a batch overshoots a limit. Raises `AssertionError`.

    By itself, for who writes the batch asks it last, while the server is busy with what it was sent. `roster` stands
    before the batch: no decision changes what a subscription's limits, or its provider's, are.
    """
    for decision in decisions:
        for recipient in decision.recipients:
            subscription = roster.subscription(recipient.subscription_id)
            own_limits = None if subscription is None else subscription.limits_text
            of_provider = roster.terms.get(recipient.provider_id, PLAIN_TERMS).limits_text
            if own_limits is not None or of_provider is not None or recipient.counters:
                assert _have_room(recipient, own_limits, of_provider), "no cap is overshot (R13)"


def _have_room(recipient: Recipient, own_limits: str | None, limits_of_provider: str | None) -> bool:
    """Whether its counters are those of its limits, its own first, and none of them is overshot by one more lead."""
    asked = [(recipient.subscription_id, own_limits), (recipient.provider_id, limits_of_provider)]
    wanted = [each for each in asked if each[1] is not None]
    if len(wanted) != len(recipient.counters):
        return False
    for (owner_id, text), own in zip(wanted, recipient.counters, strict=True):
        if own.owner_id != owner_id or own.windows.text != text or not own.holds_lead_at(recipient.price_cents):
            return False
    return True


def _is_in_order(roster: Roster, chosen: Sequence[Recipient | RefusedCandidate], level: Level) -> bool:
    """Whether never served ones come first, by provider, and then the others, by when they were served last.

    At a weighted level those come before that whose pass is lower.
    """
    own_id = level.level_id
    ranks = [
        (
            roster.start_pass(each.subscription_id, own_id) if roster.levels[own_id].is_weighted else 0,
            roster.served_seq(each.subscription_id) or 0,
            each.provider_id,
        )
        for each in chosen
    ]
    return ranks == sorted(ranks)
