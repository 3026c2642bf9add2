"""The nouns of a distribution: what is decided on, and what a decision says.

Ids are UUIDs as lower-case text: their text order is their byte order, so R5's tie-break needs no conversion, and
the journal's JSON holds the very same strings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fairlead.core.canonical import canonical_json

MAX_AMOUNT_CENTS = 1_000_000_000_000
"""The largest amount that may be handed in: a price, a deposit, a credit limit."""

MAX_BALANCE_CENTS = 2**53 - 1
"""The largest balance: every program reads it exactly, and it has a canonical form, which decisions need."""

PAUSED = "paused"
"""The `deactivation_reason` of a subscription that its provider switched off."""

INSUFFICIENT_FUNDS = "insufficient_funds"
"""The `deactivation_reason` of a subscription whose level costs more than its provider can pay (R9)."""


class Reason(StrEnum):
    """Why a subscription did not receive a lead, in R4's fixed precedence. Stored as text, never renamed."""

    PROVIDER_INACTIVE = "provider_inactive"
    SUBSCRIPTION_INACTIVE = "subscription_inactive"
    FILTER_INVALID = "filter_invalid"
    FILTER_MISMATCH = "filter_mismatch"
    OUTSIDE_SCHEDULE = "outside_schedule"
    CAP_REACHED = "cap_reached"
    ALREADY_RECIPIENT = "already_recipient"
    INSUFFICIENT_BALANCE = "insufficient_balance"
    LEVEL_FULL = "level_full"


class Outcome(StrEnum):
    """How a distribution ended. `failed` is never the outcome of a decision: such an attempt wrote nothing."""

    SUCCESS = "success"
    PARTIAL = "partial"
    NO_ELIGIBLE = "no_eligible"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Level:
    """A living competition level of a niche."""

    level_id: str
    name: str
    price_cents: int
    max_recipients: int
    order_position: int
    is_active: bool


@dataclass(frozen=True, slots=True)
class Subscription:
    """A provider's living subscription to one level, with its filter as it was written."""

    subscription_id: str
    provider_id: str
    level_id: str
    is_active: bool
    deactivation_reason: str | None
    filter_rules: Mapping[str, object]
    filter_is_valid: bool

    def has_filter_of(self, other: "Subscription") -> bool:
        """Whether both filters are the same document. To Python alone, true and 1 would be.

        >>> yes, one = (Subscription("s", "p", "l", True, None, {"value": value}, True) for value in (True, 1))
        >>> yes == one, yes.has_filter_of(one)
        (True, False)
        """
        if self.filter_rules is other.filter_rules:
            return True
        return canonical_json(self.filter_rules) == canonical_json(other.filter_rules)


@dataclass(frozen=True, slots=True)
class Lead:
    """What a decision may know of a lead: its attributes, and the commitment that stands for them in the journal."""

    lead_id: str
    attributes: Mapping[str, object]
    commitment: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Purse:
    """What one provider can pay with, as its locked row says (amounts in cents)."""

    balance_cents: int
    credit_limit_cents: int
    ledger_seq: int

    @property
    def available_cents(self) -> int:
        """How much may be charged before the balance reaches its floor (R8).

        >>> Purse(balance_cents=-300, credit_limit_cents=1000, ledger_seq=4).available_cents
        700
        """
        return self.balance_cents + self.credit_limit_cents

    def charged(self, price_cents: int) -> "Purse":
        """The purse after one purchase: the price less, one ledger entry more.

        >>> Purse(5000, 0, 7).charged(2000)
        Purse(balance_cents=3000, credit_limit_cents=0, ledger_seq=8)
        """
        return Purse(self.balance_cents - price_cents, self.credit_limit_cents, self.ledger_seq + 1)


@dataclass(frozen=True, slots=True)
class Recipient:
    """One pick: the assignment, what it costs, and the balance that it was paid from."""

    assignment_id: str
    subscription_id: str
    provider_id: str
    served_seq: int
    price_cents: int
    ledger_seq: int
    balance_before_cents: int
    credit_limit_cents: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """A candidate that the walk reached and a dynamic gate refused, with the value that refused it.

    `available_cents` is given for `insufficient_balance`, `received_at_level_id` for `already_recipient`.
    """

    subscription_id: str
    provider_id: str
    reason: Reason
    available_cents: int | None = None
    received_at_level_id: str | None = None


@dataclass(frozen=True, slots=True)
class LevelResult:
    """What happened at one level: who got the lead, who was refused on the way, how many else and why.

    `counts` holds every other living subscription of the level by reason, so that recipients + refused + counts are
    all of them.
    """

    level: Level
    recipients: tuple[Recipient, ...]
    refused: tuple[Refusal, ...]
    counts: Mapping[Reason, int]

    @property
    def has_open_slot(self) -> bool:
        """Whether fewer than `max_recipients` were chosen."""
        return len(self.recipients) < self.level.max_recipients


@dataclass(frozen=True, slots=True)
class Decision:
    """One distribution of one lead, explaining itself. `levels` are in the order of the traversal (R3)."""

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
            for refusal in result.refused:
                if refusal.reason is Reason.INSUFFICIENT_BALANCE:
                    consulted[refusal.provider_id] = None
        return tuple(consulted)
