"""Why one subscription did or did not receive a lead: the gates in R4's precedence, with what each of them saw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from fairlead.core.decision import Decision, LevelResult, Recipient
from fairlead.core.decision_state import DecisionState
from fairlead.core.form import FormSchema
from fairlead.core.gates import filter_refusal, is_shut, price_refusal, refusal_without_visit, standing_refusal
from fairlead.core.model import Balance, Lead, ProviderTerms, Subscription
from fairlead.core.refusals import LevelFull, Refusal


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one subscription stood in one decision: `recipient` is set when it received the lead, else `refusal`.

    `price_rule` is the name of the rule that decided the price at its level, where one did.
    """

    subscription_id: str
    level_id: str
    recipient: Recipient | None
    refusal: Refusal | None
    price_rule: str | None = None


class Past(Protocol):
    """How a niche stood right before a decision: a roster, or what a snapshot and the entries after it say."""

    @property
    def schema(self) -> FormSchema:
        """The niche's form."""
        ...

    @property
    def terms(self) -> Mapping[str, ProviderTerms]:
        """The terms of providers, where they are not plain."""
        ...

    def subscriptions_of(self, provider_id: str) -> Sequence[Subscription]:
        """The provider's living subscriptions in this niche."""
        ...

    def provider_status(self, provider_id: str) -> str | None:
        """A provider's status in this niche's journal."""
        ...

    def shut_by(self, subscription_id: str) -> Refusal | None:
        """The limit or schedule that shuts the living subscription until the moment that it says, if one does."""
        ...

    def count_ahead(
        self, attributes: Mapping[str, object], moment: datetime, subscription: Subscription, price_cents: int
    ) -> int:
        """How many candidates for a lead with these attributes, which costs so much, stand before the subscription."""
        ...


def standing_of(past: Past, lead: Lead, decision: Decision, result: LevelResult, provider_id: str) -> Standing | None:
    """The provider's standing at one level of the decision; None when it had no living subscription there.

    The past is right before the decision.
    """
    level_id = result.level.level_id
    subscription = next((each for each in past.subscriptions_of(provider_id) if each.level_id == level_id), None)
    if subscription is None:
        return None
    rule = result.price_rule and result.price_rule.name
    for recipient in result.recipients:
        if recipient.subscription_id == subscription.subscription_id:
            return Standing(subscription.subscription_id, level_id, recipient, None, rule)
    refusal = _refusal(past, lead, decision, result, subscription)
    return Standing(subscription.subscription_id, level_id, None, refusal, rule)


def _refusal(past: Past, lead: Lead, decision: Decision, result: LevelResult, subscription: Subscription) -> Refusal:
    status = past.provider_status(subscription.provider_id) or "unknown"
    refusal = standing_refusal(subscription, status) or filter_refusal(subscription, past.schema, lead.attributes)
    if refusal is not None:
        return refusal
    price_cents = result.level.price_cents
    refusal = price_refusal(subscription, price_cents)
    if refusal is not None:
        return refusal
    shut = past.shut_by(subscription.subscription_id)
    if shut is not None and is_shut(shut, decision.decided_at):
        return shut
    for refused in result.refused:
        if refused.subscription_id == subscription.subscription_id:
            return refused.refusal
    # It was never reached: only gates that need no visit can have refused it, else the lead or the level was full.
    state = _state_after(lead, decision, result, past.terms)
    refusal = refusal_without_visit(state, subscription, result.level) or result.lead_full
    if refusal is not None:
        return refusal
    ahead = past.count_ahead(lead.attributes, decision.decided_at, subscription, price_cents)
    return LevelFull(ahead, result.level.max_recipients, by_shares=result.level.is_weighted)


def _state_after(
    lead: Lead, decision: Decision, result: LevelResult, terms: Mapping[str, ProviderTerms]
) -> DecisionState:
    """The decision's state as it left the level."""
    no_balances: dict[str, Balance] = {}
    state = DecisionState(decision.seq, decision.decided_at, lead, no_balances, 0, terms=terms)
    for each in decision.levels[: decision.levels.index(result) + 1]:
        for recipient in each.recipients:
            state.receive(recipient.provider_id, each.level)
    return state
