"""The queues of a decision as answers show them: of one that was taken, and of one that was only tried."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Protocol

from pydantic import Field

from fairlead.api.schemas.values import ResponseModel, Uuid
from fairlead.core.decision_queues import Candidate, LevelQueue
from fairlead.core.gates import REGISTRY
from fairlead.core.messages import Names
from fairlead.flows.explaining.decision_queues import MOST_LISTED

Reason = Annotated[
    str,
    Field(json_schema_extra={"enum": [refusal.reason for refusal in REGISTRY.refusals]}),
]


class NamedQueues(Protocol):
    """What a queue's ids stand for."""

    @property
    def provider_names(self) -> Mapping[str, str]:
        """By provider id."""
        ...

    @property
    def names(self) -> Names:
        """What the sentence of a refusal needs."""
        ...


class QueuedCandidate(ResponseModel):
    """A subscription of a level, and what came of it."""

    subscription_id: Uuid
    provider_id: Uuid
    provider_name: str = Field(examples=["Anchor"])
    rank: int | None = Field(description="Its place in the queue, from 1; null outside of it.", examples=[1])
    served_ago: int | None = Field(
        description="How many of the niche's assignments ago it was last served; null if it never was.", examples=[41]
    )
    received: bool = Field(description="Whether it received the lead.")
    price_cents: int | None = Field(description="What it paid, in minor units; null where it did not receive the lead.")
    balance_before_cents: int | None = Field(
        description="Its provider's balance before, in minor units; null where it did not receive the lead."
    )
    balance_after_cents: int | None = Field(
        description="Its provider's balance afterwards, in minor units; null where it did not receive the lead."
    )
    reason: Reason | None = Field(description="Why it did not receive the lead; null where it did.")
    sentence: str | None = Field(
        description="The reason in one sentence, with what refused; null where it received the lead.",
        examples=["Filter: `Cores` is 2, they take 4 or more."],
    )


class OutsideQueue(ResponseModel):
    """Subscriptions of a level that were no candidates, for one reason."""

    reason: Reason = Field(description="Why they were no candidates.")
    count: int = Field(description="How many they are.")
    items: Sequence[QueuedCandidate] = Field(description=f"The first {MOST_LISTED} of them.")


class DecidedQueue(ResponseModel):
    """A level's queue, from its head to the last candidate that was asked."""

    level_id: Uuid
    level_name: str = Field(examples=["gold"])
    order_position: int
    price_cents: int
    price_rule: str | None = Field(examples=["Nights"])
    max_recipients: int
    queue_length: int = Field(description="How many candidates the level had for this lead.")
    reached: Sequence[QueuedCandidate] = Field(description="Those that were asked, from the head of the queue.")
    behind_count: int = Field(description="How many more stood behind them.")
    counts: Mapping[str, int] = Field(description="As the journal has them, by reason.", examples=[{"level_full": 2}])
    outside: Sequence[OutsideQueue] = Field(description="Those that stood in no queue, by reason.")


def shown_queue(story: NamedQueues, queue: LevelQueue) -> DecidedQueue:
    """The queue as an answer shows it."""
    level = queue.result.level
    return DecidedQueue(
        level_id=level.level_id,
        level_name=level.name,
        order_position=level.order_position,
        price_cents=level.price_cents,
        price_rule=queue.result.price_rule and queue.result.price_rule.name,
        max_recipients=level.max_recipients,
        queue_length=queue.queue_length,
        reached=[_candidate(story, each) for each in queue.reached],
        behind_count=queue.behind_count,
        counts=queue.result.counts,
        outside=[
            OutsideQueue(reason=reason, count=len(own), items=[_candidate(story, each) for each in own[:MOST_LISTED]])
            for reason, own in queue.outside.items()
        ],
    )


def _candidate(story: NamedQueues, each: Candidate) -> QueuedCandidate:
    recipient = each.recipient
    before = None if recipient is None else recipient.balance_before_cents
    return QueuedCandidate(
        subscription_id=each.subscription_id,
        provider_id=each.provider_id,
        provider_name=story.provider_names.get(each.provider_id, ""),
        rank=each.rank,
        served_ago=each.served_ago,
        received=recipient is not None,
        price_cents=None if recipient is None else recipient.price_cents,
        balance_before_cents=before,
        balance_after_cents=None if recipient is None or before is None else before - recipient.price_cents,
        reason=None if each.refusal is None else each.refusal.reason,
        sentence=None if each.refusal is None else each.refusal.sentence(story.names),
    )
