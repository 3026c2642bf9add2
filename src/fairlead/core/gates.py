"""The gates between a lead and a subscription, in R4's fixed precedence: the first that refuses is the reason.

`REGISTRY` is the only place that names them in order. Deciding, counting, explaining, replaying and the documentation's
list all read it: a gate that is added here is everywhere.

- A *standing* gate looks at the subscription and its provider alone, so it says the same for every lead: a roster keeps
  such subscriptions as counts, and never visits them.
- The *filter* looks at the lead. All filters of a niche are asked at once (`fairlead.core.filters.index`); this is the
  same question for a single one.
- The *price limit* of a subscription looks at the price that its level asks for the lead, which is decided before any
  candidate is asked. Those of a level are held against it at once (`fairlead.core.slots`); this is the same question
  for a single one.
- A *decision* gate also looks at what the decision did so far, and at balances: it is asked for each candidate in R5's
  order, until the level is full.
- A gate may shut a subscription until a moment (`Refusal.shuts_until`): a schedule that opens then, a window of a limit
  that closes then. The first decision that asks it names it; those after it, up to that moment, count it, and do not
  visit it, so that a level does not fill with candidates that refuse each lead anew.
- A candidate that was never asked about, since the lead or the level was full before, is refused by that, unless it is
  among those that a decision gate is known to refuse without asking (`known_provider_ids`).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fairlead.core.calendar.limits import Counters, reached_cap
from fairlead.core.canonical import canonical_json
from fairlead.core.decision_state import DecisionState
from fairlead.core.filters.filter import compile_text
from fairlead.core.filters.mismatch import FilterMismatch
from fairlead.core.form import FormSchema
from fairlead.core.model import Level, Subscription
from fairlead.core.refusals import (
    EXCLUSIVE_LEVEL_NEEDS_NONE,
    EXCLUSIVE_LEVEL_SOLD,
    RECIPIENT_LIMIT,
    AlreadyRecipient,
    CapReached,
    ConflictGroup,
    FilterInvalid,
    InsufficientBalance,
    LeadFull,
    LevelFull,
    OutsideSchedule,
    PriceAboveLimit,
    ProviderInactive,
    Refusal,
    SubscriptionInactive,
)
from fairlead.core.subscription import is_affordable


@dataclass(frozen=True, slots=True)
class StandingGate:
    """A gate that says the same for every lead: `refuse` gets the subscription and its provider's status."""

    refusal: type[Refusal]
    refuse: Callable[[Subscription, str], Refusal | None]


@dataclass(frozen=True, slots=True)
class DecisionGate:
    """A gate that depends on the decision: `refuse` gets its state, the candidate and the level.

    `known_provider_ids`, where given, are the only providers that it can refuse at the level, once that has its
    recipients, known without a visit: candidates that the decision never reached are then counted for it, and not for
    `lead_full` or `level_full`.
    """

    refusal: type[Refusal]
    refuse: Callable[[DecisionState, Subscription, Level], Refusal | None]
    known_provider_ids: Callable[[DecisionState, Level], Sequence[str]] | None = None


@dataclass(frozen=True, slots=True)
class Registry:
    """Every gate. Precedence is the order of the parts, and within them the order that is given here."""

    standing: tuple[StandingGate, ...]
    decision: tuple[DecisionGate, ...]

    @property
    def refusals(self) -> tuple[type[Refusal], ...]:
        """Every reason, in R4's precedence."""
        standing = tuple(gate.refusal for gate in self.standing)
        decision = tuple(gate.refusal for gate in self.decision)
        return (*standing, FilterMismatch, PriceAboveLimit, *decision, LeadFull, LevelFull)

    @property
    def by_reason(self) -> Mapping[str, type[Refusal]]:
        """The reasons by what is stored of them."""
        return {refusal.reason: refusal for refusal in self.refusals}


def standing_refusal(subscription: Subscription, provider_status: str) -> Refusal | None:
    """Why the subscription can receive no lead at all at present; None when the lead decides.

    >>> from dataclasses import replace
    >>> subscription = Subscription("s", "p", "l", True, None, '{"rules":[],"version":1}', True)
    >>> standing_refusal(subscription, "active") is None
    True
    >>> standing_refusal(replace(subscription, is_active=False, filter_is_valid=False), "active")
    SubscriptionInactive(deactivation_reason=None)
    >>> standing_refusal(replace(subscription, is_active=False), "suspended")
    ProviderInactive(status='suspended')
    """
    for gate in REGISTRY.standing:
        refusal = gate.refuse(subscription, provider_status)
        if refusal is not None:
            return refusal
    return None


