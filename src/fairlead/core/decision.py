"""What a decision says: who receives the lead, at which price, and why each other subscription does not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from fairlead.core.calendar.limits import Counters
from fairlead.core.canonical import JsonObject
from fairlead.core.model import Level
from fairlead.core.prices import HeldRule
from fairlead.core.refusals import LeadFull, Refusal


class Outcome(StrEnum):
    """How a distribution ended. `failed` is never the outcome of a decision: such an attempt wrote nothing."""

    SUCCESS = "success"
    PARTIAL = "partial"
    NO_ELIGIBLE = "no_eligible"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One pick: the assignment, what it costs, the balance that it was paid from, and the windows that it counts in.

    `weight` is that of its subscription where the level is weighted: what the lead costs of its turns (R15).
    """

    assignment_id: str
    subscription_id: str
    provider_id: str
    served_seq: int
    price_cents: int
    ledger_seq: int
    balance_before_cents: int
    credit_limit_cents: int
    counters: tuple[Counters, ...] = ()
    weight: int | None = None


@dataclass(frozen=True, slots=True)
class RefusedCandidate:
    """A candidate that the level reached and a decision gate refused."""

    subscription_id: str
    provider_id: str
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class LevelResult:
    """What happened at one level: who got the lead, who was refused on the way, how many else and why.

    `counts` holds every other living subscription of the level by reason, none of them 0, so that recipients + refused
    + counts are all of them. `lead_full` is set where the lead took no further recipient from the level in the end,
    although the level may have had room (R16). `level.price_cents` is the price that was asked, and `price_rule` the
    rule that decided it, where one did (R14).
    """

    level: Level
    recipients: tuple[Recipient, ...]
    refused: tuple[RefusedCandidate, ...]
    counts: Mapping[str, int]
    lead_full: LeadFull | None = None
    price_rule: HeldRule | None = None

    @property
    def has_open_slot(self) -> bool:
        """Whether one more could have been chosen: all candidates were asked."""
        return len(self.recipients) < self.level.max_recipients and self.lead_full is None


@dataclass(frozen=True, slots=True)
class Decision:
    """One distribution of one lead, explaining itself. `levels` are in the order of the traversal (R3).

    `calendars` are the editions of time zones and holidays that it depended on, if it did; `lead_created_at` is when
    the lead came in, where a price rule asked how old it is. `reopens_at`, which is in no
    record: when a lead without recipients can find one at the earliest, since the first limit or schedule opens.
    """

    niche_id: str
    seq: int
    lead_id: str
    lead_commitment: str
    attempt: int
    decided_at: datetime
    start_order_position: int | None
    next_start_order_position: int
    outcome: Outcome
    levels: tuple[LevelResult, ...]
    calendars: JsonObject | None = None
    lead_created_at: datetime | None = None
    reopens_at: datetime | None = field(default=None, compare=False)

    @property
    def recipients(self) -> tuple[Recipient, ...]:
        """Every pick, in the order in which they were made."""
        return tuple(recipient for result in self.levels for recipient in result.recipients)

    @property
    def consulted_provider_ids(self) -> tuple[str, ...]:
        """The providers whose money this decision depended on, in the order of consultation, each once."""
        consulted: dict[str, None] = {}
        for result in self.levels:
            for recipient in result.recipients:
                consulted[recipient.provider_id] = None
            for refused in result.refused:
                if refused.refusal.used_balance:
                    consulted[refused.provider_id] = None
        return tuple(consulted)
