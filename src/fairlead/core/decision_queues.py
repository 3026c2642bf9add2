"""The queues of a past decision: in each level who stood where, who received the lead, and why each other did not.

The journal names the recipients and whom their money refused; the rest follows from how the niche stood right before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from fairlead.core.decision import Decision, LevelResult, Recipient
from fairlead.core.decision_state import DecisionState
from fairlead.core.filters.mismatch import FilterMismatch
from fairlead.core.form import FormSchema
from fairlead.core.gates import filter_refusal, is_shut, price_refusal, refusal_without_visit, standing_refusal
from fairlead.core.model import Balance, Lead, ProviderTerms, Subscription
from fairlead.core.refusals import Refusal


class PastQueue(Protocol):
    """How a niche stood right before a decision, level by level."""

    @property
    def schema(self) -> FormSchema:
        """The niche's form."""
        ...

    @property
    def terms(self) -> Mapping[str, ProviderTerms]:
        """The terms of providers, where they are not plain."""
        ...

    def subscriptions_at(self, level_id: str) -> Sequence[Subscription]:
        """The level's living subscriptions in its order (R5, R15)."""
        ...

    def served_seq(self, subscription_id: str) -> int | None:
        """When a subscription was last served by the niche's counter."""
        ...

    def provider_status(self, provider_id: str) -> str | None:
        """A provider's status in this niche's journal."""
        ...

    def shut_by(self, subscription_id: str) -> Refusal | None:
        """The limit or schedule that shuts the living subscription until the moment that it says, if one does."""
        ...


class QueueDiffers(ValueError):
    """The queue, as the journal tells it, is not the one that the decision names its recipients from."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subscription and what became of it: `recipient` is set when it received the lead, else `refusal`.

    `rank` is its place in the queue, from 1; None outside of it. `served_ago` says how many of the niche's
    assignments ago it was last served: 1 for the last one before the decision; None when it never was.
    """

    subscription_id: str
    provider_id: str
    rank: int | None
    served_ago: int | None
    recipient: Recipient | None
    refusal: Refusal | None


@dataclass(frozen=True, slots=True)
class LevelQueue:
    """One level of a decision, in the order of the traversal.

    `reached` are the candidates from the head of the queue to the last one that was asked; `behind_count` more stood
    behind it. `outside` are the subscriptions that were in no queue, by reason: switched off, of another filter, or
    known to be closed by a limit or a schedule.
    """

    result: LevelResult
    reached: tuple[Candidate, ...]
    behind_count: int
    outside: Mapping[str, tuple[Candidate, ...]]

    @property
    def queue_length(self) -> int:
        """How many candidates the level had for this lead."""
        return len(self.reached) + self.behind_count

    @property
    def outside_count(self) -> int:
        """How many subscriptions of the level were no candidates."""
        return sum(map(len, self.outside.values()))


def queues_of(
    past: PastQueue, attributes: Mapping[str, object], decision: Decision, last_served_seq: int
) -> tuple[LevelQueue, ...]:
    """The queue of each level that the decision visited. `past` is right before it, where `last_served_seq` was.

    Raises `QueueDiffers` where past and decision do not belong together.
    """
    gates = _Gates(past, attributes, decision.decided_at)
    no_balances: dict[str, Balance] = {}
    lead = Lead(decision.lead_id, dict(attributes), decision.lead_commitment, decision.attempt)
    state = DecisionState(decision.seq, decision.decided_at, lead, no_balances, last_served_seq, terms=past.terms)
    return tuple(_queue_of(past, gates, result, state) for result in decision.levels)


def queue_recorded(result: LevelResult) -> LevelQueue:
    """What the journal alone says of a level, where the past before it cannot be told: no ranks, no counts."""
    recipients = [
        Candidate(each.subscription_id, each.provider_id, None, None, each, None) for each in result.recipients
    ]
    refused = [
        Candidate(each.subscription_id, each.provider_id, None, None, None, each.refusal) for each in result.refused
    ]
    return LevelQueue(result, (*recipients, *refused), 0, {})


class _Gates:
    """The gates that need no visit, each filter asked once."""

    def __init__(self, past: PastQueue, attributes: Mapping[str, object], moment: datetime) -> None:
        self._past = past
        self._moment = moment
        self._attributes = attributes
        self._of_filter: dict[str, FilterMismatch | None] = {}

    def refusal(self, subscription: Subscription, price_cents: int) -> Refusal | None:
        status = self._past.provider_status(subscription.provider_id) or "unknown"
        refusal = standing_refusal(subscription, status)
        if refusal is not None:
            return refusal
        text = subscription.filter_text
        if text not in self._of_filter:
            self._of_filter[text] = filter_refusal(subscription, self._past.schema, self._attributes)
        refusal = self._of_filter[text] or price_refusal(subscription, price_cents)
        if refusal is not None:
            return refusal
        shut = self._past.shut_by(subscription.subscription_id)
        return shut if is_shut(shut, self._moment) else None


def _queue_of(past: PastQueue, gates: _Gates, result: LevelResult, state: DecisionState) -> LevelQueue:
    """The level's queue; the state, which comes to the level, has left it afterwards."""
    recipients = {each.subscription_id: each for each in result.recipients}
    refused = {each.subscription_id: each.refusal for each in result.refused}
    queue: list[Candidate] = []
    outside: dict[str, list[Candidate]] = {}
    for subscription in past.subscriptions_at(result.level.level_id):
        seq = past.served_seq(subscription.subscription_id)
        ago = None if seq is None else state.last_served_seq - seq + 1
        shut = gates.refusal(subscription, result.level.price_cents)
        own = Candidate(subscription.subscription_id, subscription.provider_id, None, ago, None, shut)
        if shut is not None:
            outside.setdefault(shut.reason, []).append(own)
            continue
        refusal = refused.get(subscription.subscription_id)
        recipient = recipients.get(subscription.subscription_id)
        if recipient is not None:
            state.receive(subscription.provider_id, result.level)
        elif refusal is None:
            refusal = refusal_without_visit(state, subscription, result.level)
        queue.append(replace(own, rank=len(queue) + 1, recipient=recipient, refusal=None if recipient else refusal))
    named = [each.rank or 0 for each in queue if each.recipient or each.subscription_id in refused]
    if len(named) != len(recipients) + len(refused):
        raise QueueDiffers(f"level {result.level.level_id}: the decision names who stood in no queue")
    last = len(queue) if result.has_open_slot else max(named, default=0)
    reached = tuple(queue[:last])
    if any(each.recipient is None and each.refusal is None for each in reached):
        raise QueueDiffers(f"level {result.level.level_id}: the decision passed over a candidate without a reason")
    return LevelQueue(result, reached, len(queue) - last, {reason: tuple(own) for reason, own in outside.items()})