def filter_refusal(
    subscription: Subscription, schema: FormSchema, attributes: Mapping[str, object]
) -> FilterMismatch | None:
    """The innermost rule of the subscription's filter that a lead with these attributes does not fulfil.

    >>> subscription = Subscription("s", "p", "l", True, None, '{"rules":[],"version":1}', True)
    >>> filter_refusal(subscription, FormSchema(()), {}) is None
    True
    """
    mismatch = compile_text(subscription.filter_text, schema).mismatch(attributes)
    if mismatch is None:
        return None
    key = mismatch.rule.field_key
    field = schema.field(key)
    label = key if field is None else field.label
    return FilterMismatch(mismatch.rule, label, attributes.get(key), mismatch.alternatives)


def price_refusal(subscription: Subscription, price_cents: int) -> PriceAboveLimit | None:
    """Why the subscription takes no lead at the price that its level asks; None when it does.

    >>> subscription = Subscription("s", "p", "l", True, None, '{"rules":[],"version":1}', True, max_price_cents=500)
    >>> price_refusal(subscription, 500) is None, price_refusal(subscription, 501)
    (True, PriceAboveLimit(price_cents=501, limit_cents=500))
    """
    limit_cents = subscription.max_price_cents
    return None if limit_cents is None or price_cents <= limit_cents else PriceAboveLimit(price_cents, limit_cents)


def decision_refusal(state: DecisionState, subscription: Subscription, level: Level) -> Refusal | None:
    """Why the decision may not choose this candidate now; None when it may."""
    for gate in REGISTRY.decision:
        refusal = gate.refuse(state, subscription, level)
        if refusal is not None:
            return refusal
    return None


def refusal_without_visit(state: DecisionState, subscription: Subscription, level: Level) -> Refusal | None:
    """Why a candidate that was never reached could not have been chosen, as far as that is known; else None."""
    for gate in REGISTRY.decision:
        if gate.known_provider_ids is not None:
            refusal = gate.refuse(state, subscription, level)
            if refusal is not None:
                return refusal
    return None


def lead_full(state: DecisionState, level: Level) -> LeadFull | None:
    """Why the lead takes no further recipient from the level; None while it does (R16).

    >>> gold = Level("gold", "Gold", 500, 3, 1, is_active=True)
    >>> state = DecisionState(7, datetime(2026, 1, 1), None, {}, 0, max_recipients_per_lead=1)
    >>> lead_full(state, gold) is None
    True
    >>> state.receive("p", gold)
    >>> lead_full(state, gold)
    LeadFull(cause='recipient_limit', used=1, limit=1)
    """
    used, limit = len(state.received_at), state.max_recipients_per_lead
    if state.is_sold_exclusively:
        return LeadFull(EXCLUSIVE_LEVEL_SOLD, used)
    if limit is not None and used >= limit:
        return LeadFull(RECIPIENT_LIMIT, used, limit)
    return LeadFull(EXCLUSIVE_LEVEL_NEEDS_NONE, used) if level.is_exclusive and used else None


def is_shut(refusal: Refusal | None, moment: datetime) -> bool:
    """Whether a refusal that shut a subscription still does at the moment."""
    return refusal is not None and refusal.shuts_until is not None and moment < refusal.shuts_until


def shut_text(refusal: Refusal) -> str:
    """The refusal that shuts a subscription, as it is kept outside of the journal; `shut_from_text` reads it."""
    return canonical_json({"reason": refusal.reason, **refusal.recorded()}).decode()


def shut_from_text(text: str) -> Refusal:
    """The refusal that `shut_text` wrote.

    >>> shut_from_text(shut_text(OutsideSchedule(None)))
    OutsideSchedule(opens_at=None)
    """
    return shut_from_record(json.loads(text))


def shut_from_record(record: Mapping[str, Any]) -> Refusal:
    """The refusal that `shut_text` wrote, from what that is as JSON."""
    return REGISTRY.by_reason[record["reason"]].read(record, {})


