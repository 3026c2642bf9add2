"""The decision: one lead, every active level, who receives it and why nobody else (R1-R8, R11).

`decide` is a pure function of the roster (the niche's journal up to here), the lead, the balances that it consults
and the time that it is given: same inputs, same decision, byte for byte.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from fairlead.core.assignment import PurseLookup, Walk, fill_level
from fairlead.core.model import Decision, Lead, LevelResult, Outcome, Purse, Reason, Subscription
from fairlead.core.roster import Head, Roster
from fairlead.core.rotation import next_pointer, start_position
from fairlead.core.traversal import traverse

REASONS_THAT_LEAVE_A_SALE_OPEN = frozenset({Reason.INSUFFICIENT_BALANCE, Reason.CAP_REACHED, Reason.OUTSIDE_SCHEDULE})


def decide(roster: Roster, lead: Lead, purses: PurseLookup, decided_at: datetime) -> Decision:
    """Who receives the lead, in which order, at which price, and why each other candidate did not.

    The roster is not changed; `follow` does that. A provider that `purses` does not know is taken to be able to pay:
    the decision is final only once every one of its `consulted_provider_ids` was known. A niche without active levels
    decides `no_eligible` and its pointer stays where it is, since there is no level to move to.

    >>> from fairlead.core.canonical import timestamp_from_text
    >>> now = timestamp_from_text("2026-01-01T00:00:00.000000Z")
    >>> decision = decide(Roster("niche"), Lead("lead", {}, "commitment", attempt=1), {}, now)
    >>> decision.seq, decision.outcome.value, decision.next_start_order_position
    (1, 'no_eligible', 1)
    """
    pointer = roster.head.next_start_order_position
    positions = [level.order_position for level in roster.active_levels]
    start = start_position(positions, pointer)
    results: list[LevelResult] = []
    walk = Walk(roster.head.seq + 1, decided_at, roster.head.last_served_seq, purses)
    if start is not None:
        pointer = next_pointer(positions, start)
        candidates = roster.matching(lead.attributes)
        for level in traverse(roster.active_levels, start):
            results.append(fill_level(roster, candidates, level, walk))
    return Decision(
        niche_id=roster.niche_id,
        seq=walk.seq,
        lead_id=lead.lead_id,
        lead_commitment=lead.commitment,
        attempt=lead.attempt,
        decided_at=decided_at,
        start_order_position=start,
        next_start_order_position=pointer,
        outcome=outcome_of(results),
        levels=tuple(results),
    )


def outcome_of(results: Sequence[LevelResult]) -> Outcome:
    """How a distribution that ran to its end came out, by the definition below R12.

    >>> outcome_of([]).value
    'no_eligible'
    """
    if not any(result.recipients for result in results):
        return Outcome.NO_ELIGIBLE
    for result in results:
        if result.has_open_slot and any(r.reason in REASONS_THAT_LEAVE_A_SALE_OPEN for r in result.refused):
            return Outcome.PARTIAL
    return Outcome.SUCCESS


def follow(roster: Roster, decision: Decision) -> None:
    """The roster stands behind the decision: the pointer moved (R2), the recipients were served (R5).

    The head's hash is not known before the entry is sealed; the caller sets it.

    >>> from fairlead.core.canonical import timestamp_from_text
    >>> roster = Roster("niche")
    >>> now = timestamp_from_text("2026-01-01T00:00:00.000000Z")
    >>> follow(roster, decide(roster, Lead("lead", {}, "commitment", attempt=1), {}, now))
    >>> roster.head.seq
    1
    """
    served = roster.head.last_served_seq
    for recipient in decision.recipients:
        roster.set_served(recipient.subscription_id, recipient.served_seq)
        served = recipient.served_seq
    roster.head = Head(decision.seq, roster.head.hash, decision.next_start_order_position, served)


def subscriptions_out_of_funds(
    roster: Roster, purses: Mapping[str, Purse], provider_ids: Sequence[str]
) -> list[Subscription]:
    """The active subscriptions in this niche whose level now costs more than their provider can pay (R9).

    By subscription id, so that their journal entries have one order.

    >>> from fairlead.core.model import Level
    >>> roster = Roster("niche")
    >>> roster.set_level(Level("level", "Gold", 500, 1, 1, is_active=True), is_deleted=False)
    >>> roster.set_provider(provider := "01900000-0000-7000-8000-000000000000", "active")
    >>> every_lead = {"version": 1, "rules": []}
    >>> roster.set_subscription(Subscription("s", provider, "level", True, None, every_lead, True), is_deleted=False)
    >>> [each.subscription_id for each in subscriptions_out_of_funds(roster, {provider: Purse(499, 0, 1)}, [provider])]
    ['s']
    >>> subscriptions_out_of_funds(roster, {provider: Purse(499, 1, 1)}, [provider])
    []
    """
    broke = [
        subscription
        for provider_id in provider_ids
        for subscription in roster.subscriptions_of(provider_id)
        if subscription.is_active
        and (level := roster.levels.get(subscription.level_id)) is not None
        and level.price_cents > purses[provider_id].available_cents
    ]
    return sorted(broke, key=lambda subscription: subscription.subscription_id)