def recorded_refusal(record: Mapping[str, Any], level: Mapping[str, Any]) -> Refusal:
    """The refusal that a decision recorded, from one of `refused` of this level of its payload."""
    return REGISTRY.by_reason[record["reason"]].read(record, level)


def _provider_inactive(_subscription: Subscription, provider_status: str) -> ProviderInactive | None:
    return None if provider_status == "active" else ProviderInactive(provider_status)


def _subscription_inactive(subscription: Subscription, _provider_status: str) -> SubscriptionInactive | None:
    return None if subscription.is_active else SubscriptionInactive(subscription.deactivation_reason)


def _filter_invalid(subscription: Subscription, _provider_status: str) -> FilterInvalid | None:
    return None if subscription.filter_is_valid else FilterInvalid()


def _already_recipient(state: DecisionState, subscription: Subscription, _level: Level) -> AlreadyRecipient | None:
    level_id = state.received_at.get(subscription.provider_id)
    return None if level_id is None else AlreadyRecipient(level_id)


def _conflict_group(state: DecisionState, subscription: Subscription, _level: Level) -> ConflictGroup | None:
    if not state.recipient_of_group:
        return None
    group_id = state.terms_of(subscription).conflict_group_id
    recipient = None if group_id is None else state.recipient_of_group.get(group_id)
    return None if recipient is None else ConflictGroup(recipient)


def _insufficient_balance(state: DecisionState, subscription: Subscription, level: Level) -> InsufficientBalance | None:
    available_cents = state.balances[subscription.provider_id].available_cents
    if is_affordable(level.price_cents, available_cents):
        return None
    return InsufficientBalance(available_cents, level.price_cents)


def _outside_schedule(state: DecisionState, subscription: Subscription, _level: Level) -> OutsideSchedule | None:
    if state.time_rules is None:
        return None
    terms = state.terms_of(subscription)
    if subscription.schedule_text is None and terms.schedule_text is None:
        return None
    state.used_local_time = True
    try:
        opens_at = state.time_rules.opens_at(subscription, terms)
    except ValueError:
        return OutsideSchedule(None)
    return None if opens_at is None else OutsideSchedule(opens_at)


def _cap_reached(state: DecisionState, subscription: Subscription, level: Level) -> CapReached | None:
    try:
        state.counters = _counters_of(state, subscription)
        reached = reached_cap(state.counters, level.price_cents)
        lowest_cents = state.lowest_prices.get(level.level_id, level.price_cents)
        if reached is None or lowest_cents == level.price_cents:
            return None if reached is None else CapReached.of(reached)
        at_lowest = reached_cap(state.counters, lowest_cents)
    except ValueError:
        return CapReached(None, "subscription", 0, 0, None, None)
    return CapReached.of(reached, is_for_price_only=True) if at_lowest is None else CapReached.of(at_lowest)


def _counters_of(state: DecisionState, subscription: Subscription) -> Sequence[Counters]:
    """The counters that a lead for the subscription counts in; none where it has no limits."""
    if state.time_rules is None:
        return ()
    terms = state.terms_of(subscription)
    if subscription.limits_text is None and terms.limits_text is None:
        return ()
    state.used_local_time = True
    return state.time_rules.counters(subscription, terms)


def _earlier_recipients(state: DecisionState, level: Level) -> Sequence[str]:
    return [provider_id for provider_id, level_id in state.received_at.items() if level_id != level.level_id]


def _groups_of_recipients(state: DecisionState, _level: Level) -> Sequence[str]:
    return [
        provider_id
        for group_id, recipient in state.recipient_of_group.items()
        for provider_id in state.conflict_groups.get(group_id, ())
        if provider_id != recipient
    ]


REGISTRY = Registry(
    standing=(
        StandingGate(ProviderInactive, _provider_inactive),
        StandingGate(SubscriptionInactive, _subscription_inactive),
        StandingGate(FilterInvalid, _filter_invalid),
    ),
    decision=(
        DecisionGate(OutsideSchedule, _outside_schedule),
        DecisionGate(CapReached, _cap_reached),
        DecisionGate(AlreadyRecipient, _already_recipient, known_provider_ids=_earlier_recipients),
        DecisionGate(ConflictGroup, _conflict_group, known_provider_ids=_groups_of_recipients),
        DecisionGate(InsufficientBalance, _insufficient_balance),
    ),
)
